#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Moves what is in one folder into another: folders are merged, files replace files, and nothing goes through a link.
struct Placement {
    var owner: FileOwner?

    /// Looks for what would be in the way.
    func check(_ source: Folder, to destination: Folder) throws(ArchiveError) {
        for name in try source.names() {
            guard let new = try source.status(of: name), let old = try destination.status(of: name) else { continue }
            let path = printable(destination.path(of: name))
            switch (new.kind, old.kind) {
            case (.folder, .folder):
                try check(source.folder(name), to: destination.folder(name))
            case (.folder, .symbolicLink):
                throw .conflict(path: path, reason: "is a symbolic link, through which nothing is written")
            case (.folder, _):
                throw .conflict(path: path, reason: "is there and no folder, so nothing can go into it")
            case (_, .folder):
                throw .conflict(path: path, reason: "is a folder, which no file replaces")
            default: break
            }
        }
    }

    /// Moves everything.
    func move(_ source: Folder, to destination: Folder) throws(ArchiveError) {
        for name in try source.names() {
            guard let new = try source.status(of: name) else { continue }
            let old = try destination.status(of: name)
            if new.kind == .folder, old?.kind == .folder {
                try move(source.folder(name), to: destination.folder(name))
                continue
            }
            // A file stays whose it was, so that who works on it can go on.
            if owner == nil, new.kind == .file, let old, old.kind == .file, old.owner != new.owner {
                try? source.file(name).setOwner(old.owner)
            }
            do throws(ArchiveError) {
                try source.move(name, to: destination, as: name)
            } catch .system(_, _, EXDEV) {
                try copy(name, new, from: source, to: destination)
            }
        }
    }

    /// Where a folder of the destination is a file system of its own: a copy beside its place, which is then moved there.
    private func copy(
        _ name: [UInt8],
        _ status: FileStatus,
        from source: Folder,
        to destination: Folder
    ) throws(ArchiveError) {
        if status.kind == .folder {
            _ = try destination.makeFolder(name, permissions: status.permissions)
            let folder = try destination.folder(name)
            if let owner { try folder.descriptor.setOwner(owner) }
            try move(source.folder(name), to: folder)
            return
        }
        let temporary = Array(".transfer-\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8)
        do throws(ArchiveError) {
            if status.kind == .symbolicLink {
                try destination.makeLink(temporary, to: source.linkTarget(name), owner: owner)
            } else {
                let (from, to) = (try source.file(name), try destination.makeFile(temporary))
                while case let piece = try from.read(atMost: 256 << 10), !piece.isEmpty { try to.write(piece) }
                try to.setOwner(status.owner)
                try to.setPermissions(status.permissions)
                to.setModificationTime(status.modificationTime)
            }
            try destination.move(temporary, to: destination, as: name)
        } catch {
            destination.removeFile(temporary)
            throw error
        }
    }
}
