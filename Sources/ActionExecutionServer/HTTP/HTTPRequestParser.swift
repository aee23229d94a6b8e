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
    /// Bytes of the extensions of a body's chunks.
    private var extensionsSize = 0
    /// Bytes of the lines behind the last chunk.
    private var trailerSize = 0

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether a request has begun to arrive and isn't complete.
    var isWithinRequest: Bool {
        if case .head = state { return pendingSize > 0 }
        return true
    }

    /// How many bytes are here that no part was made of yet: no more than a head has, once ``next()`` returned nil.
    var pendingSize: Int { buffer.count - start }

    /// How much of the body is still to be read, whether it is here or not; nil when only its end will tell.
    var bodyBytesLeft: Int? {
        if case .body(let left) = state { left } else { nil }
    }

    mutating func append(_ bytes: some Collection<UInt8>) {
        if case .failed = state { return }
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
            (buffer, start, searched) = ([], 0, 0)
            throw error
        }
    }

    private mutating func parse() throws(HTTPParseError) -> Part? {
        while true {
            switch state {
            case .head:
                skipEmptyLines()
                guard let head = try takeHead() else { return nil }
                (bodySize, extensionsSize) = (0, 0)
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
                let (size, extensionSize) = try HTTPGrammar.chunkSize(line)
                // Of all chunks together: a peer must not make the server read much for a small body.
                extensionsSize += extensionSize
                guard extensionsSize <= limits.head else { throw .headTooLarge(limit: limits.head) }
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
                _ = try HTTPGrammar.field(line[...])
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

        // First, since another version of HTTP has other fields.
        let request = try HTTPGrammar.requestLine(requestLine)
        var headers = HTTPHeaders()
        for line in lines.dropFirst() {
            let (name, value) = try HTTPGrammar.field(line)
            headers.append(name, value)
        }
        try Self.checkHost(&headers, of: request)
        return HTTPRequestHead(
            method: request.method,
            target: request.target,
            minorVersion: request.minorVersion,
            headers: headers,
            body: try HTTPGrammar.framing(headers, minorVersion: request.minorVersion)
        )
    }

    /// RFC 9112, section 3.2: one Host field in HTTP/1.1, never two, and the same as in the target.
    private static func checkHost(
        _ headers: inout HTTPHeaders,
        of request: HTTPGrammar.RequestLine
    ) throws(HTTPParseError) {
        let hosts = headers.values(for: "host")
        guard hosts.count == 1 || (hosts.isEmpty && request.minorVersion == 0) else {
            throw .malformed("\(hosts.count) Host fields")
        }
        guard let authority = request.authority else { return }
        if hosts.isEmpty { headers.append("host", authority) }
        guard (hosts.first ?? authority).lowercased() == authority.lowercased() else {
            throw .malformed("a target with another host than the Host field")
        }
    }

    /// Refuses at its first byte what can't become a request: who speaks another protocol waits for an answer.
    private func checkFirstByte() throws(HTTPParseError) {
        guard start < buffer.count, !buffer[start].isTokenCharacter else { return }
        switch buffer[start] {
        case .lineFeed: throw .bareLineFeed
        // With the line feed behind it, it was skipped.
        case .carriageReturn where buffer.count - start < 2: return
        // RFC 8446, section 5.1: a handshake record.
        case 0x16: throw .malformed("it begins like TLS, and this is plain HTTP")
        default: throw .malformed("the method")
        }
    }

    /// The index after the empty line that ends the head.
    private mutating func endOfHead() throws(HTTPParseError) -> Int? {
        try checkFirstByte()
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
}
