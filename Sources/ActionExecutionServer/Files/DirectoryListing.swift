import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What is in a directory, two levels deep and without what is hidden, as the reference's editor shows it.
///
/// Symbolic links are followed, but not into a directory that they are in. What can't be looked into is shown all the same.
struct DirectoryListing {
    /// The paths up to this number of characters, as many as the reference shows.
    static let characterLimit = EditorText.characterLimit

    private struct Entry {
        var path: SystemPath
        var isDirectory: Bool
    }

    private let path: SystemPath
    private var entries: [Entry] = []
    /// How many names in the directory itself are hidden.
    private var hiddenCount = 0

    /// It can block: call it by `offload`.
    init(_ path: SystemPath) throws(FileAccess.Failure) {
        self.path = path
        let root = try FileAccess.status(of: path)
        add(Entry(path: path, isDirectory: true))
        try Self.forEachName(in: path) { name in
            if name.first == UInt8(ascii: ".") {
                hiddenCount += 1
                return
            }
            let entry = path.appending(SystemPath(bytes: name))
            let status = try? FileAccess.status(of: entry)
            let isDirectory = status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
            add(Entry(path: entry, isDirectory: isDirectory))
            let isLoop = status.map { $0.st_dev == root.st_dev && $0.st_ino == root.st_ino } ?? false
            if isDirectory, !isLoop { addContents(of: entry) }
        }
        prune()
    }

    /// What the agent reads.
    var text: String {
        var paths: [UInt8] = []
        for entry in entries { paths += entry.path.listed + [UInt8(ascii: "\n")] }
        var lines = paths
        if let end = UTF8Text.end(ofCharacters: Self.characterLimit, in: paths) {
            lines = paths[..<end] + Array(Self.notice.utf8)
        } else {
            lines.removeLast()
        }
        // Only now, as the reference does: the limit is one of the paths without this.
        var shown: [UInt8] = []
        for (index, line) in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if index > 0 { shown.append(UInt8(ascii: "\n")) }
            shown += line
            if index < entries.count, entries[index].isDirectory, line.count == entries[index].path.listed.count {
                if shown != [UInt8(ascii: "/")] { shown.append(UInt8(ascii: "/")) }
            }
        }
        let head = "Here's the files and directories up to 2 levels deep in \(path), excluding hidden items:\n"
        let tail =
            "\n\n\(hiddenCount) hidden files/directories in this directory are excluded."
            + " You can use 'ls -la \(path)' to see them."
        return head + WireText.text(of: shown) + (hiddenCount > 0 ? tail : "")
    }

    private static let notice =
        "<response clipped><NOTE>Due to the max output limit, only part of this directory has been shown to you. You should"
        + " use `ls -la` instead to view large directories incrementally.</NOTE>"

    private mutating func addContents(of directory: SystemPath) {
        try? Self.forEachName(in: directory) { name in
            if name.first == UInt8(ascii: ".") { return }
            let path = directory.appending(SystemPath(bytes: name))
            let status = try? FileAccess.status(of: path)
            add(Entry(path: path, isDirectory: status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false))
        }
    }

    /// More paths than fit into the text are not kept, whatever the directory holds.
    private mutating func add(_ entry: Entry) {
        entries.append(entry)
        if entries.count >= 2 * Self.characterLimit { prune() }
    }

    private mutating func prune() {
        entries.sort { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
        entries.removeLast(max(0, entries.count - Self.characterLimit))
    }

    private static func forEachName(
        in directory: SystemPath,
        _ body: ([UInt8]) -> Void
    ) throws(FileAccess.Failure) {
        guard let stream = directory.withCString({ opendir($0) }) else {
            throw .system(SystemError("list \(directory)"))
        }
        defer { _ = closedir(stream) }
        while let entry = readdir(stream) {
            let capacity = MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: capacity) {
                    UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:))
                }
            }
            if name != Array(".".utf8), name != Array("..".utf8) { body(name) }
        }
    }
}

extension SystemPath {
    /// The path as a line of a list: in UTF-8, with lone surrogates for bytes that aren't, and on one line.
    fileprivate var listed: [UInt8] {
        WireText.bytes(of: description).map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: "?") : $0 }
    }
}
