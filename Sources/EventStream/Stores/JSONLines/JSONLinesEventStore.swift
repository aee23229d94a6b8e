import Synchronization

/// Keeps events in a directory, as JSON in the reference's form, one event per line.
///
/// The files are for people too: they can be read, searched, compared and checked in. Each file of events has an index beside it with the place and
/// the checksum of each line; where that is missing it is made again from the events.
///
/// One store at a time may write to a directory; any number may read it meanwhile, in whatever process.
public final class JSONLinesEventStore: EventStore {
    /// What an acknowledged event survives.
    public enum Durability: Sendable, Hashable {
        /// The end of the process, however it ends: the system has the data.
        case os
        /// A power loss too: the disk has the data. Publishers that come together share the wait for it.
        case synced
    }

    /// What was found and done when the directory was opened.
    public struct Recovery: Sendable, Hashable {
        /// The file in which the rest of an interrupted append was set aside; `nil` where there was none.
        public internal(set) var tornTail: String?
        /// Where in the log the rest of an interrupted append began, and how long it was.
        ///
        /// A store that is open for reading leaves it there: it may be what somebody is just writing.
        public internal(set) var tornBytes: Range<Int> = 0..<0
        /// Indexes that were missing or damaged and were made again; in memory only, when reading.
        public internal(set) var rebuiltIndexes: [String] = []
        /// Whether all was well.
        public var isEmpty: Bool { tornBytes.isEmpty && rebuiltIndexes.isEmpty }
    }

    struct Segment: Sendable {
        let firstID: Int
        var count: Int
        var endID: Int { firstID + count }
    }

    /// What readers see.
    struct State {
        var segments: [Segment]
        /// Records of the last segment that aren't in its index on disk.
        var tail: [IndexRecord]
        /// Records of other segments that aren't in their index on disk, by segment.
        var otherTails: [Int: [IndexRecord]]
        /// The files of the segment that was read last, and of the one that is written.
        var open: [Int: (log: OpenFile, index: OpenFile?)] = [:]
        var lastTimestamp: Timestamp?
        var count: Int { segments.last?.endID ?? 0 }
    }

    /// The directory.
    public let directory: String

    /// What was found and done when the directory was opened.
    public let recovery: Recovery

    let state: Mutex<State>
    private let writer: Mutex<SegmentWriter?>
    private let durability: Durability

    /// Opens a directory for writing; makes it where it isn't there.
    ///
    /// The rest of an append that was interrupted by a crash is set aside in a file of its own, see ``recovery``; the events before it are kept.
    ///
    /// - Parameters:
    ///   - directory: The directory's path.
    ///   - durability: What an acknowledged event survives.
    ///   - segmentSize: A file that has this many bytes isn't added to; the next one is begun.
    /// - Throws: ``EventStoreError/inUse(path:holder:)`` when it is open for writing elsewhere,
    ///   ``EventStoreError/damaged(path:line:offset:reason:)`` when a line before others isn't an event, or what the system says.
    public init(
        directory: String,
        durability: Durability = .os,
        segmentSize: Int = 64 << 20
    ) throws(EventStoreError) {
        try Directory.create(directory)
        let lock = try SessionLock(directory: directory)
        var opening = SegmentOpening(directory: directory, isWriting: true)
        let state = try opening.open()
        let writer = try SegmentWriter(
            directory: directory,
            lock: lock,
            durability: durability,
            segmentSize: segmentSize,
            continuing: opening
        )
        self.directory = directory
        self.durability = durability
        recovery = opening.recovery
        self.state = Mutex(state)
        self.writer = Mutex(writer)
        restoreLastTimestamp()
    }

    /// Opens a directory for reading, as it is now: events that are written to it later aren't seen.
    ///
    /// - Throws: ``EventStoreError/damaged(path:line:offset:reason:)`` when there is no index and a line before others isn't an event, or what
    ///   the system says.
    public init(reading directory: String) throws(EventStoreError) {
        var opening = SegmentOpening(directory: directory, isWriting: false)
        state = Mutex(try opening.open())
        writer = Mutex(nil)
        self.directory = directory
        durability = .os
        recovery = opening.recovery
        restoreLastTimestamp()
    }

    /// How many events there are.
    public var count: Int { state.withLock { $0.count } }

    /// The time of the last event.
    public var lastTimestamp: Timestamp? { state.withLock { $0.lastTimestamp } }

    /// Always false.
    public var isResident: Bool { false }

    /// Whether appending waits for the disk.
    public var waitsForDisk: Bool { durability == .synced }

    private func restoreLastTimestamp() {
        let count = count
        // A last event that is damaged has no time to go on from.
        guard count > 0, let event = try? read(from: count - 1, limit: 1, maximumBytes: .max).first else { return }
        state.withLock { $0.lastTimestamp = event.timestamp }
    }

    // MARK: Writing

    /// Appends events, whose ids continue those there are.
    @discardableResult
    public func append(_ events: [Event]) throws(EventStoreError) -> Int {
        guard !events.isEmpty else { return 0 }
        return try writer.withLock { writer throws(EventStoreError) in
            guard let size = try writer?.append(events, visibleIn: state) else {
                throw .notWritable(path: directory, reason: "it is closed, or open for reading")
            }
            return size
        }
    }

    /// Writes what isn't on disk of the index, and lets another store write to the directory.
    public func close() throws(EventStoreError) {
        try writer.withLock { writer throws(EventStoreError) in
            defer { writer = nil }
            try writer?.close(state)
        }
    }

    deinit {
        // Without the rest of the index, the next store to open the directory makes it; so an error here costs nothing.
        try? close()
    }
}
