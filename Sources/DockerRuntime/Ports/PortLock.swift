import Foundation

/// The right to use a port of this machine, which one runtime at a time has, in whatever process.
///
/// A lock on a file (flock(2)), so it ends with the process, however that ends. The files are those of the reference
/// (`openhands/runtime/utils/port_lock.py`): its runtimes and ours respect each other.
final class PortLock: Sendable {
    /// Why there is no lock.
    enum Failure: Error, Hashable {
        /// Somebody has it.
        case isTaken
        /// The file can't be made.
        case system(path: String, code: Int32)
    }

    /// The port.
    let port: Int
    private let path: String
    private let descriptor: Int32

    /// Where the reference keeps its files.
    static var standardDirectory: String {
        FileManager.default.temporaryDirectory.appendingPathComponent("openhands_port_locks").path
    }

    /// Takes the lock of a port, or fails at once.
    init(port: Int, directory: String) throws(Failure) {
        let path = "\(directory)/port_\(port).lock"
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
                self.port = port
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
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

    /// Makes the directory for the lock files, for all users.
    static func makeDirectory(_ path: String) throws(Failure) {
        guard mkdir(path, 0o777) == 0 else {
            guard errno == EEXIST else { throw .system(path: path, code: errno) }
            return
        }
        // The process's mask may have taken rights away that other users need; sticky, so that they can't remove files.
        chmod(path, 0o1777)
    }
}
