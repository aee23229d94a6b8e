/// The lines of a request, each by itself (RFC 9112).
enum HTTPGrammar {
    struct RequestLine {
        var method: String
        /// Path and query, or `*`.
        var target: String
        /// Host and port, when the target is a whole URL.
        var authority: String?
        var minorVersion: Int
    }

    /// RFC 9112, section 3; also the authority when the target names one.
    static func requestLine(_ line: ArraySlice<UInt8>) throws(HTTPParseError) -> RequestLine {
        let parts = line.split(separator: .space, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("a request line of \(parts.count) words") }
        guard !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else { throw .malformed("the method") }
        // Before the target, which another version may spell in another way.
        let version = text(parts[2])
        guard version.hasPrefix("HTTP/") else { throw .malformed("the version") }
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else { throw .unsupportedVersion(version) }
        guard parts[1].allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .malformed("the request target") }
        let method = text(parts[0])
        let (target, authority) = try target(text(parts[1]), method: method)
        return RequestLine(
            method: method,
            target: target,
            authority: authority,
            minorVersion: version == "HTTP/1.1" ? 1 : 0
        )
    }

    /// The forms of RFC 9112, section 3.2, but not that of CONNECT: the server is no proxy.
    private static func target(
        _ text: String,
        method: String
    ) throws(HTTPParseError) -> (target: String, authority: String?) {
        if text.hasPrefix("/") || text == "*" && method == "OPTIONS" { return (text, nil) }
        let scheme = "http://"
        guard text.prefix(scheme.count).lowercased() == scheme else { throw .malformed("the request target") }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty else { throw .malformed("the request target") }
        let target = rest.dropFirst(authority.count)
        return (target.hasPrefix("/") ? String(target) : "/\(target)", String(authority))
    }

    /// RFC 9112, section 5: no space before the colon, no folded lines.
    static func field(_ line: ArraySlice<UInt8>) throws(HTTPParseError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .malformed("a header line without colon")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else { throw .malformed("a header name") }
        var value = line[(colon + 1)...].drop(while: \.isBlank)
        while let last = value.last, last.isBlank { value.removeLast() }
        guard value.allSatisfy(\.isFieldCharacter) else {
            throw .malformed("a control character in the header \(text(name))")
        }
        return (text(name), text(value))
    }

    /// RFC 9112, section 6.3, without the leniency: both length headers, or one of them twice, may be an attack.
    static func framing(
        _ headers: HTTPHeaders,
        minorVersion: Int
    ) throws(HTTPParseError) -> HTTPRequestHead.BodyFraming {
        let codings = headers.values(for: "transfer-encoding")
        let lengths = headers.values(for: "content-length")
        switch (codings.count, lengths.count) {
        case (0, 0):
            return .none
        case (0, 1):
            let digits = lengths[0].utf8
            guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let length = Int(lengths[0])
            else { throw .malformed("the content length") }
            return .length(length)
        case (1, 0):
            guard minorVersion == 1 else { throw .malformed("a transfer coding in HTTP/1.0") }
            guard codings[0].lowercased() == "chunked" else { throw .unsupportedCoding(codings[0]) }
            return .chunked
        default:
            throw .malformed("more than one header that gives the length of the body")
        }
    }

    /// RFC 9112, section 7.1: hexadecimal digits, then extensions, which are ignored.
    ///
    /// - Returns: the size, and how many bytes of the line are extensions.
    static func chunkSize(_ line: [UInt8]) throws(HTTPParseError) -> (size: Int, extensionSize: Int) {
        let digits = line.prefix(while: \.isHexadecimalDigit)
        guard !digits.isEmpty, digits.count <= 15, let size = Int(text(digits), radix: 16) else {
            throw .malformed("a chunk size")
        }
        let rest = line[digits.count...]
        guard rest.isEmpty || rest.first(where: { !$0.isBlank }) == UInt8(ascii: ";") else {
            throw .malformed("a chunk size")
        }
        guard rest.allSatisfy(\.isFieldCharacter) else { throw .malformed("a control character in a chunk size") }
        return (size, rest.count)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20

    /// White space within a line.
    var isBlank: Bool { self == .space || self == .tab }

    /// What may stand in the value of a field (RFC 9110, section 5.5).
    var isFieldCharacter: Bool { self >= 0x20 && self != 0x7f || self == .tab }

    /// RFC 9110, section 5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }
}
