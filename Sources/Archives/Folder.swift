#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An open folder, whose content is reached by single names: no symbolic link in it is ever followed, whoever puts one
/// there and whenever.
///
/// Every method can block.
package struct Folder: Sendable {
    package let descriptor: Descriptor

    /// Where it was opened, for messages.
    package var path: [UInt8] { descriptor.path }

    /// Opens a folder by its path, following links: who names the path means where it leads.
    package init(path: [UInt8]) throws(ArchiveError) {
        guard !path.contains(0) else { throw .failed(to: "use the path", path, code: EINVAL) }
        let number = open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .failed(to: "open the folder", path) }
        descriptor = Descriptor(number, path: path)
    }

    private init(descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    // MARK: Looking

    /// Opens a folder in it.
    func folder(_ name: [UInt8]) throws(ArchiveError) -> Folder {
        let path = path(of: name)
        let number = openat(descriptor.number, name.cString, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { throw .failed(to: "open the folder", path) }
        return Folder(descriptor: Descriptor(number, path: path))
    }

    /// Opens a file in it for reading.
    func file(_ name: [UInt8]) throws(ArchiveError) -> Descriptor {
        let path = path(of: name)
        // Not to hang on a pipe that nobody writes to.
        let number = openat(descriptor.number, name.cString, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { throw .failed(to: "open", path) }
        return Descriptor(number, path: path)
    }

    /// What the system tells of something in it; nil when there is nothing of that name.
    func status(of name: [UInt8]) throws(ArchiveError) -> FileStatus? {
        var status = stat()
        if fstatat(descriptor.number, name.cString, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileStatus(status) }
        if errno == ENOENT { return nil }
        throw .failed(to: "look at", path(of: name))
    }

    /// What a symbolic link in it leads to.
    func linkTarget(_ name: [UInt8]) throws(ArchiveError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = buffer.withUnsafeMutableBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                $0.baseAddress.map { readlinkat(descriptor.number, name.cString, $0, buffer.count) } ?? -1
            }
        }
        guard count >= 0 else { throw .failed(to: "read the link", path(of: name)) }
        return Array(buffer[..<count])
    }

    /// The names of all that is in it, sorted by their bytes, so that the same content gives the same archive.
    func names() throws(ArchiveError) -> [[UInt8]] {
        // A descriptor of its own, since reading moves its position.
        let number = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0, let stream = fdopendir(number) else {
            let error = ArchiveError.failed(to: "list", path)
            if number >= 0 { _ = close(number) }
            throw error
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        guard errno == 0 else { throw .failed(to: "list", path) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The names of all that is in it, and whether each is a folder or a link to one; without links that lead nowhere.
    package func resolvedNames() throws(ArchiveError) -> [(name: [UInt8], isFolder: Bool)] {
        try names().compactMap { name in
            var status = stat()
            guard fstatat(descriptor.number, name.cString, &status, 0) == 0 else { return nil }
            return (name, status.st_mode & S_IFMT == S_IFDIR)
        }
    }

    // MARK: Changing

    /// Makes a file that isn't there yet, readable by nobody else.
    func makeFile(_ name: [UInt8]) throws(ArchiveError) -> Descriptor {
        let path = path(of: name)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let number = openat(descriptor.number, name.cString, flags, 0o600)
        guard number >= 0 else { throw .failed(to: "create", path) }
        return Descriptor(number, path: path)
    }

    /// Makes a folder.
    ///
    /// - Returns: whether it is new; false when there is something of that name.
    func makeFolder(_ name: [UInt8], permissions: UInt16) throws(ArchiveError) -> Bool {
        if mkdirat(descriptor.number, name.cString, mode_t(permissions)) == 0 { return true }
        if errno == EEXIST { return false }
        throw .failed(to: "make the folder", path(of: name))
    }

    /// Makes a symbolic link that isn't there yet.
    func makeLink(_ name: [UInt8], to target: [UInt8], owner: FileOwner? = nil) throws(ArchiveError) {
        guard symlinkat(target.cString, descriptor.number, name.cString) == 0 else {
            throw .failed(to: "make the link", path(of: name))
        }
        guard let owner else { return }
        guard fchownat(descriptor.number, name.cString, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw .failed(to: "give away", path(of: name))
        }
    }

    /// Moves something into another folder of the same file system, in place of what has that name there.
    func move(_ name: [UInt8], to folder: Folder, as newName: [UInt8]) throws(ArchiveError) {
        let result = renameat(descriptor.number, name.cString, folder.descriptor.number, newName.cString)
        guard result == 0 else { throw .failed(to: "put in place", folder.path(of: newName)) }
    }

    /// Removes a file or a link, as far as it is there.
    func removeFile(_ name: [UInt8]) {
        _ = unlinkat(descriptor.number, name.cString, 0)
    }

    /// Removes an empty folder, as far as it is there.
    func removeFolder(_ name: [UInt8]) {
        _ = unlinkat(descriptor.number, name.cString, AT_REMOVEDIR)
    }

    /// Removes something and all that is in it, as far as the system allows.
    func removeTree(_ name: [UInt8]) {
        if unlinkat(descriptor.number, name.cString, 0) == 0 { return }
        if let folder = try? folder(name) {
            for name in (try? folder.names()) ?? [] { folder.removeTree(name) }
        }
        removeFolder(name)
    }

    /// The path of something in it, for messages.
    func path(of name: [UInt8]) -> [UInt8] {
        if path.isEmpty { return name }
        return path.last == UInt8(ascii: "/") ? path + name : path + [UInt8(ascii: "/")] + name
    }
}
