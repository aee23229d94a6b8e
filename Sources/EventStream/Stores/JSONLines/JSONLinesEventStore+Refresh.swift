import Synchronization

extension JSONLinesEventStore {
    /// The first event of the last file.
    var lastSegmentID: Int { state.withLock { $0.segments.last?.firstID ?? 0 } }

    /// Looks for events that another process has written since; for a store that was opened for reading, by one task at a time.
    ///
    /// - Returns: Whether there are more events now.
    /// - Throws: ``EventStoreError/damaged(path:line:offset:reason:)`` when a line before others isn't an event, or what the system says.
    public func refresh() throws(EventStoreError) -> Bool {
        let before = count
        var end = try refreshLastSegment()
        // A full file may have been followed by others meanwhile.
        while end == nil, Directory.exists(directory + "/" + SegmentName.log(count)), count != lastSegmentID {
            state.withLock { state in
                if !state.tail.isEmpty, let full = state.segments.last { state.otherTails[full.firstID] = state.tail }
                state.tail = []
                state.segments.append(Segment(firstID: state.count, count: 0))
            }
            end = try refreshLastSegment()
        }
        return count > before
    }

    /// Takes in what the last file has more.
    ///
    /// - Returns: The offset of a line that isn't whole yet; `nil` where there is none.
    private func refreshLastSegment() throws(EventStoreError) -> Int? {
        let (segment, tail) = state.withLock { state in
            (state.segments.last ?? Segment(firstID: 0, count: 0), state.tail)
        }
        let logPath = directory + "/" + SegmentName.log(segment.firstID)
        guard Directory.exists(logPath) else { return nil }
        let log = try OpenFile(logPath, .reading)
        let size = try log.size()
        var last = tail.last
        if last == nil { last = try lastIndexed(of: segment, log) }
        let end = last?.end ?? 0
        if let last { try expectUnchanged(last, of: segment, log) }
        guard size > end else { return nil }
        let scanned = try ScannedTail(of: log, from: end, to: size, firstID: segment.endID)
        if scanned.isFollowedByEvents {
            throw .damaged(
                path: logPath,
                line: segment.count + scanned.records.count + 1,
                offset: scanned.end,
                reason: scanned.defect ?? ""
            )
        }
        state.withLock { state in
            state.segments[state.segments.count - 1].count += scanned.records.count
            state.tail.append(contentsOf: scanned.records)
        }
        try forgetIndexed()
        return scanned.end < size ? scanned.end : nil
    }

    private func lastIndexed(of segment: Segment, _ log: OpenFile) throws(EventStoreError) -> IndexRecord? {
        guard segment.count > 0 else { return nil }
        let index = try OpenFile(directory + "/" + SegmentName.index(segment.firstID), .reading)
        let view = SegmentView(firstID: segment.firstID, endID: segment.endID, log: log, index: index, tail: [])
        return try view.goodRecords((segment.endID - 1)..<segment.endID).first
    }

    /// Checks that the last event read is still there: its writer, short of space for others of the same append, may have taken it back.
    private func expectUnchanged(
        _ record: IndexRecord,
        of segment: Segment,
        _ log: OpenFile
    ) throws(EventStoreError) {
        let line = try log.read(record.offset..<record.end)
        guard line.count < record.length || line.withUnsafeBytes({ Checksum.of($0) }) != record.checksum else { return }
        throw .damaged(
            path: log.path,
            line: segment.count,
            offset: record.offset,
            reason:
                "event \(segment.endID - 1) isn't what was read before, so its append may have failed; follow it again"
        )
    }

    /// Gives up records in memory that the writer has put into the index meanwhile, once they're many.
    private func forgetIndexed() throws(EventStoreError) {
        let (segment, tail) = state.withLock { state in
            (state.segments.last ?? Segment(firstID: 0, count: 0), state.tail)
        }
        let indexPath = directory + "/" + SegmentName.index(segment.firstID)
        guard tail.count > 4096, Directory.exists(indexPath) else { return }
        let index = try OpenFile(indexPath, .reading)
        let indexed = min(segment.count, max(0, try index.size() / IndexRecord.size - 1))
        let kept = segment.count - indexed
        guard kept < tail.count else { return }
        state.withLock { $0.tail.removeFirst($0.tail.count - kept) }
    }
}
