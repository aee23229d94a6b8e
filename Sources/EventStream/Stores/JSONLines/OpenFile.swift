#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that is open as long as somebody holds it.
final class OpenFile: Sendable {
    /// What to open a file for.
    enum Mode {
        /// Reading a file that is there.
        case reading
        /// Reading and writing a file that is there or is made.
        case writing
        /// Writing a file that isn't there.
        case creating
    }

    let path: String
    private let descriptor: Int32

    init(_ path: String, _ mode: Mode) throws(EventStoreError) {
        let (flags, operation) =
            switch mode {
            case .reading: (O_RDONLY, "open")
            case .writing: (O_RDWR | O_CREAT, "open")
            case .creating: (O_RDWR | O_CREAT | O_EXCL, "create")
            }
        var descriptor: Int32
        repeat {
            descriptor = open(path, flags | O_CLOEXEC, 0o600)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw .system(errno, operation, path) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Everything that must be on disk was checked before; there's nobody to tell of an error here.
        close(descriptor)
    }

    /// How many bytes the file has.
    func size() throws(EventStoreError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno, "look at", path) }
        return Int(status.st_size)
    }

    /// Reads into memory, until it is full or the file ends.
    ///
    /// - Returns: How many bytes were read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(EventStoreError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor,
                buffer.baseAddress.map { $0 + done },
                buffer.count - done,
                off_t(offset + done)
            )
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, "read", path)
            }
            done += count
        }
        return done
    }

    /// Reads bytes; fewer where the file ends before.
    func read(_ range: Range<Int>) throws(EventStoreError) -> [UInt8] {
        let result = Result { () throws(EventStoreError) in
            var failure: EventStoreError?
            let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
                do throws(EventStoreError) {
                    count = try read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
                } catch {
                    failure = error
                    count = 0
                }
            }
            if let failure { throw failure }
            return bytes
        }
        return try result.get()
    }

    /// Writes all bytes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(EventStoreError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor,
                bytes.baseAddress.map { $0 + done },
                bytes.count - done,
                off_t(offset + done)
            )
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, "append to", path)
            }
            done += count
        }
    }

    /// Writes all bytes.
    func write(_ bytes: [UInt8], at offset: Int) throws(EventStoreError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(EventStoreError) in try write(buffer, at: offset) }
        }
        try result.get()
    }

    /// Cuts the file off.
    func truncate(to size: Int) throws(EventStoreError) {
        var result: Int32
        repeat {
            result = ftruncate(descriptor, off_t(size))
        } while result != 0 && errno == EINTR
        guard result == 0 else { throw .system(errno, "cut off", path) }
    }

    /// Waits until the file's data is on the disk.
    func synchronize() throws(EventStoreError) {
        #if canImport(Darwin)
        // fsync hands the data to the drive and doesn't wait for it to be safe there; see fcntl(2).
        guard fcntl(descriptor, F_FULLFSYNC) != -1 else { throw .system(errno, "synchronize", path) }
        #else
        guard fdatasync(descriptor) == 0 else { throw .system(errno, "synchronize", path) }
        #endif
    }

    /// Takes the file's lock for the whole process; `false` when somebody has it.
    ///
    /// The lock ends with the file's closing, and so with the process at the latest. See flock(2).
    func tryLock() throws(EventStoreError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw .system(errno, "lock", path)
            }
        }
        return true
    }

    /// Gives the file's lock back.
    ///
    /// Closing the file does that too, but not while a process that was just forked still has the descriptor, before it runs another program.
    func unlock() {
        // Nothing that could be wrong here is left for the caller to do.
        flock(descriptor, LOCK_UN)
    }
}

extension OpenFile {
    /// Reads a whole file.
    static func bytes(of path: String) throws(EventStoreError) -> [UInt8] {
        let file = try OpenFile(path, .reading)
        return try file.read(0..<(try file.size()))
    }
}

extension EventStoreError {
    /// The error for a call that the system refused.
    static func system(_ number: Int32, _ operation: String, _ path: String) -> EventStoreError {
        switch number {
        case ENOSPC, EDQUOT, EFBIG: .diskFull(path: path, operation: operation)
        case EROFS: .readOnlyFileSystem(path: path, operation: operation)
        case EACCES, EPERM: .permissionDenied(path: path, operation: operation)
        default: .system(path: path, operation: operation, errno: number)
        }
    }
}
