/// A failed exchange: what was tried, on what, and what came back.
///
/// Cancellation isn't among these: a cancelled task gets a `CancellationError`.
public struct HTTPError: Error, Sendable, Hashable {
    /// What went wrong, as far as the caller's next step depends on it.
    public enum Kind: Sendable, Hashable {
        /// The request can't be sent as it stands: URL, method, a header, the socket path or the body's length.
        case invalidRequest
        /// No connection: unknown host, nobody listening, missing socket, no permission. Nothing was sent.
        case couldNotConnect
        /// A limit of the request's ``HTTPRequest/Timeouts`` was reached.
        case timedOut(TimeoutPhase)
        /// The connection broke after the request began and before a line of the response arrived.
        ///
        /// The server may or may not have acted on the request.
        case connectionLostBeforeResponse
        /// The connection broke after the response had begun.
        case connectionLostDuringResponse
        /// The TLS handshake or a certificate failed: the server has seen no request, or refused to.
        case tls
        /// What came back isn't HTTP, or its head is larger than allowed.
        case invalidResponse
        /// The response's body is larger than the given limit in bytes.
        case bodyTooLarge(limit: Int)
        /// The client was shut down, or suspended, before the exchange ended.
        case shutDown
        /// Anything else that libcurl reports.
        case other
    }

    /// The limit that was reached.
    public enum TimeoutPhase: Sendable, Hashable {
        /// While connecting: nothing was sent.
        case connect
        /// The whole exchange.
        case total
        /// No byte moved for that long.
        case idle
    }

    /// What went wrong.
    public var kind: Kind
    /// The request's method.
    public var method: String
    /// The request's URL, without user name and password.
    public var url: String
    /// The socket that the request went to, if it wasn't the URL's host.
    public var unixSocketPath: String?
    /// What happened, in libcurl's words where it had any.
    public var message: String
    /// libcurl's result, if it was libcurl that failed.
    public var curlCode: CurlCode?
    /// The system's error number behind it, if there was one.
    public var systemErrorNumber: Int32?
    /// Whether the request had gone out on a kept-alive connection, which the server may have closed meanwhile.
    public var connectionWasReused: Bool

    /// Creates an error.
    public init(
        kind: Kind,
        method: String,
        url: String,
        unixSocketPath: String? = nil,
        message: String,
        curlCode: CurlCode? = nil,
        systemErrorNumber: Int32? = nil,
        connectionWasReused: Bool = false
    ) {
        self.kind = kind
        self.method = method
        self.url = url
        self.unixSocketPath = unixSocketPath
        self.message = message
        self.curlCode = curlCode
        self.systemErrorNumber = systemErrorNumber
        self.connectionWasReused = connectionWasReused
    }
}

extension HTTPError: CustomStringConvertible {
    /// One line: the call, what happened, and the numbers behind it.
    public var description: String {
        var text = "\(method) \(url)"
        if let unixSocketPath { text += " on \(unixSocketPath)" }
        text += ": \(summary): \(message)"
        if let curlCode { text += " [curl \(curlCode.rawValue)]" }
        if let systemErrorNumber { text += " [errno \(systemErrorNumber)]" }
        return text
    }

    private var summary: String {
        switch kind {
        case .invalidRequest: "invalid request"
        case .couldNotConnect: "could not connect"
        case .timedOut(.connect): "timed out while connecting"
        case .timedOut(.total): "timed out"
        case .timedOut(.idle): "timed out with no data moving"
        case .connectionLostBeforeResponse: "connection lost before the response"
        case .connectionLostDuringResponse: "connection lost during the response"
        case .tls: "TLS failed"
        case .invalidResponse: "invalid response"
        case .bodyTooLarge(let limit): "body larger than \(limit) bytes"
        case .shutDown: "client shut down"
        case .other: "failed"
        }
    }
}
