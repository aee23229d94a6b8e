import Foundation

/// A lock that one holder at a time has, in whatever process: a lock on a file (flock(2)), so that it ends with the
/// process, however that ends.
///
/// Tasks of one process exclude each other too, since each opens the file anew.
final class FileLock: Sendable {
    /// Why there is no lock.
    enum Failure: Error, Hashable {
        /// Somebody has it.
        case isTaken
        /// The file can't be made.
        case system(path: String, code: Int32)
    }

    private let path: String
    private let descriptor: Int32

    /// Takes the lock, or fails at once.
    init(path: String) throws(Failure) {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            // Another user's file is another user's lock.
            guard descriptor >= 0 else { throw errno == EACCES ? .isTaken : .system(path: path, code: errno) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(descriptor)
                throw code == EWOULDBLOCK ? .isTaken : .system(path: path, code: code)
            }
            // Who had it may have removed the file between our open and our lock; the next one would not see ours.
            if Self.isSame(descriptor, path) {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    /// Takes the lock when it is free.
    ///
    /// Nobody tells when that is, so it is tried again and again.
    ///
    /// - Parameter onWait: called once when it isn't free.
    /// - Throws: ``Failure/system(path:code:)``, `CancellationError`.
    static func waiting(path: String, onWait: () -> Void) async throws -> FileLock {
        if let lock = try ifFree(path: path) { return lock }
        onWait()
        while true {
            try await Task.sleep(for: .milliseconds(50))
            if let lock = try ifFree(path: path) { return lock }
        }
    }

    /// The lock; nil when somebody has it.
    private static func ifFree(path: String) throws(Failure) -> FileLock? {
        do {
            return try FileLock(path: path)
        } catch {
            if error == .isTaken { return nil }
            throw error
        }
    }

    deinit {
        // Before the lock is given back: afterwards the file may be somebody else's.
        unlink(path)
        close(descriptor)
    }

    /// Whether a path still leads to an open file.
    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev
            && opened.st_ino == named.st_ino
    }

    /// Makes a directory for lock files, for all users.
    static func makeDirectory(_ path: String) throws(Failure) {
        guard mkdir(path, 0o777) == 0 else {
            guard errno == EEXIST else { throw .system(path: path, code: errno) }
            return
        }
        // The process's mask may have taken rights away that other users need; sticky, so that they can't remove files.
        chmod(path, 0o1777)
    }
}
