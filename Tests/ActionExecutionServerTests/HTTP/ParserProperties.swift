#if !LIBFUZZER
@testable import ActionExecutionServer
#endif

/// What must hold of the parser for any bytes.
///
/// Has no need of a test library, since the fuzzer (`scripts/fuzz-http`) uses it too.
enum ParserProperties {
    /// Small, so that few bytes reach them.
    static let limits = HTTPRequestParser.Limits(head: 300, fieldCount: 5, body: 100)

    /// What a parser makes of bytes.
    struct Outcome: Equatable {
        var heads: [HTTPRequestHead] = []
        var bodies: [[UInt8]] = []
        /// What came of a body whose end didn't.
        var rest: [UInt8] = []
        var error: HTTPParseError?
        var isWithinRequest = false
        /// What else was wrong.
        var complaint: String?
    }

    static func parse(_ pieces: some Sequence<ArraySlice<UInt8>>) -> Outcome {
        var parser = HTTPRequestParser(limits: limits)
        var outcome = Outcome()
        var isInBody = false
        do throws(HTTPParseError) {
            for piece in pieces {
                parser.append(piece)
                while let part = try parser.next() {
                    switch part {
                    case .head(let head):
                        if isInBody { outcome.complaint = "a head within a body" }
                        isInBody = true
                        outcome.heads.append(head)
                    case .body(let bytes):
                        if !isInBody || bytes.isEmpty { outcome.complaint = "bytes of no body, or none" }
                        outcome.rest += bytes
                    case .end:
                        if !isInBody { outcome.complaint = "the end of no body" }
                        isInBody = false
                        outcome.bodies.append(outcome.rest)
                        outcome.rest = []
                    }
                }
                if parser.pendingSize >= limits.head { outcome.complaint = "\(parser.pendingSize) bytes are kept" }
            }
            outcome.isWithinRequest = parser.isWithinRequest
        } catch {
            outcome.error = error
            outcome.complaint = complaint(of: &parser, after: error) ?? outcome.complaint
        }
        return outcome
    }

    /// What is wrong with the parser's treatment of these bytes; nil when nothing is.
    static func violation(_ bytes: [UInt8]) -> String? {
        let whole = parse(CollectionOfOne(bytes[...]))
        if let complaint = whole.complaint { return complaint }
        for size in [1, 2, 3, 7, 64] {
            let starts = stride(from: 0, to: bytes.count, by: size)
            let split = parse(starts.lazy.map { bytes[$0..<min($0 + size, bytes.count)] })
            if split != whole { return "in pieces of \(size): \(split), but at once: \(whole)" }
        }
        for head in whole.heads {
            if let violation = violation(head) { return violation }
        }
        if whole.bodies.contains(where: { $0.count > limits.body }) { return "a body over the limit" }
        return nil
    }

    /// A refusal lasts, and keeps nothing of what follows.
    private static func complaint(of parser: inout HTTPRequestParser, after error: HTTPParseError) -> String? {
        for _ in 0..<3 {
            parser.append(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
            do throws(HTTPParseError) {
                return "after a refusal: \(String(describing: try parser.next()))"
            } catch let other {
                if other != error { return "another error after the first one" }
            }
        }
        return parser.pendingSize > 0 ? "bytes are kept after a refusal" : nil
    }

    /// What no head may have that was accepted, found in another way than the parser does.
    private static func violation(_ head: HTTPRequestHead) -> String? {
        let lengths = head.headers.values(for: "content-length")
        let codings = head.headers.values(for: "transfer-encoding")
        switch head.body {
        case .none: if !lengths.isEmpty || !codings.isEmpty { return "a length was passed over" }
        case .length(let length):
            if lengths != [String(length)] && lengths.first.flatMap(Int.init) != length { return "another length" }
            if lengths.count != 1 || !codings.isEmpty { return "two lengths" }
        case .chunked:
            if !lengths.isEmpty || codings.map({ $0.lowercased() }) != ["chunked"] { return "another coding" }
        }
        if head.headers.fields.count > limits.fieldCount + 1 { return "too many fields" }
        if head.headers.values(for: "host").count > 1 { return "two hosts" }
        for (name, value) in head.headers.fields {
            if name.isEmpty || name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x3a || $0 >= 0x7f }) { return "a name" }
            if value.utf8.contains(where: { $0 < 0x20 && $0 != 9 || $0 == 0x7f }) { return "a control character" }
        }
        if head.target.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { return "white space in the target" }
        guard head.target.utf8.first == UInt8(ascii: "/") || head.target == "*" else { return "the target's form" }
        return nil
    }
}
