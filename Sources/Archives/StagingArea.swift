#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A hidden folder in the one that things are to go into; what was made in it is put in place all at once, or removed.
///
/// Every method can block, and so does letting go.
struct StagingArea: ~Copyable {
    private struct MadeFolder {
        var parent: Folder
        var name: [UInt8]
    }

    /// Where things are made.
    let folder: Folder
    private let destination: Folder
    private let name: [UInt8]
    private let owner: FileOwner?
    /// Folders that were made to hold the destination, outermost first.
    private let madeFolders: [MadeFolder]
    private var isCommitted = false

    /// Makes the area, and the destination and the folders above it where they are missing.
    ///
    /// - Parameter owner: gets what is made; nil leaves it with the process's user.
    init(in path: [UInt8], owner: FileOwner?) throws(ArchiveError) {
        var made: [MadeFolder] = []
        do throws(ArchiveError) {
            (destination, folder, name) = try Self.make(in: path, owner: owner, made: &made)
        } catch {
            Self.remove(made)
            throw error
        }
        self.owner = owner
        madeFolders = made
    }

    deinit {
        destination.removeTree(name)
        guard !isCommitted else { return }
        Self.remove(madeFolders)
    }

    private static func remove(_ made: [MadeFolder]) {
        for folder in made.reversed() { folder.parent.removeFolder(folder.name) }
    }

    private static func make(
        in path: [UInt8],
        owner: FileOwner?,
        made: inout [MadeFolder]
    ) throws(ArchiveError) -> (destination: Folder, folder: Folder, name: [UInt8]) {
        let destination = try makeFolders(path, owner: owner, made: &made)
        let name = Array(".transfer-\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8)
        guard try destination.makeFolder(name, permissions: 0o700) else {
            throw .failed(to: "make the folder", destination.path(of: name), code: EEXIST)
        }
        do throws(ArchiveError) {
            return (destination, try destination.folder(name), name)
        } catch {
            destination.removeFolder(name)
            throw error
        }
    }

    private static func makeFolders(
        _ path: [UInt8],
        owner: FileOwner?,
        made: inout [MadeFolder]
    ) throws(ArchiveError) -> Folder {
        do throws(ArchiveError) {
            return try Folder(path: path)
        } catch .system(_, _, ENOENT) {
            // Made below.
        }
        let slash = UInt8(ascii: "/")
        var parts = path.split(separator: slash, omittingEmptySubsequences: true).map(Array.init)
        guard let last = parts.popLast(), last != Array("..".utf8), last != Array(".".utf8) else {
            throw .failed(to: "open the folder", path, code: ENOENT)
        }
        let above = (path.first == slash ? [slash] : []) + Array(parts.joined(separator: [slash]))
        let parent = try makeFolders(above.isEmpty ? Array(".".utf8) : above, owner: owner, made: &made)
        if try parent.makeFolder(last, permissions: 0o755) {
            made.append(MadeFolder(parent: parent, name: last))
            if let owner { try parent.folder(last).descriptor.setOwner(owner) }
        }
        return try Folder(path: path)
    }

    // MARK: Making

    /// Makes an empty file.
    func makeFile(_ name: [UInt8]) throws(ArchiveError) -> Descriptor {
        let file = try folder.makeFile(name)
        if let owner { try file.setOwner(owner) }
        return file
    }

    /// A file without a name, which is gone when it is closed.
    func makeUnnamedFile() throws(ArchiveError) -> Descriptor {
        let name = Array("archive".utf8)
        let file = try folder.makeFile(name)
        folder.removeFile(name)
        return file
    }

    /// The status of what now has a name that a staged file will get.
    func destinationStatus(of name: [UInt8]) throws(ArchiveError) -> FileStatus? {
        try destination.status(of: name)
    }

    // MARK: Putting in place

    /// Puts all that was made into the destination: folders are merged, files replace files.
    ///
    /// - Throws: ``ArchiveError``; before anything was moved, when something is in the way.
    mutating func commit() throws(ArchiveError) {
        let placement = Placement(owner: owner)
        try placement.check(folder, to: destination)
        // From here on what is there must stay.
        isCommitted = true
        try placement.move(folder, to: destination)
    }
}
