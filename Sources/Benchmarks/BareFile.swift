import Foundation

/// A file and the system's calls, without anything of ours: what the store's figures are divided by.
final class BareFile {
    private let descriptor: Int32

    init(creating path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        if descriptor < 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    init(reading path: String) throws {
        descriptor = open(path, O_RDONLY)
        if descriptor < 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit {
        close(descriptor)
    }

    func append(_ bytes: [UInt8]) throws {
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw POSIXError(.init(rawValue: errno) ?? .EIO)
        }
    }

    func synchronize() throws {
        #if canImport(Darwin)
        let result = fcntl(descriptor, F_FULLFSYNC)
        #else
        let result = fdatasync(descriptor)
        #endif
        if result == -1 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    var size: Int {
        get throws {
            var status = stat()
            if fstat(descriptor, &status) != 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            return Int(status.st_size)
        }
    }

    /// Reads from an offset on, until the memory is full or the file ends; returns how many bytes that were.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        let count = pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
        if count < 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return count
    }
}
