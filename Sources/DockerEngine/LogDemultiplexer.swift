/// A piece of a container's output.
public struct LogFrame: Sendable, Hashable {
    /// Where a piece came from.
    public enum Source: UInt8, Sendable, Hashable {
        /// The input, echoed.
        case stdin = 0
        /// The output; also of a terminal, where the two can't be told apart.
        case stdout = 1
        /// The error output.
        case stderr = 2
    }

    /// Where it came from.
    public var source: Source
    /// The bytes.
    ///
    /// Their boundaries mean nothing: a line, or a character, may span several pieces.
    public var bytes: [UInt8]

    /// Creates a piece.
    public init(source: Source, bytes: [UInt8]) {
        self.source = source
        self.bytes = bytes
    }
}

/// Takes apart the engine's stream of output and error output.
///
/// A value without I/O.
///
/// Each frame has a header of 8 bytes: the source, three zeros, and the payload's length in big-endian order. See "Stream format" at
/// <https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach>.
/// Payloads are passed on as they come, not gathered, so a frame of any length takes no memory.
public struct LogDemultiplexer: Sendable {
    /// What is wrong with a stream.
    public enum Problem: Error, Sendable, Hashable {
        /// A header that no engine sends; most likely the container has a terminal, and the stream no frames.
        case malformedHeader([UInt8])
        /// The engine reports an error of its own.
        case engine(message: String)
        /// The stream ended within a frame.
        case truncated
    }

    /// The source of the engine's own errors.
    private static let systemErrorSource: UInt8 = 3
    /// Of an error message, more than this is dropped.
    private static let maximumMessageLength = 64 * 1024

    private var header: [UInt8] = []
    private var remaining = 0
    private var message: [UInt8] = []

    /// Creates a demultiplexer at the start of a stream.
    public init() {}

    /// Takes the next bytes and returns the pieces in them, in order.
    ///
    /// - Throws: ``Problem``; the demultiplexer is of no use afterwards.
    public mutating func receive(_ bytes: [UInt8]) throws(Problem) -> [LogFrame] {
        var frames: [LogFrame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if remaining == 0 {
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 8 else { break }
                try readHeader()
            }
            let payload = rest.prefix(remaining)
            rest = rest.dropFirst(payload.count)
            remaining -= payload.count
            if let source = LogFrame.Source(rawValue: header[0]) {
                if !payload.isEmpty { frames.append(LogFrame(source: source, bytes: Array(payload))) }
            } else {
                message += payload.prefix(Self.maximumMessageLength - message.count)
            }
            if remaining == 0 {
                if header[0] == Self.systemErrorSource {
                    throw .engine(message: String(decoding: message, as: UTF8.self))
                }
                header.removeAll(keepingCapacity: true)
            }
        }
        return frames
    }

    /// Ends the stream.
    ///
    /// - Throws: ``Problem/truncated`` if a frame isn't complete.
    public func finish() throws(Problem) {
        guard header.isEmpty else { throw .truncated }
    }

    private mutating func readHeader() throws(Problem) {
        guard header[0] <= Self.systemErrorSource, header[1...3] == [0, 0, 0] else { throw .malformedHeader(header) }
        remaining = header[4...].reduce(0) { $0 << 8 | Int($1) }
    }
}
