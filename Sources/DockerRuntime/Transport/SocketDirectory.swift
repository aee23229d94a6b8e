import ActionExecutionClient
import CurlHTTP
import DockerEngine
import Foundation
import Synchronization

/// A Unix socket can't be had for a sandbox.
struct SocketUnavailable: Error {
    var reason: String
}

/// A directory of this machine through which a sandbox's server is reached.
///
/// Only this user can enter it. The container mounts a directory within, where the server makes its socket; once it listens, the
/// socket is taken out of there, and the mounted directory is removed and made anew. So nobody in the container can remove or
/// replace the socket, connect to it, or write anything to this machine: what they see is a directory that is gone. A container that
/// is started again mounts the new one.
final class SocketDirectory: Sendable {
    /// Where the directory is mounted in containers.
    static let target = "/.action-execution-socket"
    private static let name = "server.sock"
    /// The server's socket in the container.
    static let serverPath = target + "/" + name

    /// The directory that only this user can enter.
    let path: String
    private let lock: DirectoryLock
    private let isRemoved = Mutex(false)

    /// What the server is reached by.
    var socketPath: String { path + "/" + Self.name }
    /// What the container mounts.
    var sharedPath: String { path + "/shared" }

    /// The mount of the container.
    var mount: Mount { Mount(kind: .bind, source: sharedPath, target: Self.target, isReadOnly: false) }

    /// Makes a directory.
    ///
    /// - Parameter base: where; nil for the system's temporary directory.
    /// - Throws: ``SocketUnavailable``.
    convenience init(base: String?) throws(SocketUnavailable) {
        let parent = try Self.parent(base)
        // Held while there may be a directory without its lock, which a sweep would take for an abandoned one.
        let guardian = try DirectoryLock(parent + "/lock", waits: true)
        defer { withExtendedLifetime(guardian) {} }
        Self.sweepOnce(parent)
        try self.init(path: parent + "/" + Self.newName)
    }

    /// The directory of a container that exists already; nil when it is reached otherwise.
    ///
    /// To be had before the container is started again, or while it runs on.
    ///
    /// - Throws: ``SocketUnavailable`` when another process has it.
    convenience init?(of container: ContainerInspection) throws(SocketUnavailable) {
        guard let source = container.mounts?.first(where: { $0.destination == Self.target })?.source else { return nil }
        try self.init(path: URL(fileURLWithPath: source).deletingLastPathComponent().path)
    }

    private init(path: String) throws(SocketUnavailable) {
        self.path = path
        // sockaddr_un has 108 bytes on Linux and 104 on Darwin, with the null at the end.
        guard path.utf8.count + Self.name.utf8.count + 2 <= 104 else {
            throw SocketUnavailable(
                reason: "the path \(path) is too long for a socket; set socketDirectory to a shorter one"
            )
        }
        try makePrivateDirectory(path)
        lock = try DirectoryLock(path + "/lock", waits: false)
        try makeSharedDirectory()
    }

    deinit {
        remove()
    }

    /// Takes the server's socket, out of the container's reach.
    ///
    /// - Returns: whether it was there.
    /// - Throws: ``SocketUnavailable``.
    func claim() throws(SocketUnavailable) -> Bool {
        guard rename(sharedPath + "/" + Self.name, socketPath) == 0 else {
            if errno == ENOENT { return false }
            throw SocketUnavailable(reason: "\(socketPath) can't be made: \(systemText())")
        }
        try? FileManager.default.removeItem(atPath: sharedPath)
        try makeSharedDirectory()
        return true
    }

    /// Takes the server's socket, and sees to it that it leads to the server.
    ///
    /// - Parameter limit: how long the socket is waited for.
    /// - Throws: ``SocketUnavailable``, `CancellationError`.
    func connect(_ client: ActionExecutionClient, limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while try !claim() {
            // Whether the engine shares this machine's file system shows here.
            guard .now < deadline else {
                throw SocketUnavailable(reason: "the server runs, but its socket doesn't appear in \(sharedPath)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        do {
            try await client.checkReady()
        } catch let error as HTTPError where error.kind == .couldNotConnect {
            // A file system that is shared with a virtual machine shows sockets that lead nowhere.
            throw SocketUnavailable(reason: "the server's socket leads nowhere: \(error.message)")
        } catch is HTTPError {
            // It is tried again.
        }
    }

    /// Leaves the directory for another process, with a container that lives on.
    func leave() {
        isRemoved.withLock { $0 = true }
        lock.release()
    }

    /// Removes the directory and all in it; doing it again does nothing.
    func remove() {
        let isFirst = isRemoved.withLock { isRemoved in
            defer { isRemoved = true }
            return !isRemoved
        }
        guard isFirst else { return }
        try? FileManager.default.removeItem(atPath: path)
        lock.release()
    }

    /// Open to every user that a container may have: whoever isn't in one can't get there.
    private func makeSharedDirectory() throws(SocketUnavailable) {
        guard mkdir(sharedPath, 0o777) == 0 || errno == EEXIST, chmod(sharedPath, 0o777) == 0 else {
            throw SocketUnavailable(reason: "\(sharedPath) can't be made: \(systemText())")
        }
    }

    // MARK: All of this user

    private static var newName: String { String(UInt64.random(in: .min ... .max), radix: 36) }

    /// The directory of this user in which those of the sandboxes are.
    private static func parent(_ base: String?) throws(SocketUnavailable) -> String {
        let base = base ?? FileManager.default.temporaryDirectory.path
        let path =
            "\(base.count > 1 && base.hasSuffix("/") ? String(base.dropLast()) : base)/swift-docker-runtime-\(geteuid())"
        try makePrivateDirectory(path)
        return path
    }

    private static let swept = Mutex<Set<String>>([])

    /// Removes, once in a process, what killed processes have left: what nobody has locked and where no server listens.
    private static func sweepOnce(_ parent: String) {
        guard swept.withLock({ $0.insert(parent).inserted }) else { return }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name != "lock" {
            let path = parent + "/" + name
            guard let lock = try? DirectoryLock(path + "/lock", waits: false) else { continue }
            if !isListenedOn(path + "/" + Self.name) { try? FileManager.default.removeItem(atPath: path) }
            lock.release()
        }
    }

    /// Whether a server has a socket.
    private static func isListenedOn(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        #if os(Linux)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}

/// Makes a directory that only this user can enter, or sees to it that what is there is one.
private func makePrivateDirectory(_ path: String) throws(SocketUnavailable) {
    if mkdir(path, 0o700) == 0 { return }
    var status = stat()
    guard errno == EEXIST, lstat(path, &status) == 0 else {
        throw SocketUnavailable(reason: "the directory \(path) can't be made: \(systemText())")
    }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
        throw SocketUnavailable(
            reason: "\(path) isn't a directory of this user's alone; remove it, or set socketDirectory"
        )
    }
}

private func systemText() -> String { String(cString: strerror(errno)) }

/// A lock of a directory by a file in it (flock(2)), which ends with the process, however that ends; the file goes with the directory.
private final class DirectoryLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes the lock.
    ///
    /// - Parameter waits: whether to wait for who has it, which must be for moments only.
    init(_ path: String, waits: Bool) throws(SocketUnavailable) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SocketUnavailable(reason: "\(path) can't be made: \(systemText())") }
        guard flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 else {
            let reason = "\(path) is locked by another process: \(systemText())"
            close(descriptor)
            throw SocketUnavailable(reason: reason)
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        release()
    }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
