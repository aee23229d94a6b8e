#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reading and replacing whole files.
///
/// Every function can block: call them by `offload`.
enum FileAccess {
    /// What can go wrong with a file, beyond what the system says.
    enum Failure: Error {
        case system(SystemError)
        case isDirectory
        case notRegular
        case tooLarge(limit: Int)

        /// The file or a directory on its path doesn't exist.
        var isMissing: Bool {
            if case .system(let error) = self { return error.code == ENOENT || error.code == ENOTDIR }
            return false
        }
    }

    /// The bytes of a regular file.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try check(path)
        // Not to hang on a pipe that nobody writes to.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(SystemError("open \(path)")) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(SystemError("look at \(path)")) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isDirectory }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_size <= limit else { throw .tooLarge(limit: limit) }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var failure: SystemError?
        withUnsafeTemporaryAllocation(byteCount: 256 * 1024, alignment: 1) { buffer in
            while bytes.count <= limit {
                let count = systemRead(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 {
                    return
                } else if errno != EINTR {
                    failure = SystemError("read \(path)")
                    return
                }
            }
        }
        if let failure { throw .system(failure) }
        // Files of /proc say that they are empty, and a file can grow meanwhile.
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        return bytes
    }

    /// Replaces a file's content, or makes the file and the directories above it.
    ///
    /// The new content is written beside the file and moved into its place, so that no reader sees a part of it and a
    /// full disk leaves the old content. Mode and owner stay; a symbolic link stays one, and what it leads to is replaced.
    ///
    /// Where nothing can be moved into the file's place (it is a mount of its own, as `/etc/hosts` is in a container, or
    /// its directory takes no new files) it is written where it is.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        try check(path)
        let target = resolvingLinks(path)
        var status = stat()
        let exists = stat(target, &status) == 0
        if exists {
            guard status.st_mode & S_IFMT != S_IFDIR else { throw .isDirectory }
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        } else {
            try makeDirectory(parent(of: target))
        }

        var template = Array("\(parent(of: target))/.write-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            let error = SystemError("write in the directory of \(path)")
            guard exists, [EACCES, EPERM, EROFS].contains(error.code) else { throw .system(error) }
            return try overwrite(target, with: bytes)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let temporary = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        do throws(SystemError) {
            try writeAll(descriptor, bytes, path: path)
            if exists { _ = fchown(descriptor, status.st_uid, status.st_gid) }
            // The mode after the owner, whose change takes set-id bits away. New files are as the reference makes them.
            guard fchmod(descriptor, exists ? status.st_mode & 0o7777 : 0o664) == 0 else {
                throw SystemError("set the mode of \(path)")
            }
            guard rename(temporary, target) == 0 else { throw SystemError("replace \(path)") }
        } catch {
            _ = close(descriptor)
            _ = unlink(temporary)
            guard exists, error.code == EBUSY || error.code == EXDEV else { throw .system(error) }
            return try overwrite(target, with: bytes)
        }
        _ = close(descriptor)
    }

    private static func overwrite(_ path: String, with bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) {
            try writeFile(path, bytes, mode: 0o664)
        } catch {
            throw .system(error)
        }
    }

    /// A path ends at a zero byte for the system: what is behind it would be ignored.
    private static func check(_ path: String) throws(Failure) {
        if path.utf8.contains(0) { throw .system(SystemError("use a path with a zero byte", code: EINVAL)) }
    }

    /// Makes a directory and those above it, unless they are there.
    static func makeDirectory(_ directory: String) throws(Failure) {
        var status = stat()
        if stat(directory, &status) == 0 { return }
        try makeDirectory(parent(of: directory))
        guard mkdir(directory, 0o777) == 0 || errno == EEXIST else {
            throw .system(SystemError("make the directory \(directory)"))
        }
    }

    /// The path that a symbolic link leads to, also when nothing is there yet.
    private static func resolvingLinks(_ path: String) -> String {
        var path = path
        // As many as the system follows.
        for _ in 0..<40 {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &buffer, buffer.count)
            guard count > 0 else { return path }
            let target = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
            path = target.hasPrefix("/") ? target : "\(parent(of: path))/\(target)"
        }
        return path
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// `read` of the C library, which a function of the same name would hide.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
