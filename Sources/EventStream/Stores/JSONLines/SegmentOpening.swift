/// Finds out what a directory has, and puts in order what a crash left behind.
struct SegmentOpening {
    private let directory: String
    private let isWriting: Bool
    private(set) var recovery = JSONLinesEventStore.Recovery()
    private(set) var lastSegment = JSONLinesEventStore.Segment(firstID: 0, count: 0)
    /// How many bytes the last log has.
    private(set) var lastSize = 0

    init(directory: String, isWriting: Bool) {
        self.directory = directory
        self.isWriting = isWriting
    }

    mutating func open() throws(EventStoreError) -> JSONLinesEventStore.State {
        let firstIDs = try Directory.names(in: directory).compactMap(SegmentName.firstID(ofLog:)).sorted()
        var segments: [JSONLinesEventStore.Segment] = []
        var tails: [Int: [IndexRecord]] = [:]
        var lastTail: [IndexRecord] = []
        for (position, firstID) in firstIDs.enumerated() {
            let expected = segments.last?.endID ?? 0
            guard firstID == expected else {
                throw .missingEvents(path: path(SegmentName.log(firstID)), expected: expected, found: firstID)
            }
            let isLast = position == firstIDs.count - 1
            let (segment, tail) = try open(firstID, isLast: isLast)
            segments.append(segment)
            if isLast {
                lastTail = tail
            } else if !tail.isEmpty {
                tails[firstID] = tail
            }
        }
        if segments.isEmpty {
            segments = [JSONLinesEventStore.Segment(firstID: 0, count: 0)]
            if isWriting { _ = try SegmentWriter.makeIndex(directory, firstID: 0) }
        }
        lastSegment = segments[segments.count - 1]
        return JSONLinesEventStore.State(segments: segments, tail: lastTail, otherTails: tails)
    }

    private func path(_ name: String) -> String { directory + "/" + name }

    /// Opens a segment and returns it with the records that aren't in its index.
    private mutating func open(
        _ firstID: Int,
        isLast: Bool
    ) throws(EventStoreError) -> (JSONLinesEventStore.Segment, [IndexRecord]) {
        let log = try OpenFile(path(SegmentName.log(firstID)), isWriting && isLast ? .writing : .reading)
        let size = try log.size()
        let (indexed, end, isDamaged) = try indexedPart(firstID, log, size: size, isLast: isLast)
        var segment = JSONLinesEventStore.Segment(firstID: firstID, count: indexed)
        if isLast { lastSize = end }
        if end == size, !(indexed == 0 && isWriting && isLast) { return (segment, []) }

        let tail = try ScannedTail(of: log, from: end, to: size, firstID: segment.endID)
        segment.count += tail.records.count
        if tail.defect != nil { try handle(tail, of: segment, log, size: size, isLast: isLast) }
        if isLast { lastSize = tail.end }
        var records = tail.records
        if tail.lacksLineEnd, isWriting, isLast {
            let line = try log.read(tail.end..<(size + 1))
            line.withUnsafeBytes { bytes in
                guard let event = try? LogLine.event(bytes, id: segment.endID) else { return }
                records.append(IndexRecord(event, isHidden: event.isHidden, offset: tail.end, line: bytes))
            }
            segment.count += 1
            lastSize = size + 1
        }
        if isDamaged { recovery.rebuiltIndexes.append(path(SegmentName.index(firstID))) }
        guard isWriting else { return (segment, records) }
        try write(records, after: indexed, firstID: firstID)
        return (segment, [])
    }

    /// How many events the index has good records of, and where the last of them ends in the log.
    private func indexedPart(
        _ firstID: Int,
        _ log: OpenFile,
        size: Int,
        isLast: Bool
    ) throws(EventStoreError) -> (count: Int, end: Int, isDamaged: Bool) {
        let indexPath = path(SegmentName.index(firstID))
        guard Directory.exists(indexPath) else { return (0, 0, size > 0) }
        let index = try OpenFile(indexPath, .reading)
        let header = IndexHeader.bytes(firstID: firstID)
        guard try index.read(0..<header.count) == header else { return (0, 0, true) }
        let count = max(0, try index.size() / IndexRecord.size - 1)
        guard count > 0 else { return (0, 0, false) }
        let view = SegmentView(firstID: firstID, endID: firstID + count, log: log, index: index, tail: [])
        if !isLast {
            // A full segment isn't changed any more: its last record says whether the index is whole.
            guard let last = try? view.goodRecords((firstID + count - 1)..<(firstID + count)).first, last.end == size
            else {
                return (0, 0, true)
            }
            return (count, size, false)
        }
        var good = (count: 0, end: 0)
        var isDamaged = false
        do throws(EventStoreError) {
            try view.forEachRecord(in: firstID..<(firstID + count)) { _, record throws(EventStoreError) in
                guard record.offset == good.end, record.end <= size else { return false }
                good = (good.count + 1, record.end)
                return true
            }
        } catch {
            // A record that isn't what was written: those from there on are made again.
            isDamaged = true
        }
        good = try droppingUnwritten(good, in: view)
        return (good.count, good.end, isDamaged)
    }

    /// Takes away lines at the end whose data didn't reach the disk before a power loss, though their records did.
    private func droppingUnwritten(
        _ good: (count: Int, end: Int),
        in view: SegmentView
    ) throws(EventStoreError) -> (count: Int, end: Int) {
        var good = good
        while good.count > 0 {
            let id = view.firstID + good.count - 1
            guard let record = try view.goodRecords(id..<(id + 1)).first else { break }
            let bytes = try view.log.read(record.offset..<record.end)
            let isWritten = bytes.withUnsafeBytes { Checksum.of($0) == record.checksum }
            // No single flipped bit makes a zero of a line end.
            guard !isWritten, bytes.last == 0 else { break }
            good = (good.count - 1, record.offset)
        }
        return good
    }

    private mutating func handle(
        _ tail: ScannedTail,
        of segment: JSONLinesEventStore.Segment,
        _ log: OpenFile,
        size: Int,
        isLast: Bool
    ) throws(EventStoreError) {
        let reason = tail.defect ?? ""
        guard isLast, !tail.isFollowedByEvents else {
            throw .damaged(path: log.path, line: segment.count + 1, offset: tail.end, reason: reason)
        }
        // For a reader, the last line may just be being written.
        guard isWriting else {
            recovery.tornBytes = tail.end..<size
            return
        }
        if tail.lacksLineEnd {
            try log.write([UInt8(ascii: "\n")], at: size)
            return
        }
        let torn = try log.read(tail.end..<size)
        var copy = 0
        while Directory.exists(path(SegmentName.torn(segment.firstID, offset: tail.end, copy: copy))) { copy += 1 }
        let file = try OpenFile(path(SegmentName.torn(segment.firstID, offset: tail.end, copy: copy)), .creating)
        try file.write(torn, at: 0)
        // Only what is safe elsewhere is taken away here.
        try file.synchronize()
        try Directory.synchronize(directory)
        try log.truncate(to: tail.end)
        recovery.tornTail = file.path
        recovery.tornBytes = tail.end..<size
    }

    /// Makes the index have the records of the first events that it has already, and then these.
    private func write(_ records: [IndexRecord], after indexed: Int, firstID: Int) throws(EventStoreError) {
        var writer = ByteWriter(capacity: IndexRecord.size * (records.count + 1))
        for (position, record) in records.enumerated() { record.append(to: &writer, id: firstID + indexed + position) }
        let index =
            indexed > 0
            ? try OpenFile(path(SegmentName.index(firstID)), .writing)
            : try SegmentWriter.makeIndex(directory, firstID: firstID)
        let start = IndexRecord.size * (1 + indexed)
        try index.truncate(to: start)
        try index.write(UnsafeRawBufferPointer(writer.bytes), at: start)
    }
}
