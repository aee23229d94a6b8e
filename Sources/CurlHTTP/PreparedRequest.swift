internal import CCurl

/// A request that has been checked and may be given to libcurl.
struct PreparedRequest: Sendable {
    let request: HTTPRequest
    /// The URL for messages: without user name and password.
    let displayURL: String
    /// Whether a proxy of the environment must not be used.
    let bypassesProxy: Bool
    /// The field lines in the syntax of `CURLOPT_HTTPHEADER`.
    let headerLines: [String]

    var isHead: Bool { request.method == "HEAD" }

    init(_ request: HTTPRequest) throws(HTTPError) {
        func refuse(_ message: String, url: String? = nil) -> HTTPError {
            HTTPError(
                kind: .invalidRequest,
                method: request.method,
                url: url ?? request.url,
                unixSocketPath: request.unixSocketPath,
                message: message
            )
        }

        guard Self.isToken(request.method) else {
            throw refuse("the method is not a token (RFC 9110, 5.6.2)")
        }
        // libcurl would encode or cut some of these silently.
        guard request.url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw refuse("the URL contains a blank or a control character; encode it with %")
        }
        switch ParsedURL.parse(request.url) {
        case .failure(let problem):
            throw refuse("the URL is malformed: \(problem.message)")
        case .success(let parsed):
            guard parsed.scheme == "http" || parsed.scheme == "https" else {
                throw refuse("the URL's scheme is \(parsed.scheme), not http or https")
            }
            displayURL = parsed.withoutCredentials
            bypassesProxy = request.unixSocketPath != nil || Self.isLoopback(parsed.host)
        }
        if let path = request.unixSocketPath {
            guard !path.isEmpty, !path.utf8.contains(0), path.utf8.count <= Self.maximumSocketPathLength else {
                throw refuse(
                    "the socket path has \(path.utf8.count) bytes; 1 to \(Self.maximumSocketPathLength) fit (unix(7))",
                    url: displayURL
                )
            }
        }
        if case .stream(_, let length?) = request.body.content, length < 0 {
            throw refuse("the body's length is \(length)", url: displayURL)
        }

        // `Expect: 100-continue` would cost a round trip, and libcurl's default content type is a guess.
        var lines = ["Expect:"]
        if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        for field in request.headers {
            guard Self.isToken(field.name) else {
                throw refuse("the header name \"\(field.name)\" is not a token (RFC 9110, 5.6.2)", url: displayURL)
            }
            guard field.value.utf8.allSatisfy({ $0 != 0x0A && $0 != 0x0D && $0 != 0 }) else {
                throw refuse("the value of header \(field.name) contains a line break or NUL", url: displayURL)
            }
            guard
                !["content-length", "transfer-encoding", "expect"].contains(where: { HTTPHeaders.equal($0, field.name) }
                )
            else {
                throw refuse("the header \(field.name) is set by the client from the body", url: displayURL)
            }
            // A colon with nothing behind it would remove the field; a semicolon sends it empty.
            let isBlank = field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            lines.append(isBlank ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        self.request = request
        headerLines = lines
    }

    /// The bytes of `sun_path`, less the terminating NUL.
    static var maximumSocketPathLength: Int {
        #if os(Linux)
        107
        #else
        103
        #endif
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default:
                    "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]"
            || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) })
    }

    func error(
        _ kind: HTTPError.Kind,
        _ message: String,
        curlCode: CurlCode? = nil,
        systemErrorNumber: Int32? = nil,
        connectionWasReused: Bool = false
    ) -> HTTPError {
        HTTPError(
            kind: kind,
            method: request.method,
            url: displayURL,
            unixSocketPath: request.unixSocketPath,
            message: message,
            curlCode: curlCode,
            systemErrorNumber: systemErrorNumber,
            connectionWasReused: connectionWasReused
        )
    }
}

/// What libcurl's own URL parser makes of a URL.
private struct ParsedURL {
    struct Problem: Error { var message: String }

    var scheme: String
    var host: String
    var withoutCredentials: String

    static func parse(_ text: String) -> Result<ParsedURL, Problem> {
        guard let handle = curl_url() else { return .failure(Problem(message: "out of memory")) }
        defer { curl_url_cleanup(handle) }
        let code = curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME))
        guard code == CURLUE_OK, let scheme = part(CURLUPART_SCHEME, of: handle) else {
            return .failure(Problem(message: curl_url_strerror(code).map { String(cString: $0) } ?? "unknown"))
        }
        guard let host = part(CURLUPART_HOST, of: handle), !host.isEmpty else {
            return .failure(Problem(message: "it has no host"))
        }
        _ = curl_url_set(handle, CURLUPART_USER, nil, 0)
        _ = curl_url_set(handle, CURLUPART_PASSWORD, nil, 0)
        let shown = part(CURLUPART_URL, of: handle) ?? "\(scheme)://\(host)"
        return .success(ParsedURL(scheme: scheme, host: host, withoutCredentials: shown))
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
