#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reading whole files, and looking at what a path leads to.
///
/// Every function can block: call them by `offload`.
enum FileAccess {
    /// What can go wrong with a file, beyond what the system says.
    enum Failure: Error {
        case system(SystemError)
        case isDirectory
        case notRegular
        case tooLarge(size: Int, limit: Int)

        /// The file or a directory on its path doesn't exist.
        var isMissing: Bool {
            if case .system(let error) = self { return error.code == ENOENT || error.code == ENOTDIR }
            return false
        }
    }

    // MARK: Reading

    /// The bytes of a regular file.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try read(SystemPath(path), limit: limit)
    }

    static func read(_ path: SystemPath, limit: Int) throws(Failure) -> [UInt8] {
        try withRegularFile(path) { (descriptor, size) throws(Failure) in
            guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            try forEachChunk(of: descriptor, path) { chunk in
                bytes.append(contentsOf: chunk)
                return bytes.count <= limit
            }
            // Files of /proc say that they are empty, and a file can grow meanwhile.
            guard bytes.count <= limit else { throw .tooLarge(size: bytes.count, limit: limit) }
            return bytes
        }
    }

    /// The first bytes of a regular file.
    static func readBeginning(_ path: SystemPath, count: Int) throws(Failure) -> [UInt8] {
        try withRegularFile(path) { (descriptor, _) throws(Failure) in
            var bytes: [UInt8] = []
            try forEachChunk(of: descriptor, path) { chunk in
                bytes.append(contentsOf: chunk.prefix(count - bytes.count))
                return bytes.count < count
            }
            return bytes
        }
    }

    /// Calls a function with pieces of a regular file, one after the other, until it returns false.
    static func forEachChunk(_ path: SystemPath, _ body: (UnsafeRawBufferPointer) -> Bool) throws(Failure) {
        try withRegularFile(path) { (descriptor, _) throws(Failure) in try forEachChunk(of: descriptor, path, body) }
    }

    private static func forEachChunk(
        of descriptor: Int32,
        _ path: SystemPath,
        _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(Failure) {
        var failure: SystemError?
        withUnsafeTemporaryAllocation(byteCount: 256 * 1024, alignment: 1) { buffer in
            while true {
                let count = systemRead(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    guard body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
                } else if count == 0 {
                    return
                } else if errno != EINTR {
                    failure = SystemError("read \(path)")
                    return
                }
            }
        }
        if let failure { throw .system(failure) }
    }

    /// Calls a function with the descriptor and the size of a regular file.
    private static func withRegularFile<Result>(
        _ path: SystemPath,
        _ body: (Int32, Int) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // First looked at: to open a device can have effects already.
        try requireRegular(try status(of: path))
        // Not to hang on a pipe that has come there meanwhile.
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw .system(SystemError("open \(path)")) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(SystemError("look at \(path)")) }
        try requireRegular(status)
        return try body(descriptor, Int(status.st_size))
    }

    // MARK: Looking

    /// What a path leads to.
    static func status(of path: SystemPath) throws(Failure) -> stat {
        try check(path)
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { throw .system(SystemError("look at \(path)")) }
        return status
    }

    static func requireRegular(_ status: stat) throws(Failure) {
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isDirectory }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
    }

    /// A path ends at a zero byte for the system: what is behind it would be ignored.
    private static func check(_ path: SystemPath) throws(Failure) {
        if path.bytes.contains(0) { throw .system(SystemError("use a path with a zero byte", code: EINVAL)) }
    }

    // MARK: Directories

    /// Makes a directory and those above it, unless they are there.
    static func makeDirectory(_ directory: String) throws(Failure) {
        try makeDirectory(SystemPath(directory))
    }

    static func makeDirectory(_ directory: SystemPath) throws(Failure) {
        try check(directory)
        var status = stat()
        if directory.withCString({ stat($0, &status) }) == 0 { return }
        if directory.parent != directory { try makeDirectory(directory.parent) }
        guard directory.withCString({ mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
            throw .system(SystemError("make the directory \(directory)"))
        }
    }
}

/// `read` of the C library, which a function of the same name would hide.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
