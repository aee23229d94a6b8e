/// Reads the lines of a response's head, as libcurl hands them over, one per call.
///
/// Interim responses (1xx) are read and forgotten; what follows the head (trailers) is not asked for.
struct ResponseHeadParser {
    enum Problem: Error, Equatable {
        case tooLarge(limit: Int)
        case malformedStatusLine(String)
    }

    private let limit: Int
    private var size = 0
    private var status: Int?
    private var headers = HTTPHeaders()

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes one line with its line end; returns the head when the line was its last.
    mutating func receive(line: some Collection<UInt8>) throws(Problem) -> HTTPResponseHead? {
        size += line.count
        guard size <= limit else { throw .tooLarge(limit: limit) }
        let text = Self.trimmed(line)
        if text.starts(with: "HTTP/".utf8) && headers.isEmpty {
            // "HTTP/1.1 200 OK"; the reason may be missing (RFC 9112, 4).
            let digits = text.drop { $0 != 0x20 }.dropFirst().prefix { $0 != 0x20 }
            guard digits.count == 3, let code = Int(String(decoding: digits, as: UTF8.self)), code >= 100 else {
                throw .malformedStatusLine(String(decoding: text, as: UTF8.self))
            }
            status = code
            return nil
        }
        if text.isEmpty {
            guard let status else { return nil }
            defer { self = ResponseHeadParser(limit: limit) }
            return status < 200 ? nil : HTTPResponseHead(status: status, headers: headers)
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        headers.add(
            name: String(decoding: text[..<colon], as: UTF8.self),
            value: String(decoding: Self.trimmed(text[text.index(after: colon)...]), as: UTF8.self)
        )
        return nil
    }

    private static func trimmed<Bytes: Collection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        let start = bytes.drop(while: isBlank)
        var count = 0
        var length = 0
        for byte in start {
            count += 1
            if !isBlank(byte) { length = count }
        }
        return start.prefix(length)
    }
}
