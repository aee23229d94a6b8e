/// Cuts a stream of bytes into lines, wherever its chunks begin and end.
///
/// A line ends with LF or CR LF; neither is part of it. For JSON Lines and the like.
public struct LineSplitter: Sendable {
    /// A line was longer than allowed.
    public struct LineTooLong: Error, Sendable, Hashable, CustomStringConvertible {
        /// The limit in bytes.
        public let limit: Int
        /// What was wrong.
        public var description: String { "a line is longer than \(limit) bytes" }
    }

    private let limit: Int
    private var partial: [UInt8] = []

    /// Creates a splitter.
    ///
    /// - Parameter maximumLineLength: the greatest length of a line in bytes, without its end.
    public init(maximumLineLength: Int) {
        limit = maximumLineLength
    }

    /// Takes the next bytes and returns the lines that they complete.
    ///
    /// - Throws: ``LineTooLong``; the splitter is of no use afterwards.
    public mutating func receive(_ bytes: some Collection<UInt8>) throws(LineTooLong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            partial += rest[..<end]
            if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
            guard partial.count <= limit else { throw LineTooLong(limit: limit) }
            lines.append(partial)
            partial = []
            rest = rest[rest.index(after: end)...]
        }
        partial += rest
        // One more, since a CR may turn out to belong to the line's end.
        guard partial.count <= limit + 1 else { throw LineTooLong(limit: limit) }
        return lines
    }

    /// Ends the stream and returns what came after the last line end, if anything did.
    public mutating func finish() -> [UInt8]? {
        defer { partial = [] }
        return partial.isEmpty ? nil : partial
    }
}
