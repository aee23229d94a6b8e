#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How an archive is unpacked.
package struct UnpackingOptions: Sendable, Hashable {
    /// What becomes of symbolic links that lead out of the target.
    package enum LinkPolicy: Sendable, Hashable { case refuseEscaping, leaveOutEscaping }

    /// What the archive must hold, for one that was asked for.
    package enum Expectation: Sendable, Hashable {
        case anything
        case something
        /// A single file of that name.
        case file([UInt8])
    }

    package var limits: ArchiveLimits
    package var links: LinkPolicy
    /// Gets what is unpacked; nil leaves it with the process's user.
    package var owner: FileOwner?
    /// A folder that all goes into, as if every name began with it; nil for none.
    package var prefix: [UInt8]?
    package var expectation: Expectation

    package init(
        limits: ArchiveLimits = ArchiveLimits(),
        links: LinkPolicy = .refuseEscaping,
        owner: FileOwner? = nil,
        prefix: [UInt8]? = nil,
        expectation: Expectation = .anything
    ) {
        self.limits = limits
        self.links = links
        self.owner = owner
        self.prefix = prefix
        self.expectation = expectation
    }
}

/// Unpacks an archive into an empty folder, which it never leaves.
///
/// Every method can block.
struct Unpacking {
    private struct MadeFolder {
        var entry: ZipEntry
        var permissions: UInt16?
        var modificationTime: Int64?
    }

    /// What was left out, and why: a line each.
    private(set) var leftOut: [String] = []

    private let root: Folder
    private let options: UnpackingOptions
    /// The folders that the archive has entries for; the others exist since something is in them.
    private var folders: [[[UInt8]]: MadeFolder] = [:]
    /// The folder that was used last, since entries of one follow each other.
    private var current: (names: ArraySlice<[UInt8]>, folder: Folder)?

    /// - Parameter folder: the new folder to unpack into, which nobody else writes to.
    init(into folder: Folder, options: UnpackingOptions) throws(ArchiveError) {
        self.options = options
        guard let prefix = options.prefix else {
            root = folder
            return
        }
        try EntryPath.checkName(prefix)
        _ = try folder.makeFolder(prefix, permissions: 0o755)
        root = try folder.folder(prefix)
        if let owner = options.owner { try root.descriptor.setOwner(owner) }
    }

    mutating func unpack(_ reader: ZipReader) throws(ArchiveError) {
        try reader.forEachEntry { entry throws(ArchiveError) in
            switch entry.kind {
            case .folder: try unpackFolder(entry)
            case .file: try unpackFile(entry, from: reader)
            case .symbolicLink: try unpackLink(entry, from: reader)
            }
        }
        // At the end, since what is put into a folder changes its time.
        for (names, made) in folders {
            let folder = try folder(names[...], for: made.entry).descriptor
            try folder.setPermissions((made.permissions ?? 0o755) & 0o755 | 0o700)
            if let time = made.modificationTime { folder.setModificationTime(time) }
        }
    }

    // MARK: Entries

    private mutating func unpackFolder(_ entry: ZipEntry) throws(ArchiveError) {
        let names = entry.path.names
        guard folders[names] == nil else { throw refusal(entry, "it appears twice") }
        _ = try folder(names[...], for: entry)
        guard !names.isEmpty else { return }
        folders[names] = MadeFolder(
            entry: entry,
            permissions: entry.permissions,
            modificationTime: entry.modificationTime
        )
    }

    private mutating func unpackFile(_ entry: ZipEntry, from reader: ZipReader) throws(ArchiveError) {
        let (folder, name) = try place(of: entry)
        let file: Descriptor
        do throws(ArchiveError) {
            file = try folder.makeFile(name)
        } catch {
            throw try explanation(error, entry, name, in: folder)
        }
        try reader.read(entry) { piece throws(ArchiveError) in
            // There may be much to come.
            if Task.isCancelled { throw .cancelled }
            try file.write(piece)
        }
        if let owner = options.owner { try file.setOwner(owner) }
        // Nobody else may write, and nothing runs with another's rights, whatever the archive says.
        try file.setPermissions((entry.permissions ?? 0o644) & 0o755 | 0o400)
        if let time = entry.modificationTime { file.setModificationTime(time) }
    }

    private mutating func unpackLink(_ entry: ZipEntry, from reader: ZipReader) throws(ArchiveError) {
        var target: [UInt8] = []
        try reader.read(entry) { piece throws(ArchiveError) in target += piece }
        guard entry.path.keepsInside(linkTarget: target) else {
            let reason = "is a symbolic link that leads out of the folder, to \(printable(target))"
            guard options.links == .leaveOutEscaping else { throw refusal(entry, "it \(reason)") }
            leftOut.append("\(entry.shownName) \(reason)")
            return
        }
        let (folder, name) = try place(of: entry)
        do throws(ArchiveError) {
            try folder.makeLink(name, to: target, owner: options.owner)
        } catch {
            throw try explanation(error, entry, name, in: folder)
        }
    }

    // MARK: Places

    /// The folder that an entry goes into, and its name there.
    private mutating func place(of entry: ZipEntry) throws(ArchiveError) -> (Folder, [UInt8]) {
        guard let name = entry.path.names.last else { throw refusal(entry, "it has no name") }
        return (try folder(entry.path.names.dropLast(), for: entry), name)
    }

    /// Opens a folder, and makes those that are missing.
    ///
    /// One name after the other, so that no link is followed, whatever entries came before.
    private mutating func folder(_ names: ArraySlice<[UInt8]>, for entry: ZipEntry) throws(ArchiveError) -> Folder {
        var (folder, rest) = (root, names)
        if let current, names.starts(with: current.names) {
            (folder, rest) = (current.folder, names.dropFirst(current.names.count))
        }
        for name in rest {
            do throws(ArchiveError) {
                let isNew = try folder.makeFolder(name, permissions: 0o755)
                let next = try folder.folder(name)
                if isNew, let owner = options.owner { try next.descriptor.setOwner(owner) }
                folder = next
            } catch {
                throw try explanation(error, entry, name, in: folder)
            }
        }
        current = (names, folder)
        return folder
    }

    /// What an error says of the archive, when it comes from what an entry before made.
    private func explanation(
        _ error: ArchiveError,
        _ entry: ZipEntry,
        _ name: [UInt8],
        in folder: Folder
    ) throws(ArchiveError) -> ArchiveError {
        guard case .system(_, _, let code) = error, [EEXIST, ENOTDIR, ELOOP].contains(code),
            let found = try folder.status(of: name)
        else { return error }
        let isItself = entry.kind != .folder && entry.path.names.last == name
        switch found.kind {
        case .symbolicLink where code != EEXIST:
            return refusal(entry, "it leads through the symbolic link \(printable(name))")
        case .folder where isItself: return refusal(entry, "it is both a folder and a file")
        case .folder: return error
        default:
            return refusal(
                entry,
                code == EEXIST ? "it appears twice" : "\(printable(name)) is both a file and a folder"
            )
        }
    }

    private func refusal(_ entry: ZipEntry, _ reason: String) -> ArchiveError {
        .refused(entry: entry.shownName, reason: reason)
    }
}
