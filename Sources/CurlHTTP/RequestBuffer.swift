/// The bytes of a request's body between their source and libcurl.
///
/// A value without I/O.
///
/// One side is the source: `offer`, `finish`. The other is libcurl's read callback: `read`, `rewind`.
/// A source that runs ahead of libcurl waits until `read` says that there is room again.
struct RequestBuffer {
    enum Read: Equatable {
        /// That many bytes were copied.
        case bytes(Int)
        /// The body is complete.
        case end
        /// Nothing is there yet; libcurl waits to be told to go on.
        case pause
    }

    /// The source gave more bytes than announced, or fewer.
    struct LengthMismatch: Error, Equatable {
        var announced: Int
        var offered: Int
    }

    private var bytes: [UInt8]
    private var offset = 0
    private let capacity: Int
    private let length: Int?
    private let isRewindable: Bool
    private var offered: Int
    private var delivered = 0
    private var isComplete: Bool
    private var isPaused = false
    private var hasBeenRead = false

    /// A body in memory, which can be sent again.
    init(bytes: [UInt8]) {
        self.bytes = bytes
        capacity = .max
        length = bytes.count
        offered = bytes.count
        isComplete = true
        isRewindable = true
    }

    /// A body that comes in chunks, at most `capacity` bytes and one chunk ahead.
    init(capacity: Int, length: Int?) {
        bytes = []
        self.capacity = capacity
        self.length = length
        offered = 0
        isComplete = false
        isRewindable = false
    }

    /// Whether the source may go on.
    ///
    /// Not before libcurl asked for the first time: if no connection comes about, the source stays untouched and can be used again.
    var hasRoom: Bool { hasBeenRead && bytes.count - offset < capacity }

    /// The number of bytes that may go out.
    ///
    /// The last one of an announced length waits for the source's end, so that the server never takes a body for complete
    /// whose source has more to say, or fails.
    private var available: Int {
        let buffered = bytes.count - offset
        guard let length, !isComplete else { return buffered }
        return min(buffered, max(0, length - 1 - delivered))
    }

    /// Adds a chunk; says whether libcurl waits for it and must be told.
    mutating func offer(_ chunk: [UInt8]) throws(LengthMismatch) -> Bool {
        offered += chunk.count
        if let length, offered > length {
            throw LengthMismatch(announced: length, offered: offered)
        }
        if offset == bytes.count {
            bytes = chunk
            offset = 0
        } else {
            bytes += chunk
        }
        return !chunk.isEmpty && takePause()
    }

    /// The source has ended; says whether libcurl waits and must be told.
    mutating func finish() throws(LengthMismatch) -> Bool {
        if let length, offered != length {
            throw LengthMismatch(announced: length, offered: offered)
        }
        isComplete = true
        return takePause()
    }

    /// Copies what fits, and drops it unless it may be needed again.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Read {
        hasBeenRead = true
        let count = min(target.count, available)
        guard count > 0 else {
            if isComplete { return .end }
            isPaused = true
            return .pause
        }
        bytes.withUnsafeBytes { source in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
        }
        offset += count
        delivered += count
        if offset == bytes.count && !isRewindable {
            bytes = []
            offset = 0
        }
        return .bytes(count)
    }

    /// Goes back to a position for a re-send; `false` if those bytes are gone.
    mutating func rewind(to position: Int) -> Bool {
        guard isRewindable, bytes.indices.contains(position) || position == bytes.count else { return false }
        offset = position
        delivered = position
        return true
    }

    private mutating func takePause() -> Bool {
        defer { isPaused = false }
        return isPaused
    }
}
