#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An open file or folder, closed when it is let go.
package final class Descriptor: Sendable {
    package let number: Int32
    /// What it was opened as, for messages.
    package let path: [UInt8]

    init(_ number: Int32, path: [UInt8]) {
        self.number = number
        self.path = path
    }

    deinit {
        _ = close(number)
    }

    /// What the system tells of it.
    package func status() throws(ArchiveError) -> FileStatus {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw .failed(to: "look at", path) }
        return FileStatus(status)
    }

    /// Reads the next bytes: fewer than asked for at the end, none behind it.
    package func read(atMost count: Int) throws(ArchiveError) -> [UInt8] {
        var failure: ArchiveError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = systemRead(number, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    break
                } else if errno != EINTR {
                    failure = .failed(to: "read", path)
                    break
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills a buffer from a position on.
    ///
    /// - Returns: the bytes that there are: fewer than fit at the end of the file.
    func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let offset = off_t(clamping: position + UInt64(filled))
            let got = pread(number, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, offset)
            if got > 0 {
                filled += got
            } else if got == 0 {
                break
            } else if errno != EINTR {
                throw .failed(to: "read", path)
            }
        }
        return filled
    }

    /// Writes all bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        var written = 0
        while written < bytes.count {
            let count = systemWrite(number, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw .failed(to: "write", path)
            }
        }
    }

    /// Writes all bytes.
    package func write(_ bytes: [UInt8]) throws(ArchiveError) {
        // Kept out of the closure, which can't throw a typed error.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ArchiveError) in try write(buffer) }
        }
        try result.get()
    }

    /// Sets the permissions, whatever the mask for new files.
    func setPermissions(_ permissions: UInt16) throws(ArchiveError) {
        guard fchmod(number, mode_t(permissions)) == 0 else { throw .failed(to: "set the permissions of", path) }
    }

    /// Sets the owner.
    func setOwner(_ owner: FileOwner) throws(ArchiveError) {
        guard fchown(number, owner.user, owner.group) == 0 else { throw .failed(to: "give away", path) }
    }

    /// Sets the time of the last change, in seconds since 1970.
    ///
    /// A file system that can't keep it keeps another.
    func setModificationTime(_ seconds: Int64) {
        let time = timespec(tv_sec: time_t(clamping: seconds), tv_nsec: 0)
        _ = futimens(number, [time, time])
    }
}

/// Who owns what is unpacked.
package struct FileOwner: Sendable, Hashable {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

/// What the system tells of a file.
package struct FileStatus: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case file
        case folder
        case symbolicLink
        /// A pipe, a socket or a device; its name in words.
        case special(String)
    }

    package var kind: Kind
    /// The lowest twelve bits of the mode.
    package var permissions: UInt16
    package var size: UInt64
    /// In seconds since 1970.
    package var modificationTime: Int64
    package var owner: FileOwner

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .symbolicLink
        case S_IFIFO: kind = .special("a named pipe")
        case S_IFSOCK: kind = .special("a socket")
        default: kind = .special("a device")
        }
        permissions = UInt16(status.st_mode & 0o7777)
        size = UInt64(clamping: status.st_size)
        #if canImport(Darwin)
        modificationTime = Int64(status.st_mtimespec.tv_sec)
        #else
        modificationTime = Int64(status.st_mtim.tv_sec)
        #endif
        owner = FileOwner(user: status.st_uid, group: status.st_gid)
    }
}

extension [UInt8] {
    /// For calls that take a string; a zero byte would end it early.
    var cString: [CChar] {
        [CChar](unsafeUninitializedCapacity: count + 1) { buffer, filled in
            for byte in self {
                buffer.initializeElement(at: filled, to: CChar(bitPattern: byte))
                filled += 1
            }
            buffer.initializeElement(at: filled, to: 0)
            filled += 1
        }
    }
}

func currentErrorNumber() -> Int32 {
    errno
}

func systemErrorText(_ code: Int32) -> String {
    String(cString: strerror(code))
}

/// `read` and `write` of the C library, which methods of the same names would hide.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}
