/// Turns the bytes of a connection into requests (RFC 9112); a value that does no I/O.
///
/// Feed it with ``append(_:)`` and take parts with ``next()`` until that returns nil. What a careless peer, or one that
/// wants two servers to see different requests, might send is refused: both length headers, repeated ones, white space
/// before a colon, folded lines, bare line feeds, control characters.
struct HTTPRequestParser {
    /// The sizes beyond which a request is refused.
    struct Limits: Sendable {
        /// Bytes of the request line and all header fields.
        var head = 64 * 1024
        /// Header fields.
        var fieldCount = 100
        /// Bytes of a body after decoding.
        var body = 256 * 1024 * 1024
    }

    /// What was found, in the order of the wire.
    enum Part: Equatable {
        case head(HTTPRequestHead)
        case body([UInt8])
        case end
    }

    private enum State {
        /// Between requests, or in a head.
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        /// After a refusal: nothing that follows can be trusted.
        case failed(HTTPParseError)
    }

    private let limits: Limits
    private var state = State.head
    private var buffer: [UInt8] = []
    /// Where the bytes begin that were not taken yet.
    private var start = 0
    /// How far the search for the end of the head went, so that a slow sender costs no more than a quick one.
    private var searched = 0
    private var bodySize = 0
    /// Bytes of the lines behind the last chunk.
    private var trailerSize = 0

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether a request has begun to arrive and isn't complete.
    var isWithinRequest: Bool {
        if case .head = state { return start < buffer.count }
        return true
    }

    /// Whether bytes are here that no part was made of yet.
    var hasBytes: Bool { start < buffer.count }

    /// How much of the body is still to be read, whether it is here or not; nil when only its end will tell.
    var bodyBytesLeft: Int? {
        if case .body(let left) = state { left } else { nil }
    }

    mutating func append(_ bytes: some Collection<UInt8>) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            (start, searched) = (0, 0)
        } else if start > 1 << 16 {
            buffer.removeSubrange(..<start)
            searched = max(0, searched - start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next part, or nil when more bytes are needed.
    ///
    /// - Throws: what is wrong with the request; the same again from then on.
    mutating func next() throws(HTTPParseError) -> Part? {
        do throws(HTTPParseError) {
            return try parse()
        } catch {
            state = .failed(error)
            throw error
        }
    }

    private mutating func parse() throws(HTTPParseError) -> Part? {
        while true {
            switch state {
            case .head:
                skipEmptyLines()
                guard let head = try takeHead() else { return nil }
                bodySize = 0
                switch head.body {
                case .none:
                    state = .body(left: 0)
                case .length(let length):
                    guard length <= limits.body else { throw .bodyTooLarge(limit: limits.body) }
                    state = .body(left: length)
                case .chunked:
                    state = .chunkSize
                }
                return .head(head)
            case .body(left: 0):
                state = .head
                return .end
            case .body(let left):
                guard let bytes = take(atMost: left) else { return nil }
                state = .body(left: left - bytes.count)
                return .body(bytes)
            case .chunkSize:
                guard let line = try takeLine(atMost: limits.head) else { return nil }
                let size = try Self.chunkSize(line)
                bodySize += size
                guard bodySize <= limits.body else { throw .bodyTooLarge(limit: limits.body) }
                trailerSize = 0
                state = size == 0 ? .trailers : .chunk(left: size)
            case .chunk(let left):
                guard let bytes = take(atMost: left) else { return nil }
                state = left == bytes.count ? .chunkEnd : .chunk(left: left - bytes.count)
                return .body(bytes)
            case .chunkEnd:
                guard let line = try takeLine(atMost: limits.head) else { return nil }
                guard line.isEmpty else { throw .malformed("bytes after a chunk") }
                state = .chunkSize
            case .trailers:
                guard let line = try takeLine(atMost: limits.head - trailerSize) else { return nil }
                if line.isEmpty {
                    state = .head
                    return .end
                }
                trailerSize += line.count + 2
                // RFC 9112, section 7.1.2: a recipient may discard trailers. They must have the form of fields all the same.
                var discarded = HTTPHeaders()
                try Self.parseField(line[...], into: &discarded)
            case .failed(let error):
                throw error
            }
        }
    }

    // MARK: Taking bytes

    private mutating func take(atMost count: Int) -> [UInt8]? {
        let available = min(count, buffer.count - start)
        guard available > 0 else { return nil }
        let bytes = Array(buffer[start..<start + available])
        start += available
        searched = start
        return bytes
    }

    /// A line without its end.
    private mutating func takeLine(atMost limit: Int) throws(HTTPParseError) -> [UInt8]? {
        let window = buffer[start..<min(buffer.count, start + limit)]
        guard let feed = window.firstIndex(of: .lineFeed) else {
            guard window.count < limit else { throw .headTooLarge(limit: limits.head) }
            return nil
        }
        guard feed > start, buffer[feed - 1] == .carriageReturn else { throw .bareLineFeed }
        let line = Array(buffer[start..<feed - 1])
        start = feed + 1
        searched = start
        return line
    }

    /// RFC 9112, section 2.2: empty lines before a request line are ignored.
    private mutating func skipEmptyLines() {
        while buffer.count - start >= 2, buffer[start] == .carriageReturn, buffer[start + 1] == .lineFeed {
            start += 2
            searched = max(searched, start)
        }
    }

    private mutating func takeHead() throws(HTTPParseError) -> HTTPRequestHead? {
        guard let end = try endOfHead() else { return nil }
        var lines: [ArraySlice<UInt8>] = []
        var lineStart = start
        while lineStart < end - 2 {
            // Each line ends in CR LF: the search for the end saw to it.
            guard let feed = buffer[lineStart..<end].firstIndex(of: .lineFeed) else { break }
            lines.append(buffer[lineStart..<feed - 1])
            lineStart = feed + 1
        }
        start = end
        searched = end
        guard let requestLine = lines.first else { throw .malformed("an empty head") }
        guard lines.count - 1 <= limits.fieldCount else { throw .headTooLarge(limit: limits.fieldCount) }

        var headers = HTTPHeaders()
        for line in lines.dropFirst() { try Self.parseField(line, into: &headers) }
        let (method, target, minorVersion) = try Self.parseRequestLine(requestLine)
        let hosts = headers.values(for: "host").count
        // RFC 9112, section 3.2: one Host field in HTTP/1.1, never two.
        guard hosts == 1 || (hosts == 0 && minorVersion == 0) else { throw .malformed("\(hosts) Host fields") }
        return HTTPRequestHead(
            method: method,
            target: target,
            minorVersion: minorVersion,
            headers: headers,
            body: try Self.framing(headers, minorVersion: minorVersion)
        )
    }

    /// The index after the empty line that ends the head.
    private mutating func endOfHead() throws(HTTPParseError) -> Int? {
        let window = min(buffer.count, start + limits.head)
        while let feed = buffer[searched..<window].firstIndex(of: .lineFeed) {
            // At once: a peer that ends its lines so waits for an answer now.
            guard feed > start, buffer[feed - 1] == .carriageReturn else { throw .bareLineFeed }
            searched = feed + 1
            if feed >= start + 3, buffer[feed - 2] == .lineFeed { return feed + 1 }
        }
        searched = window
        guard window < start + limits.head else { throw .headTooLarge(limit: limits.head) }
        return nil
    }

    // MARK: Grammar

    /// RFC 9112, section 3.
    private static func parseRequestLine(
        _ line: ArraySlice<UInt8>
    ) throws(HTTPParseError) -> (method: String, target: String, minorVersion: Int) {
        let parts = line.split(separator: .space, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("a request line of \(parts.count) words") }
        guard !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else { throw .malformed("the method") }
        // Origin form only: the server is no proxy.
        guard parts[1].first == UInt8(ascii: "/"), parts[1].allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw .malformed("the request target")
        }
        let version = String(decoding: parts[2], as: UTF8.self)
        switch version {
        case "HTTP/1.1": return (text(parts[0]), text(parts[1]), 1)
        case "HTTP/1.0": return (text(parts[0]), text(parts[1]), 0)
        default:
            guard version.hasPrefix("HTTP/") else { throw .malformed("the version") }
            throw .unsupportedVersion(version)
        }
    }

    /// RFC 9112, section 5: no space before the colon, no folded lines.
    private static func parseField(_ line: ArraySlice<UInt8>, into headers: inout HTTPHeaders) throws(HTTPParseError) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw .malformed("a header line without colon")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(\.isTokenCharacter) else { throw .malformed("a header name") }
        let isSpace = { (byte: UInt8) in byte == .space || byte == .tab }
        var value = line[(colon + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == .tab }) else {
            throw .malformed("a control character in the header \(text(name))")
        }
        headers.append(text(name), text(value))
    }

    /// RFC 9112, section 6.3, without the leniency: both length headers, or one of them twice, may be an attack.
    private static func framing(
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
    private static func chunkSize(_ line: [UInt8]) throws(HTTPParseError) -> Int {
        guard line.allSatisfy({ $0 >= 0x20 || $0 == .tab }) else {
            throw .malformed("a control character in a chunk size")
        }
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != .space && $0 != .tab }
        guard !digits.isEmpty, digits.count <= 15, digits.allSatisfy(\.isHexadecimalDigit),
            let size = Int(text(digits), radix: 16)
        else { throw .malformed("a chunk size") }
        return size
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a request is refused.
enum HTTPParseError: Error, Equatable {
    /// The named part of the request breaks the grammar.
    case malformed(String)
    case headTooLarge(limit: Int)
    case bodyTooLarge(limit: Int)
    case unsupportedVersion(String)
    case unsupportedCoding(String)

    /// A line that ends in a line feed alone.
    static let bareLineFeed = HTTPParseError.malformed("a line without carriage return")

    /// The status to answer with before the connection is closed.
    var status: Int {
        switch self {
        case .malformed: 400
        case .headTooLarge: 431
        case .bodyTooLarge: 413
        case .unsupportedVersion: 505
        case .unsupportedCoding: 501
        }
    }

    /// One sentence for the peer.
    var detail: String {
        switch self {
        case .malformed(let part): "Malformed request: \(part)"
        case .headTooLarge(let limit): "The request head is over the limit of \(limit)"
        case .bodyTooLarge(let limit): "The request body is over the limit of \(limit) bytes"
        case .unsupportedVersion(let version): "\(version) is not supported"
        case .unsupportedCoding(let coding): "The transfer coding \(coding) is not supported"
        }
    }
}

extension UInt8 {
    fileprivate static let tab: UInt8 = 0x09
    fileprivate static let lineFeed: UInt8 = 0x0a
    fileprivate static let carriageReturn: UInt8 = 0x0d
    fileprivate static let space: UInt8 = 0x20

    /// RFC 9110, section 5.6.2.
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }
}
