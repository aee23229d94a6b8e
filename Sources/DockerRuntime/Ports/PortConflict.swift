/// Tells from what the engine or the server says that a port of the host was taken by somebody else.
enum PortConflict {
    /// What engines say when a container is started on a port that another container or process has, in lower case.
    ///
    /// The first is of `libnetwork/portallocator`, the others of the system, through the engine or its port proxy
    /// (<https://github.com/moby/moby/tree/master/daemon/libnetwork>).
    private static let signs = [
        "port is already allocated", "address already in use", "ports are not available", "address in use",
    ]

    /// Whether a message tells of a port that is taken.
    static func isTold(by message: String) -> Bool {
        let message = message.lowercased()
        return signs.contains { message.contains($0) }
    }
}

extension PortConflict {
    /// Whether a message names a port after a colon.
    static func names(_ port: Int, in message: String) -> Bool {
        message.ranges(of: ":\(port)").contains { range in
            range.upperBound == message.endIndex || !message[range.upperBound].isNumber
        }
    }
}
