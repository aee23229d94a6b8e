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
        minorVersion == 1 && headers.values(for: "expect").contains { $0.lowercased() == "100-continue" }
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
