import Foundation

/// Finds out whether a port of this machine is free.
enum FreePort {
    #if os(Linux)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
    private static let stream = SOCK_STREAM
    #endif

    /// Whether nobody listens on the port, at the address or at all of them.
    static func isFree(_ port: Int, at address: String) -> Bool {
        guard let number = UInt16(exactly: port) else { return false }
        var version6 = sockaddr_in6()
        if inet_pton(AF_INET6, address, &version6.sin6_addr) == 1 {
            version6.sin6_family = sa_family_t(AF_INET6)
            version6.sin6_port = number.bigEndian
            return canBind(AF_INET6, &version6)
        }
        var version4 = sockaddr_in()
        // An address that is none of this machine's can't be tried; a name neither.
        _ = inet_pton(AF_INET, address, &version4.sin_addr)
        version4.sin_family = sa_family_t(AF_INET)
        version4.sin_port = number.bigEndian
        return canBind(AF_INET, &version4)
    }

    private static func canBind<Address>(_ family: Int32, _ address: inout Address) -> Bool {
        let descriptor = socket(family, stream, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // What is only just closed doesn't count, as it doesn't for the engine.
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        return status == 0 || errno == EADDRNOTAVAIL
    }
}
