/// A request: where to, what, and how long it may take.
///
/// ```swift
/// var request = HTTPRequest(method: "POST", url: "http://localhost/execute_action")
/// request.unixSocketPath = "/run/sandbox/server.sock"
/// request.headers["Content-Type"] = "application/json"
/// request.body = .bytes(json)
/// let (head, body) = try await client.send(request, bodyLimit: 1 << 20)
/// ```
public struct HTTPRequest: Sendable {
    /// The method, a token such as `GET`; case matters.
    public var method: String
    /// The absolute `http` or `https` URL, sent as given: dot segments stay.
    public var url: String
    /// The fields to send.
    ///
    /// `Content-Length` and `Transfer-Encoding` are the client's and refused here.
    public var headers: HTTPHeaders
    /// The body; none by default.
    public var body: Body
    /// The socket to connect to instead of the URL's host, which then only fills the `Host` field.
    public var unixSocketPath: String?
    /// Certificates and checks of an `https` URL; the system's trust store when `nil`.
    public var tls: TLSConfiguration?
    /// Limits on the time that the exchange may take.
    public var timeouts: Timeouts
    /// Whether a request may go out a second time when a kept-alive connection turns out dead.
    public var resend: ResendPolicy
    /// Whether a kept-alive connection may carry the request; if not, a new one is opened.
    public var reusesConnection: Bool

    /// Creates a request; what isn't given has its default.
    public init(
        method: String = "GET",
        url: String,
        headers: HTTPHeaders = [:],
        body: Body = .none,
        unixSocketPath: String? = nil,
        tls: TLSConfiguration? = nil,
        timeouts: Timeouts = Timeouts(),
        resend: ResendPolicy = .idempotentMethods,
        reusesConnection: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.unixSocketPath = unixSocketPath
        self.tls = tls
        self.timeouts = timeouts
        self.resend = resend
        self.reusesConnection = reusesConnection
    }
}

extension HTTPRequest {
    /// Limits on the time of an exchange.
    ///
    /// A limit that is `nil` isn't set.
    public struct Timeouts: Sendable, Hashable {
        /// The time for name resolution, connection and TLS handshake together.
        ///
        /// 10 s by default.
        public var connect: Duration?
        /// The time from start to the last byte of the response, waits of the reader included.
        public var total: Duration?
        /// The time in which no byte moved in either direction after the request began.
        ///
        /// It doesn't run while the client itself holds the transfer back, because the reader
        /// of the response or the source of the request body is slow.
        public var idle: Duration?

        /// Creates limits; the defaults bound the connecting only.
        public init(connect: Duration? = .seconds(10), total: Duration? = nil, idle: Duration? = nil) {
            self.connect = connect
            self.total = total
            self.idle = idle
        }
    }

    /// When libcurl may send a request again on another connection.
    ///
    /// A server may close a kept-alive connection just when the next request is on its way. If not one byte of
    /// a response arrived on a *reused* connection, libcurl repeats the request on another connection, without telling.
    /// The server may have acted on the first copy. ``HTTPResponse/attempts`` says how often the request was sent.
    public struct ResendPolicy: Sendable, Hashable {
        private enum Choice { case never, idempotentMethods, always }
        private let choice: Choice

        /// Never: the loss is thrown as ``HTTPError/Kind/connectionLostBeforeResponse``.
        public static let never = ResendPolicy(choice: .never)
        /// Only methods that RFC 9110 (9.2.2) calls idempotent: GET, HEAD, OPTIONS, TRACE, PUT, DELETE.
        ///
        /// The default.
        public static let idempotentMethods = ResendPolicy(choice: .idempotentMethods)
        /// Every method; right when the server recognises repeats, for instance by an idempotency key.
        public static let always = ResendPolicy(choice: .always)

        /// Whether a request of this method may be sent again.
        func allows(method: String) -> Bool {
            switch choice {
            case .never: false
            case .idempotentMethods: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].contains(method)
            case .always: true
            }
        }
    }
}

/// Certificates and checks of a TLS connection.
///
/// Files are in PEM format.
public struct TLSConfiguration: Sendable, Hashable {
    /// The file with the authorities to trust, instead of the system's store.
    public var authorityFile: String?
    /// The file with the client's certificate.
    public var certificateFile: String?
    /// The file with the client's private key.
    public var keyFile: String?
    /// Whether the server's certificate must lead to a trusted authority.
    ///
    /// On unless switched off.
    public var verifiesPeer: Bool
    /// Whether the server's certificate must carry the URL's host name.
    ///
    /// On unless switched off.
    public var verifiesHostName: Bool

    /// Creates a configuration that checks everything.
    public init(
        authorityFile: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        verifiesPeer: Bool = true,
        verifiesHostName: Bool = true
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verifiesPeer = verifiesPeer
        self.verifiesHostName = verifiesHostName
    }
}
