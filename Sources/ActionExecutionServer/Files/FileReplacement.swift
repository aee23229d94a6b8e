import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Puts new content in the place of a file's, or makes the file.
///
/// The new content is written beside the file and moved into its place, so that no reader sees a part of it and a full disk
/// leaves the old content. Mode and owner stay; a symbolic link stays one, and what it leads to is replaced.
///
/// A file that a new one couldn't stand for is written where it is: one that has other names, or attributes, or an owner that
/// can't be given to a new file; one that is a mount of its own, as `/etc/hosts` is in a container; one in a directory that takes no
/// new files. Room is made first then, so that a full disk leaves the old content too.
struct FileReplacement {
    /// What a file is made with that isn't there yet.
    enum Creation {
        /// The mode that the process gives to new files.
        case inDirectory
        /// A mode, and the directories above it where they are missing.
        case withDirectories(mode: mode_t)
    }

    private let path: SystemPath
    /// What the path leads to when it is a symbolic link.
    private let target: SystemPath
    /// nil when there is no file yet.
    private let existing: stat?

    /// Every part of it can block: call it by `offload`.
    static func replace(
        _ path: SystemPath,
        with bytes: [UInt8],
        creation: Creation
    ) throws(FileAccess.Failure) {
        let replacement = try FileReplacement(path)
        if replacement.existing == nil, case .withDirectories = creation {
            try FileAccess.makeDirectory(replacement.target.parent)
        }
        do throws(SystemError) {
            try replacement.write(bytes, creation)
        } catch {
            throw .system(error)
        }
    }

    private init(_ path: SystemPath) throws(FileAccess.Failure) {
        self.path = path
        target = Self.resolvingLinks(path)
        do throws(FileAccess.Failure) {
            existing = try FileAccess.status(of: path)
        } catch {
            guard case .system(let cause) = error, cause.code == ENOENT else { throw error }
            existing = nil
            return
        }
        if let existing { try FileAccess.requireRegular(existing) }
        // Moving a file away takes no right to write to it; who made it read-only wants it to stay.
        guard path.withCString({ access($0, W_OK) }) == 0 else { throw .system(SystemError("write to \(path)")) }
    }

    private func write(_ bytes: [UInt8], _ creation: Creation) throws(SystemError) {
        guard canBeMovedOver else { return try overwrite(bytes) }
        var mode = existing.map { $0.st_mode & 0o7777 }
        if existing == nil, case .withDirectories(let given) = creation { mode = given }
        let temporary = temporaryPath()
        // The mode of an existing file is set at the end: nobody who may not read it reads its new content before.
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = temporary.withCString { open($0, flags, existing == nil ? 0o666 : 0o600) }
        guard descriptor >= 0 else {
            let error = SystemError("write in the directory of \(path)")
            // Some file systems of the kernel say that a new file can't exist.
            guard existing != nil, [EACCES, EPERM, EROFS, ENOENT].contains(error.code) else { throw error }
            return try overwrite(bytes)
        }
        defer { _ = close(descriptor) }
        do throws(SystemError) {
            try writeAll(descriptor, bytes, path: path.description)
            if let existing, fchown(descriptor, existing.st_uid, existing.st_gid) != 0 {
                throw SystemError("give \(path) its owner")
            }
            // After the owner, whose change takes set-id bits away.
            if let mode, fchmod(descriptor, mode) != 0 { throw SystemError("set the mode of \(path)") }
            guard Self.synchronize(descriptor) == 0 else { throw SystemError("write \(path)") }
            let moved = temporary.withCString { from in target.withCString { rename(from, $0) } }
            guard moved == 0 else { throw SystemError("replace \(path)") }
        } catch {
            _ = temporary.withCString { unlink($0) }
            guard existing != nil, [EBUSY, EXDEV, EPERM, EACCES].contains(error.code) else { throw error }
            return try overwrite(bytes)
        }
    }

    /// Whether a new file would be the same but for its content.
    private var canBeMovedOver: Bool {
        guard let existing else { return true }
        if existing.st_nlink > 1 { return false }
        let descriptor = target.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return !platform_has_attributes(descriptor)
    }

    /// Writes the content where it is: first what the file grows by, which is what the disk may have no room for.
    private func overwrite(_ bytes: [UInt8]) throws(SystemError) {
        let descriptor = target.withCString { open($0, O_WRONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw SystemError("write to \(path)") }
        defer { _ = close(descriptor) }
        let size = existing.map { Int($0.st_size) } ?? 0
        if bytes.count > size {
            do throws(SystemError) {
                try write(bytes[size...], to: descriptor, at: size)
            } catch {
                _ = ftruncate(descriptor, off_t(size))
                throw error
            }
        }
        if size > 0 { try write(bytes.prefix(size), to: descriptor, at: 0) }
        if size > bytes.count, ftruncate(descriptor, off_t(bytes.count)) != 0 {
            throw SystemError("cut \(path) to its new size")
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, at offset: Int) throws(SystemError) {
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemError("write \(path)") }
        try writeAll(descriptor, Array(bytes), path: path.description)
        // Files of /proc can't be synchronised.
        guard Self.synchronize(descriptor) == 0 || errno == EINVAL else { throw SystemError("write \(path)") }
    }

    /// Waits until the content is on the disk: a name must not lead to content that a power failure can still take.
    private static func synchronize(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
        fsync(descriptor)
        #else
        fdatasync(descriptor)
        #endif
    }

    // MARK: Paths

    private func temporaryPath() -> SystemPath {
        let number = UInt64.random(in: .min ... .max)
        return target.parent.appending(SystemPath(".write-\(String(number, radix: 36))"))
    }

    /// The path that a symbolic link leads to, also when nothing is there yet.
    private static func resolvingLinks(_ path: SystemPath) -> SystemPath {
        var path = path
        // As many as the system follows.
        for _ in 0..<40 {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = path.withCString { readlink($0, &buffer, buffer.count) }
            guard count > 0 else { return path }
            let target = SystemPath(bytes: buffer[..<count].map(UInt8.init(bitPattern:)))
            path = path.parent.appending(target)
        }
        return path
    }
}
