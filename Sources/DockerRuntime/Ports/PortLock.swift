import Foundation

/// The right to use a port of this machine, which one runtime at a time has, in whatever process.
///
/// The files are those of the reference (`openhands/runtime/utils/port_lock.py`): its runtimes and ours respect each other.
final class PortLock: Sendable {
    /// Why there is no lock.
    typealias Failure = FileLock.Failure

    /// The port.
    let port: Int
    private let lock: FileLock

    /// Where the reference keeps its files.
    static var standardDirectory: String {
        FileManager.default.temporaryDirectory.appendingPathComponent("openhands_port_locks").path
    }

    /// Takes the lock of a port, or fails at once.
    init(port: Int, directory: String) throws(Failure) {
        self.port = port
        lock = try FileLock(path: "\(directory)/port_\(port).lock")
    }
}
