/// A response, its body held or made while it is sent.
struct HTTPResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece, in a task that is cancelled when the peer goes away.
        ///
        /// When the closure throws, the response is broken off so that the peer can tell: what was written isn't all.
        case stream(@Sendable (HTTPBodyWriter) async throws -> Void)

        /// Bytes that it has in memory.
        var heldSize: Int {
            if case .bytes(let bytes) = self { bytes.count } else { 0 }
        }
    }

    /// How the end of a body is marked (RFC 9112, section 6.3).
    enum Framing: Sendable {
        case length(Int)
        case chunked
        case untilClose
    }

    var status: Int
    var headers: HTTPHeaders
    var body: Body

    init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.init(status: status, headers: headers, body: .bytes(body))
    }

    init(status: Int, headers: HTTPHeaders = [:], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The head as it is sent.
    ///
    /// - Parameter minorVersion: the request's, since a connection of HTTP/1.0 is kept only when that is said.
    func encodedHead(_ framing: Framing, keepsConnection: Bool, minorVersion: Int = 1) -> String {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
        switch framing {
        case .length(let count): head += "content-length: \(count)\r\n"
        case .chunked: head += "transfer-encoding: chunked\r\n"
        case .untilClose: break
        }
        for (name, value) in headers.fields { head += "\(name): \(value)\r\n" }
        if !keepsConnection {
            head += "connection: close\r\n"
        } else if minorVersion == 0 {
            head += "connection: keep-alive\r\n"
        }
        return head + "\r\n"
    }

    /// The reason phrases of RFC 9110, section 15, for the codes that the server uses.
    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status \(status)"
        }
    }
}
