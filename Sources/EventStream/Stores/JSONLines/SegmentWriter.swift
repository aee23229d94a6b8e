import Synchronization

/// Appends to the last segment of a directory, and begins the next one when it is full.
struct SegmentWriter: ~Copyable {
    /// How many events' records are written to the index at a time, since that costs a call of its own.
    ///
    /// After a crash, the records that are missing are made again from the log.
    private static let indexBatch = 128

    private let directory: String
    private let lock: SessionLock
    private let durability: JSONLinesEventStore.Durability
    private let segmentSize: Int

    private var firstID: Int
    private var count: Int
    private var size: Int
    private var log: OpenFile
    /// `nil` when it couldn't be made: a log can do without.
    private var index: OpenFile?
    /// How many events have their record in the index.
    private var indexed: Int
    private var lines: ByteWriter
    /// The records of the lines.
    private var records: [IndexRecord] = []
    /// Why nothing can be written any more.
    private var failure: String?

    init(
        directory: String,
        lock: SessionLock,
        durability: JSONLinesEventStore.Durability,
        segmentSize: Int,
        continuing opening: borrowing SegmentOpening
    ) throws(EventStoreError) {
        let last = opening.lastSegment
        let log = try OpenFile(directory + "/" + SegmentName.log(last.firstID), .writing)
        let index = try OpenFile(directory + "/" + SegmentName.index(last.firstID), .writing)
        if durability == .synced { try Directory.synchronize(directory) }
        self.directory = directory
        self.lock = lock
        self.durability = durability
        self.segmentSize = segmentSize
        self.log = log
        self.index = index
        firstID = last.firstID
        count = last.count
        indexed = last.count
        size = opening.lastSize
        lines = ByteWriter(capacity: 1 << 16)
    }

    // MARK: Appending

    mutating func append(
        _ events: [Event],
        visibleIn state: borrowing Mutex<JSONLinesEventStore.State>
    ) throws(EventStoreError) -> Int {
        if let failure { throw .notWritable(path: directory, reason: failure) }
        defer {
            lines.removeAll()
            lines.shrink(to: 1 << 22)
            records.removeAll(keepingCapacity: records.capacity <= 1 << 12)
        }
        try encode(events)
        if size > 0, size + lines.count > segmentSize {
            try beginSegment(state)
            let end = records.first?.offset ?? 0
            for position in records.indices { records[position].offset -= end }
        }
        try write()
        size += lines.count
        count += records.count
        let last = events.last?.timestamp
        state.withLock { state in
            state.segments[state.segments.count - 1].count += records.count
            state.tail.append(contentsOf: records)
            state.lastTimestamp = last
        }
        if count - indexed >= Self.indexBatch { flushIndex(state) }
        return lines.count
    }

    /// Puts the lines of events into the buffer.
    private mutating func encode(_ events: [Event]) throws(EventStoreError) {
        var id = firstID + count
        for event in events {
            guard event.id == id else { throw .missingEvents(path: log.path, expected: id, found: event.id) }
            let start = lines.count
            let isHidden = lines.appendEvent(event)
            lines.append(UInt8(ascii: "\n"))
            let line = UnsafeRawBufferPointer(lines.bytes)
            records.append(
                IndexRecord(
                    event,
                    isHidden: isHidden,
                    offset: size + start,
                    line: UnsafeRawBufferPointer(rebasing: line[start...])
                )
            )
            id += 1
        }
    }

    /// Writes the buffer to the end of the log, all of it or nothing.
    private mutating func write() throws(EventStoreError) {
        do throws(EventStoreError) {
            try log.write(UnsafeRawBufferPointer(lines.bytes), at: size)
            if durability == .synced { try synchronize() }
        } catch {
            takeBack()
            throw error
        }
    }

    private mutating func synchronize() throws(EventStoreError) {
        do throws(EventStoreError) {
            try log.synchronize()
        } catch {
            // What the system still has of the data, and what it would write of it later, can't be known any more.
            failure = "synchronizing it failed (\(error)); open the session again"
            throw error
        }
    }

    /// Takes away what a failed append left.
    private mutating func takeBack() {
        do throws(EventStoreError) {
            try log.truncate(to: size)
        } catch {
            failure = "part of an append may be left in \(log.path) (\(error)); open the session again"
        }
    }

    // MARK: Segments

    private mutating func beginSegment(_ state: borrowing Mutex<JSONLinesEventStore.State>) throws(EventStoreError) {
        flushIndex(state)
        let nextID = firstID + count
        let fullID = firstID
        let nextLog = try OpenFile(directory + "/" + SegmentName.log(nextID), .creating)
        if durability == .synced {
            do throws(EventStoreError) {
                try Directory.synchronize(directory)
            } catch {
                // So that the next append can make it.
                try Directory.remove(nextLog.path)
                throw error
            }
        }
        firstID = nextID
        count = 0
        size = 0
        log = nextLog
        index = try? Self.makeIndex(directory, firstID: nextID)
        indexed = 0
        state.withLock { state in
            // What couldn't be written to the index stays in memory.
            if !state.tail.isEmpty { state.otherTails[fullID] = state.tail }
            state.tail = []
            state.segments.append(JSONLinesEventStore.Segment(firstID: nextID, count: 0))
            state.open = [:]
        }
    }

    /// Makes an index without records.
    static func makeIndex(_ directory: String, firstID: Int) throws(EventStoreError) -> OpenFile {
        let index = try OpenFile(directory + "/" + SegmentName.index(firstID), .writing)
        try index.truncate(to: 0)
        try index.write(IndexHeader.bytes(firstID: firstID), at: 0)
        return index
    }

    /// Moves records from memory to the index; where that fails, they stay in memory.
    private mutating func flushIndex(_ state: borrowing Mutex<JSONLinesEventStore.State>) {
        guard indexed < count, let index else { return }
        var writer = ByteWriter(capacity: IndexRecord.size * (count - indexed))
        for (position, record) in state.withLock({ $0.tail }).enumerated() {
            record.append(to: &writer, id: firstID + indexed + position)
        }
        do {
            try index.write(UnsafeRawBufferPointer(writer.bytes), at: IndexRecord.size * (1 + indexed))
        } catch {
            return
        }
        indexed = count
        state.withLock { $0.tail.removeAll(keepingCapacity: true) }
    }

    mutating func close(_ state: borrowing Mutex<JSONLinesEventStore.State>) throws(EventStoreError) {
        defer { lock.release() }
        flushIndex(state)
        if durability == .synced { try index?.synchronize() }
    }
}
