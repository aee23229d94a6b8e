/// The head of a request as it came over the wire, checked for form.
struct HTTPRequestHead: Sendable, Equatable {
    var method: String
    /// Path and query, still percent-encoded.
    var target: String
    /// Minor version of HTTP/1: 0 or 1.
    var minorVersion: Int
    var headers: HTTPHeaders
    var body: BodyFraming

    /// How long the body is (RFC 9112, section 6.3).
    enum BodyFraming: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    /// The target without its query.
    var path: Substring {
        target.prefix { $0 != "?" }
    }

    /// RFC 9112, section 9.3.
    var keepsConnection: Bool {
        let options = headers.values(for: "connection").joined(separator: ",").lowercased()
            .split(whereSeparator: { $0 == "," || $0 == " " })
        if options.contains("close") { return false }
        return minorVersion == 1 || options.contains("keep-alive")
    }

    /// RFC 9110, section 10.1.1.
    var expectsContinue: Bool {
        minorVersion == 1 && headers.values(for: "expect").contains { $0.lowercased() == "100-continue" }
    }
}

/// Header fields in their order; names compare without case.
struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private(set) var fields: [(name: String, value: String)] = []

    init() {}

    init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    /// Adds a field; the name is kept in lower case.
    mutating func append(_ name: String, _ value: String) {
        fields.append((name.lowercased(), value))
    }

    /// All values of a field, in order.
    ///
    /// The name is given in lower case.
    func values(for name: String) -> [String] {
        fields.compactMap { $0.name == name ? $0.value : nil }
    }

    /// The value of a field that appears once; nil when it's missing or repeated.
    func single(_ name: String) -> String? {
        let all = values(for: name)
        return all.count == 1 ? all[0] : nil
    }

    static func == (one: HTTPHeaders, other: HTTPHeaders) -> Bool {
        one.fields.elementsEqual(other.fields) { $0 == $1 }
    }
}

/// A whole response.
struct HTTPResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The bytes to send.
    ///
    /// A response to HEAD has the length of its body but not the body.
    func encoded(keepsConnection: Bool, omitsBody: Bool = false) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\ncontent-length: \(body.count)\r\n"
        for (name, value) in headers.fields { head += "\(name): \(value)\r\n" }
        if !keepsConnection { head += "connection: close\r\n" }
        head += "\r\n"
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.utf8.count + body.count)
        bytes.append(contentsOf: head.utf8)
        if !omitsBody { bytes.append(contentsOf: body) }
        return bytes
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
        default: "Status \(status)"
        }
    }
}
