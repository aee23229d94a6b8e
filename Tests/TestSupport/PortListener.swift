import Foundation

/// A socket that listens at a port, for as long as a test wants it taken.
public struct PortListener: Sendable {
    /// The port.
    public let port: Int
    private let descriptor: Int32

    /// Listens at the first port of a range that is free at an IPv4 address.
    public init(in range: ClosedRange<Int>, at address: String = "127.0.0.1") throws {
        for port in range {
            #if os(Linux)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #endif
            guard descriptor >= 0 else { throw SystemCallFailure(call: "socket", number: errno) }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(port).bigEndian
            inet_pton(AF_INET, address, &name.sin_addr)
            let status = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if status == 0, listen(descriptor, 1) == 0 {
                (self.port, self.descriptor) = (port, descriptor)
                return
            }
            _ = Foundation.close(descriptor)
        }
        throw SystemCallFailure(call: "bind", number: EADDRINUSE)
    }

    /// A port of the loopback address that nobody listened at a moment ago.
    public static func freePort() throws -> Int {
        let (descriptor, port) = try Socket.listenOnLoopback()
        _ = Foundation.close(descriptor)
        return port
    }

    /// Stops listening.
    public func close() {
        _ = Foundation.close(descriptor)
    }
}
