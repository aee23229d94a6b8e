#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// An open regular file that is read from start to end.
final class FileReader: Sendable {
    let path: String
    let size: Int
    let permissions: UInt16
    /// In seconds since 1970.
    let modificationTime: Int
    private let descriptor: Int32

    init(path: String) throws(TarArchive.Problem) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, systemErrorNumber: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .unreadable(path: path, systemErrorNumber: number)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .notAFile(path: path)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
        permissions = UInt16(status.st_mode & 0o7777)
        #if canImport(Darwin)
        modificationTime = status.st_mtimespec.tv_sec
        #else
        modificationTime = status.st_mtim.tv_sec
        #endif
    }

    deinit {
        close(descriptor)
    }

    /// Reads the next bytes, at most that many; none at the end.
    func read(_ count: Int) throws(TarArchive.Problem) -> [UInt8] {
        var number: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            repeat {
                #if canImport(Darwin)
                let result = Darwin.read(descriptor, buffer.baseAddress, count)
                #elseif canImport(Glibc)
                let result = Glibc.read(descriptor, buffer.baseAddress, count)
                #else
                let result = Musl.read(descriptor, buffer.baseAddress, count)
                #endif
                number = result < 0 ? errno : 0
                initialized = max(0, result)
            } while number == EINTR
        }
        guard number == 0 else { throw .unreadable(path: path, systemErrorNumber: number) }
        return bytes
    }
}
