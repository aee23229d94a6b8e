import Archives
import EventStream

/// What `POST /list_files` answers with.
enum FileNames {
    /// The names in a folder as the reference lists them: folders, with a slash, before files; each without regard to case.
    ///
    /// Links that lead nowhere are not listed, and links to folders are folders. A folder that isn't there has nothing in it.
    /// This can block.
    static func sorted(in path: [UInt8]) throws(ArchiveError) -> [String] {
        let entries: [(name: [UInt8], isFolder: Bool)]
        do throws(ArchiveError) {
            entries = try Folder(path: path).resolvedNames()
        } catch {
            // Whoever asks may not know yet that it was removed.
            if error.isMissing { return [] }
            throw error
        }
        return entries.map { entry in
            let text = FileNameText.text(for: entry.name) + (entry.isFolder ? "/" : "")
            return (isFolder: entry.isFolder, key: Array(text.lowercased().unicodeScalars), text: text)
        }
        .sorted { one, other in
            if one.isFolder != other.isFolder { return one.isFolder }
            if one.key != other.key { return one.key.lexicographicallyPrecedes(other.key) }
            return one.text.unicodeScalars.lexicographicallyPrecedes(other.text.unicodeScalars)
        }
        .map(\.text)
    }
}
