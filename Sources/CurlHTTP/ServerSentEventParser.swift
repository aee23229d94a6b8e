/// An event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Hashable {
    /// The event's type; `message` when the stream names none.
    public var event: String
    /// The data lines, joined with line feeds.
    public var data: String
    /// The last id that the stream has set, this event's or an earlier one's; empty if there was none.
    public var lastEventID: String

    /// Creates an event.
    public init(event: String = "message", data: String, lastEventID: String = "") {
        self.event = event
        self.data = data
        self.lastEventID = lastEventID
    }
}

/// Reads a `text/event-stream` from its bytes, wherever the chunks begin and end.
///
/// The format is that of the HTML standard: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.
/// Lines end with LF, CR or CR LF; an event that the stream's end cuts off is not delivered.
///
/// ```swift
/// var parser = ServerSentEventParser(maximumEventSize: 1 << 20)
/// for try await chunk in response.body {
///     for event in try parser.receive(chunk) { … }
/// }
/// ```
public struct ServerSentEventParser: Sendable {
    /// An event was larger than allowed.
    public struct EventTooLarge: Error, Sendable, Hashable, CustomStringConvertible {
        /// The limit in bytes.
        public let limit: Int
        /// What was wrong.
        public var description: String { "a server-sent event is larger than \(limit) bytes" }
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var event = ""
    private var lastEventID = ""
    private var isFirstLine = true
    /// The last byte was a CR, so that a LF that follows belongs to the same line end.
    private var endedWithCarriageReturn = false
    /// The time that the server asks clients to wait before they reconnect, once it has said so.
    public private(set) var retryInterval: Duration?

    /// Creates a parser.
    ///
    /// - Parameter maximumEventSize: the greatest size of one event's data, and of one line, in bytes.
    public init(maximumEventSize: Int) {
        limit = maximumEventSize
    }

    /// Takes the next bytes and returns the events that they complete.
    ///
    /// - Throws: ``EventTooLarge``; the parser is of no use afterwards.
    public mutating func receive(_ bytes: some Collection<UInt8>) throws(EventTooLarge) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var rest = bytes[...]
        if endedWithCarriageReturn, let first = rest.first {
            endedWithCarriageReturn = false
            if first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            line += rest[..<end]
            let isReturn = rest[end] == UInt8(ascii: "\r")
            rest = rest[rest.index(after: end)...]
            if isReturn {
                if rest.isEmpty {
                    endedWithCarriageReturn = true
                } else if rest.first == UInt8(ascii: "\n") {
                    rest = rest.dropFirst()
                }
            }
            if let event = try endLine() { events.append(event) }
        }
        line += rest
        try check(line.count)
        return events
    }

    private mutating func endLine() throws(EventTooLarge) -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
        }
        try check(line.count)
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(UInt8(ascii: "\n")) }
            hasData = true
            data += value
            try check(data.count)
        case "event":
            event = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0):
            lastEventID = String(decoding: value, as: UTF8.self)
        case "retry" where value.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }:
            if let milliseconds = Int(String(decoding: value, as: UTF8.self)) {
                retryInterval = .milliseconds(milliseconds)
            }
        default:
            // A comment begins with the colon and so has no name; unknown fields are ignored.
            break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            data = []
            hasData = false
            event = ""
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            event: event.isEmpty ? "message" : event,
            data: String(decoding: data, as: UTF8.self),
            lastEventID: lastEventID
        )
    }

    private func check(_ size: Int) throws(EventTooLarge) {
        guard size <= limit else { throw EventTooLarge(limit: limit) }
    }
}
