/// Reads pages of a document with an array of events.
///
/// The text is in memory as a whole. Its events are read one by one, so that those before a place where it isn't JSON are had.
struct TrajectoryPages: PageSource {
    private let path: String
    private let selection: SessionSelection
    private let bytes: [UInt8]
    private var reader = TrajectoryReader()
    private var line = (number: 1, offset: 0)
    /// When going backwards: what is still to be returned, and how many entries there were.
    private var rest: (entries: [Result<Event, EventStoreError>], count: Int)?

    init(_ path: String, _ selection: SessionSelection) throws(EventStoreError) {
        self.path = path
        self.selection = selection
        bytes = try OpenFile.bytes(of: path)
        guard selection.isReversed else { return }
        var entries: [Result<Event, EventStoreError>] = []
        while let page = read() { entries += page.entries }
        rest = (entries, entries.count)
    }

    mutating func next() -> SessionReader.Page? {
        guard let (entries, count) = rest else { return read() }
        guard !entries.isEmpty else { return nil }
        let page = Array(entries.suffix(SessionSelection.pageCount).reversed())
        rest?.entries.removeLast(page.count)
        return SessionReader.Page(entries: page, fraction: 1 - Double(entries.count - page.count) / Double(count))
    }

    private mutating func read() -> SessionReader.Page? {
        guard !reader.isAtEnd else { return nil }
        var page = SessionReader.Page(fraction: 1)
        let start = reader.position
        do throws(JSONError) {
            while page.entries.count < SessionSelection.pageCount,
                reader.position - start < SessionSelection.pageBytes,
                let (element, offset) = try reader.next(bytes)
            {
                do throws(EventDecodingError) {
                    let event = try Event(json: element)
                    if selection.includes(event) { page.entries.append(.success(event)) }
                } catch {
                    page.entries.append(.failure(damage(at: offset, "\(error)")))
                }
            }
        } catch {
            page.entries.append(.failure(damage(at: error.offset, error.description)))
        }
        if !bytes.isEmpty { page.fraction = Double(reader.position) / Double(bytes.count) }
        return page
    }

    private mutating func damage(at offset: Int, _ reason: String) -> EventStoreError {
        line.number += bytes[line.offset..<max(line.offset, offset)].count { $0 == UInt8(ascii: "\n") }
        line.offset = max(line.offset, offset)
        return .damaged(path: path, line: line.number, offset: offset, reason: reason)
    }
}

/// Goes through the elements of an array of events, which may be the member `trajectory` of an object.
struct TrajectoryReader {
    private enum State {
        case beforeArray
        case inArray(isFirst: Bool)
        case atEnd
    }

    private static let member = "trajectory"

    private(set) var position = 0
    private var state = State.beforeArray
    private var isMember = false

    /// Whether there is nothing more, or nothing that could be read.
    var isAtEnd: Bool {
        if case .atEnd = state { true } else { false }
    }

    /// Reads the next element.
    ///
    /// - Parameter bytes: The whole text, the same at each call.
    /// - Returns: The element and where it begins; `nil` at the end.
    /// - Throws: The place where the text isn't an array of documents. That is the end.
    mutating func next(_ bytes: [UInt8]) throws(JSONError) -> (JSONValue, offset: Int)? {
        guard !isAtEnd else { return nil }
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var parser = JSONParser(buffer, maximumDepth: 512, from: position)
                defer { position = parser.position }
                return try next(&parser, count: buffer.count)
            }
        }
        if case .failure = result { state = .atEnd }
        return try result.get()
    }

    private mutating func next(
        _ parser: inout JSONParser,
        count: Int
    ) throws(JSONError) -> (JSONValue, offset: Int)? {
        if case .beforeArray = state {
            try findArray(&parser)
            state = .inArray(isFirst: true)
        }
        parser.skipWhitespace()
        if case .inArray(isFirst: true) = state, parser.take(UInt8(ascii: "]")) {
            try finish(&parser, count: count)
            return nil
        }
        if case .inArray(isFirst: false) = state {
            guard parser.take(UInt8(ascii: ",")) else {
                guard parser.take(UInt8(ascii: "]")) else { throw parser.error("\",\" or \"]\"") }
                try finish(&parser, count: count)
                return nil
            }
            parser.skipWhitespace()
        }
        state = .inArray(isFirst: false)
        let offset = parser.position
        return (try parser.value(depth: 1), offset)
    }

    private mutating func findArray(_ parser: inout JSONParser) throws(JSONError) {
        parser.skipWhitespace()
        if parser.take(UInt8(ascii: "{")) {
            isMember = true
            parser.skipWhitespace()
            while try name(&parser) != Self.member {
                _ = try parser.value(depth: 1)
                parser.skipWhitespace()
                guard parser.take(UInt8(ascii: ",")) else { throw parser.error("a member \"\(Self.member)\"") }
                parser.skipWhitespace()
            }
        }
        guard parser.take(UInt8(ascii: "[")) else { throw parser.error("an array of events") }
    }

    /// Reads what follows the array, and requires that it is the end.
    private mutating func finish(_ parser: inout JSONParser, count: Int) throws(JSONError) {
        state = .atEnd
        parser.skipWhitespace()
        if isMember {
            while parser.take(UInt8(ascii: ",")) {
                parser.skipWhitespace()
                _ = try name(&parser)
                _ = try parser.value(depth: 1)
                parser.skipWhitespace()
            }
            guard parser.take(UInt8(ascii: "}")) else { throw parser.error("\",\" or \"}\"") }
            parser.skipWhitespace()
        }
        guard parser.position == count else { throw parser.error("the end of the text") }
    }

    /// Reads a member's name, up to its value.
    private func name(_ parser: inout JSONParser) throws(JSONError) -> String {
        let name = try parser.name()
        parser.skipWhitespace()
        return name
    }
}
