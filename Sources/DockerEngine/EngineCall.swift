internal import CurlHTTP

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// One call of the engine, before it is sent: the route with its escaped parts.
struct EngineCall {
    var method: String
    var path: String
    var query: [(name: String, value: String)] = []
    var headers: HTTPHeaders = [:]
    var body: HTTPRequest.Body = .none
    var timeLimit: TimeLimit = .standard

    enum TimeLimit {
        /// The client's limit for a call that answers at once.
        case standard
        /// That limit and the time that the call itself is asked to take.
        case extended(by: Duration)
        /// For streams and for calls whose time depends on their content.
        case none
    }

    init(_ method: String, _ path: EnginePath) {
        self.method = method
        self.path = path.text
    }

    /// How the call is named in errors.
    var name: String { "\(method) \(path)" }

    var pathAndQuery: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\($0.name)=\(EnginePath.escaped($0.value))" }.joined(separator: "&")
    }

    mutating func add(_ name: String, _ value: String?) {
        if let value { query.append((name, value)) }
    }

    mutating func add(_ name: String, _ value: Bool) {
        if value { query.append((name, "1")) }
    }

    mutating func add(_ filters: EngineFilters) throws(DockerEngineError) {
        guard !filters.isEmpty else { return }
        add("filters", String(decoding: try EngineJSON.encode(filters.values, call: name), as: UTF8.self))
    }

    mutating func setBody(_ value: some Encodable) throws(DockerEngineError) {
        body = .bytes(try EngineJSON.encode(value, call: name))
        headers["Content-Type"] = "application/json"
    }

    mutating func setBody(archive: HTTPRequest.Body) {
        body = archive
        headers["Content-Type"] = "application/x-tar"
        timeLimit = .none
    }
}

/// The path of a route.
///
/// What is interpolated into it gets escaped, so that a name can't leave its place.
struct EnginePath: ExpressibleByStringInterpolation {
    struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ value: String) { text += EnginePath.escaped(value) }

        /// An image reference keeps its slashes: the engine's route takes the rest of the path for the name.
        mutating func appendInterpolation(image value: String) { text += EnginePath.escaped(value, keeping: "/:@") }
    }

    let text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Percent-encodes all but the unreserved characters (RFC 3986, 2.3) and those to keep.
    static func escaped(_ text: String, keeping kept: String = "") -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.append(Character(UnicodeScalar(byte)))
            case _ where kept.utf8.contains(byte):
                escaped.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return escaped
    }
}

/// The engine's JSON: Foundation's coders, with errors that name the call.
enum EngineJSON {
    static func encode(_ value: some Encodable, call: String) throws(DockerEngineError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(value))
        } catch {
            throw .invalidArgument("an argument has no JSON form: \(error)", call: call)
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self,
        from bytes: [UInt8],
        call: String
    ) throws(DockerEngineError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .decoding(call: call, body: shown(bytes), reason: "\(error)")
        }
    }

    /// The beginning of a body, for an error message.
    static func shown(_ bytes: [UInt8]) -> String {
        let limit = 1000
        let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
        return bytes.count > limit ? "\(text)… (\(bytes.count) bytes)" : text
    }
}
