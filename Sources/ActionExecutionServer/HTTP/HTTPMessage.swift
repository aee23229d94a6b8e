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

    /// The target without its query, percent-decoded: `/%61live` is `/alive`.
    ///
    /// What can't be decoded stays as it is.
    var path: Substring {
        let path = target.prefix { $0 != "?" }
        guard path.utf8.contains(UInt8(ascii: "%")) else { return path }
        var decoded: [UInt8] = []
        var rest = path.utf8
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy({ $0.isHexadecimalDigit }),
                let value = UInt8(Substring(digits), radix: 16)
            {
                decoded.append(value)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return Substring(decoding: decoded, as: UTF8.self)
    }

    /// RFC 9112, section 9.3.
    var keepsConnection: Bool {
        let options = headers.values(for: "connection").joined(separator: ",").lowercased()
            .split(whereSeparator: { $0 == "," || $0 == " " })
        if options.contains("close") { return false }
        return minorVersion == 1 || options.contains("keep-alive")
    }

    /// Whether a media type is named in `Accept`; wildcards and weights are not looked at.
    func accepts(_ type: String) -> Bool {
        headers.values(for: "accept").contains { value in
            // Most clients say that they take anything.
            guard value.utf8.count >= type.utf8.count else { return false }
            return value.lowercased().split(separator: ",").contains { element in
                let name = element.prefix { $0 != ";" }
                return name.split(separator: " ").joined() == type
            }
        }
    }

    /// RFC 9110, section 10.1.1.
    var expectsContinue: Bool {
        expectations.contains("100-continue")
    }

    /// Whether the request expects what the server doesn't know, which must be refused with 417.
    var hasUnknownExpectation: Bool {
        expectations.contains { $0 != "100-continue" }
    }

    /// HTTP/1.0 has none.
    private var expectations: [String] {
        guard minorVersion == 1 else { return [] }
        return headers.values(for: "expect").flatMap {
            $0.lowercased().split(separator: ",").map { String($0.filter { $0 != " " && $0 != "\t" }) }
        }
    }

    var hasBody: Bool {
        body != .none && body != .length(0)
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
