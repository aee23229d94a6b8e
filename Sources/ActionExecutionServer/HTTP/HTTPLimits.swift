/// What a connection may ask of the server, in bytes and in time.
public struct HTTPLimits: Hashable, Sendable {
    /// Bytes of the request line and all header fields.
    public var headSize = 64 * 1024
    /// Header fields of a request.
    public var fieldCount = 100
    /// Bytes of a body that is held in memory.
    public var bodySize = 256 * 1024 * 1024
    /// Bytes of any body.
    public var streamedBodySize = 64 * 1024 * 1024 * 1024
    /// Bytes of a body that are read and thrown away so that the connection can be kept, when the answer needed no more.
    public var drainedSize = 256 * 1024

    /// From the first byte of a request to the end of its head.
    public var headTime = Duration.seconds(30)
    /// How long a peer may keep the server waiting while a body is under way, in either direction.
    ///
    /// What is transferred makes good for waiting, at ``minimumRate``.
    public var stallTime = Duration.seconds(60)
    /// Bytes per second at which a transfer may go on for as long as it takes.
    ///
    /// Apache's default (https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html).
    public var minimumRate = 500
    /// Between requests.
    public var idleTime = Duration.seconds(300)
    /// For the peer to end its side when the server has ended its own.
    public var closingTime = Duration.seconds(2)

    /// Makes the default limits.
    public init() {}
}

/// How long a peer may still keep the server waiting: waiting uses it up, transferred bytes fill it again.
///
/// So neither a peer that stops nor one that sends a byte now and then holds a connection, and a slow one does.
struct TransferPatience: Equatable, Sendable {
    private let full: Duration
    private let rate: Int
    private(set) var left: Duration

    init(_ limits: HTTPLimits) {
        full = limits.stallTime
        rate = max(1, limits.minimumRate)
        left = full
    }

    mutating func wait(_ duration: Duration) {
        left -= duration
    }

    mutating func transfer(_ count: Int) {
        left = min(full, left + .seconds(1) * count / rate)
    }
}
