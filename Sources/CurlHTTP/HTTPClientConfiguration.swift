/// The limits of a client.
public struct HTTPClientConfiguration: Sendable, Hashable {
    /// The number of idle connections to keep for reuse; beyond it the one idle for longest is closed.
    public var maximumIdleConnections = 256
    /// The greatest size of a response's head in bytes; a larger one fails as ``HTTPError/Kind/invalidResponse``.
    public var maximumResponseHeadSize = 256 * 1024
    /// The number of received bytes that may wait for the reader before the server is held back.
    public var responseBufferSize = 256 * 1024
    /// The number of bytes that may be pulled from a request body's source ahead of the server's reading.
    public var requestBufferSize = 256 * 1024
    /// Whether `http_proxy` and its kin count.
    ///
    /// They never do for Unix sockets and loopback addresses.
    public var usesProxyFromEnvironment = true

    /// Creates a configuration with the defaults.
    public init() {}
}
