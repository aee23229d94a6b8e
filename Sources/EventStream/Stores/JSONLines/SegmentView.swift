/// A segment as it is at one moment, for reading: events that are added later aren't part of it.
struct SegmentView {
    let firstID: Int
    /// The id after the last event.
    let endID: Int
    let log: OpenFile
    /// Has the records of the first events.
    let index: OpenFile?
    /// The records of the other events.
    let tail: ArraySlice<IndexRecord>

    /// The first event whose record is in memory.
    private var tailID: Int { endID - tail.count }

    /// The line of an event in the file, from 1.
    func line(of id: Int) -> Int { id - firstID + 1 }

    // MARK: Records

    /// Calls a function with the record of each event, from the first or from the last, until it returns false.
    func forEachRecord(
        in ids: Range<Int>,
        reversed isReversed: Bool = false,
        _ body: (Int, IndexRecord) throws(EventStoreError) -> Bool
    ) throws(EventStoreError) {
        let span = 2048
        var rest = ids
        while !rest.isEmpty {
            let page =
                isReversed
                ? max(rest.lowerBound, rest.upperBound - span)..<rest.upperBound
                : rest.lowerBound..<min(rest.upperBound, rest.lowerBound + span)
            let stored = page.clamped(to: firstID..<tailID)
            let bytes = try recordBytes(stored)
            for position in 0..<page.count {
                let id = isReversed ? page.upperBound - 1 - position : page.lowerBound + position
                let record =
                    id < tailID
                    ? try record(id, in: bytes, from: stored.lowerBound) : tail[tail.startIndex + id - tailID]
                guard try body(id, record) else { return }
            }
            rest = isReversed ? rest.lowerBound..<page.lowerBound : page.upperBound..<rest.upperBound
        }
    }

    /// The records of events up to the first that is damaged; it is an error when that is the first of all.
    func goodRecords(_ ids: Range<Int>) throws(EventStoreError) -> [IndexRecord] {
        var records: [IndexRecord] = []
        records.reserveCapacity(ids.count)
        do throws(EventStoreError) {
            try forEachRecord(in: ids) { _, record throws(EventStoreError) in
                records.append(record)
                return true
            }
        } catch {
            guard !records.isEmpty else { throw error }
        }
        return records
    }

    private func recordBytes(_ ids: Range<Int>) throws(EventStoreError) -> [UInt8] {
        guard !ids.isEmpty else { return [] }
        guard let index else { throw .damagedIndex(path: log.path, offset: 0, reason: "it has no index") }
        let start = IndexRecord.size * (1 + ids.lowerBound - firstID)
        let bytes = try index.read(start..<(start + IndexRecord.size * ids.count))
        guard bytes.count == IndexRecord.size * ids.count else {
            throw .damagedIndex(path: index.path, offset: start + bytes.count, reason: "it ends before its last record")
        }
        return bytes
    }

    private func record(_ id: Int, in bytes: [UInt8], from start: Int) throws(EventStoreError) -> IndexRecord {
        let record = bytes.withUnsafeBytes { buffer in
            buffer.baseAddress.flatMap { IndexRecord($0 + (id - start) * IndexRecord.size, id: id) }
        }
        guard let record else {
            throw .damagedIndex(
                path: index?.path ?? log.path,
                offset: IndexRecord.size * (1 + id - firstID),
                reason: "the record of event \(id) doesn't have its checksum"
            )
        }
        return record
    }

    // MARK: Events

    /// Reads events in order, at least one, and no more once they take so many bytes.
    ///
    /// A damaged event ends the page; it is an error when it is the first.
    func events(_ ids: Range<Int>, maximumBytes: Int) throws(EventStoreError) -> [Event] {
        let records = try goodRecords(ids)
        var end = 0
        var size = 0
        for record in records {
            guard end == 0 || size + record.length <= maximumBytes && record.offset == records[end - 1].end else {
                break
            }
            size += record.length
            end += 1
        }
        guard end > 0 else { return [] }
        let bytes = try log.read(records[0].offset..<(records[0].offset + size))
        var events: [Event] = []
        events.reserveCapacity(end)
        for (position, record) in records[..<end].enumerated() {
            do throws(EventStoreError) {
                events.append(try event(ids.lowerBound + position, record, in: bytes, from: records[0].offset))
            } catch {
                guard position > 0 else { throw error }
                break
            }
        }
        return events
    }

    /// Reads one event whose record is known.
    func event(_ id: Int, _ record: IndexRecord) throws(EventStoreError) -> Event {
        try event(id, record, in: log.read(record.offset..<record.end), from: record.offset)
    }

    private func event(
        _ id: Int,
        _ record: IndexRecord,
        in bytes: [UInt8],
        from start: Int
    ) throws(EventStoreError) -> Event {
        let range = (record.offset - start)..<(record.end - start)
        guard range.upperBound <= bytes.count else { throw damage(id, record, "the file ends before the line does") }
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(EventStoreError) in
                let line = UnsafeRawBufferPointer(rebasing: buffer[range])
                guard Checksum.of(line) == record.checksum else {
                    throw damage(id, record, "the line doesn't have its checksum")
                }
                do {
                    return try LogLine.event(line, id: id)
                } catch {
                    throw damage(id, record, "\(error)")
                }
            }
        }
        return try result.get()
    }

    private func damage(_ id: Int, _ record: IndexRecord, _ reason: String) -> EventStoreError {
        .damaged(path: log.path, line: line(of: id), offset: record.offset, reason: "event \(id): " + reason)
    }
}

/// One line of a log.
enum LogLine {
    /// A line that isn't what it should be.
    struct Malformation: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads a line with its end.
    static func event(_ line: UnsafeRawBufferPointer, id: Int) throws(Malformation) -> Event {
        guard line.last == UInt8(ascii: "\n") else { throw Malformation(description: "the line has no end") }
        return try event(text: UnsafeRawBufferPointer(rebasing: line.dropLast()), id: id)
    }

    /// Reads a line without its end.
    static func event(text: UnsafeRawBufferPointer, id: Int) throws(Malformation) -> Event {
        let event: Event
        do {
            event = try Event(jsonBytes: text.assumingMemoryBound(to: UInt8.self))
        } catch {
            throw Malformation(description: "\(error)")
        }
        guard event.id == id else { throw Malformation(description: "the line has event \(event.id)") }
        return event
    }
}
