import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where a server listens.
public enum ServerAddress: Hashable, Sendable {
    /// A TCP port of one address; port 0 lets the system choose. The address is an IPv4 or IPv6 literal.
    case tcp(host: String, port: Int)
    /// A Unix socket, which is made with access for its owner only and replaced when nobody answers on it.
    case unix(path: String)
}

/// A socket that accepts connections; closed when it is let go, if not before.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    /// The address with the port that the system chose.
    let address: ServerAddress
    private let isClosed = Atomic(false)

    /// Binds and listens.
    ///
    /// - Throws: ``SystemError`` that names the address.
    init(_ address: ServerAddress) throws(SystemError) {
        switch address {
        case .tcp(let host, let port):
            (descriptor, self.address) = try Self.listenTCP(host: host, port: port)
        case .unix(let path):
            descriptor = try Self.listenUnix(path: path)
            self.address = address
        }
    }

    deinit {
        close()
    }

    /// Closes the socket; nothing may wait for it any more.
    func close() {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        // Unlinked first: once it's closed, another server may take the path over.
        if case .unix(let path) = address { _ = unlink(path) }
        systemClose(descriptor)
    }

    /// The next connection, not blocking and not inherited; nil when there is none now.
    func accept() throws(SystemError) -> Int32? {
        let connection = systemAccept(descriptor)
        guard connection >= 0 else {
            switch errno {
            case EAGAIN, EINTR, ECONNABORTED: return nil
            default: throw SystemError("accept a connection")
            }
        }
        prepare(connection)
        if case .tcp = address {
            // A response is one write: waiting to fill a packet only delays it.
            var on: Int32 = 1
            _ = setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        return connection
    }

    /// A burst of connections must not wait for the loop to come round; the system has a limit of its own.
    private static let backlog: Int32 = 1024

    private static func listenTCP(host: String, port: Int) throws(SystemError) -> (Int32, ServerAddress) {
        let operation = "listen on \(host) port \(port)"
        guard let port = UInt16(exactly: port) else { throw SystemError(operation, code: EINVAL) }
        var version4 = sockaddr_in()
        var version6 = sockaddr_in6()
        let isVersion6 = inet_pton(AF_INET6, host, &version6.sin6_addr) == 1
        guard isVersion6 || inet_pton(AF_INET, host, &version4.sin_addr) == 1 else {
            throw SystemError(operation, code: EINVAL)
        }
        version4.sin_family = sa_family_t(AF_INET)
        version4.sin_port = port.bigEndian
        version6.sin6_family = sa_family_t(AF_INET6)
        version6.sin6_port = port.bigEndian

        let descriptor = try openSocket(isVersion6 ? AF_INET6 : AF_INET, operation)
        var on: Int32 = 1
        _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let bound = isVersion6 ? bindSocket(descriptor, &version6) : bindSocket(descriptor, &version4)
        guard bound == 0, listen(descriptor, backlog) == 0 else { throw closing(descriptor, operation) }

        var actual = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let named = withUnsafeMutablePointer(to: &actual) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard named == 0 else { throw closing(descriptor, operation) }
        // The port is at the same place in both address structures.
        return (descriptor, .tcp(host: host, port: Int(UInt16(bigEndian: actual.sin6_port))))
    }

    private static func listenUnix(path: String) throws(SystemError) -> Int32 {
        let operation = "listen on the Unix socket \(path)"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { storage in
            guard path.utf8.count < storage.count else { return false }
            storage.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw SystemError(operation, code: ENAMETOOLONG) }

        let descriptor = try openSocket(AF_UNIX, operation)
        // Nobody but the owner may connect, from the first moment on.
        let mask = umask(0o177)
        defer { _ = umask(mask) }
        if bindSocket(descriptor, &address) != 0 {
            guard errno == EADDRINUSE else { throw closing(descriptor, operation) }
            guard isSocket(path), isAbandoned(&address) else {
                systemClose(descriptor)
                throw SystemError(operation, code: EADDRINUSE)
            }
            guard unlink(path) == 0, bindSocket(descriptor, &address) == 0 else { throw closing(descriptor, operation) }
        }
        guard listen(descriptor, backlog) == 0 else { throw closing(descriptor, operation) }
        return descriptor
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Whether a Unix socket is left over from a process that is gone.
    private static func isAbandoned(_ address: inout sockaddr_un) -> Bool {
        guard let probe = try? openSocket(AF_UNIX, "probe") else { return false }
        defer { systemClose(probe) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result != 0 && errno == ECONNREFUSED
    }

    private static func openSocket(_ family: Int32, _ operation: String) throws(SystemError) -> Int32 {
        #if canImport(Glibc)
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(family, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw SystemError(operation) }
        prepare(descriptor)
        return descriptor
    }

    private static func bindSocket<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func closing(_ descriptor: Int32, _ operation: String) -> SystemError {
        let error = SystemError(operation)
        systemClose(descriptor)
        return error
    }
}

/// Not blocking, not inherited, and no SIGPIPE where that is a property of the socket.
private func prepare(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    #if canImport(Darwin)
    var on: Int32 = 1
    _ = setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
    #endif
}

/// `accept` of the C library, which a method of the same name would hide.
private func systemAccept(_ descriptor: Int32) -> Int32 {
    accept(descriptor, nil, nil)
}

/// `close` of the C library, likewise.
private func systemClose(_ descriptor: Int32) {
    _ = close(descriptor)
}
