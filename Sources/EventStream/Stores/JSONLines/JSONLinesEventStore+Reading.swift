import Synchronization

extension JSONLinesEventStore {
    /// Reads events in order.
    public func read(from id: Int, limit: Int, maximumBytes: Int) throws(EventStoreError) -> [Event] {
        let view = try view(of: id)
        let end = limit < view.endID - id ? id + limit : view.endID
        return try view.events(id..<end, maximumBytes: maximumBytes)
    }

    /// Finds events, looking at the index first and only at the lines that it doesn't rule out.
    public func events(
        in ids: Range<Int>,
        reversed isReversed: Bool,
        where filter: EventFilter,
        limit: Int
    ) throws(EventStoreError) -> [Event] {
        var rest = ids.clamped(to: 0..<count)
        let test = RecordFilter(filter)
        var found: [Event] = []
        while !rest.isEmpty, found.count < limit {
            let view = try view(of: isReversed ? rest.upperBound - 1 : rest.lowerBound)
            let part = rest.clamped(to: view.firstID..<view.endID)
            try find(in: part, of: view, reversed: isReversed, filter, test, limit, &found)
            rest = isReversed ? rest.lowerBound..<part.lowerBound : part.upperBound..<rest.upperBound
        }
        return found
    }

    private func find(
        in ids: Range<Int>,
        of view: SegmentView,
        reversed isReversed: Bool,
        _ filter: EventFilter,
        _ test: RecordFilter,
        _ limit: Int,
        _ found: inout [Event]
    ) throws(EventStoreError) {
        // Neighbours are read together, up to a size that is no burden.
        var run = ids.lowerBound..<ids.lowerBound
        var bytes = 0
        func takeRun() throws(EventStoreError) {
            guard !run.isEmpty else { return }
            var events: [Event] = []
            var next = run.lowerBound
            while next < run.upperBound {
                let page = try view.events(next..<run.upperBound, maximumBytes: .max)
                events += page
                next += page.count
            }
            for event in isReversed ? events.reversed() : events where found.count < limit && filter.includes(event) {
                found.append(event)
            }
        }
        try view.forEachRecord(in: ids, reversed: isReversed) { id, record throws(EventStoreError) in
            guard test.mayInclude(record) else { return true }
            let isNeighbour = isReversed ? id + 1 == run.lowerBound : id == run.upperBound
            if run.isEmpty || !isNeighbour || bytes > 1 << 18 || run.count >= limit - found.count {
                try takeRun()
                guard found.count < limit else {
                    run = id..<id
                    return false
                }
                run = id..<(id + 1)
                bytes = 0
            } else {
                run = isReversed ? id..<run.upperBound : run.lowerBound..<(id + 1)
            }
            bytes += record.length
            return true
        }
        try takeRun()
    }

    /// Reads everything and returns what isn't as it was written.
    public func verify() -> [EventStoreError] {
        var damages: [EventStoreError] = []
        var id = 0
        let count = count
        while id < count {
            do throws(EventStoreError) {
                id = verify(try view(of: id), &damages)
            } catch {
                damages.append(error)
                let next = state.withLock { state in state.segments.first { $0.firstID > id }?.firstID }
                guard let next else { break }
                id = next
            }
        }
        return damages
    }

    private func verify(_ view: SegmentView, _ damages: inout [EventStoreError]) -> Int {
        if let index = view.index, (try? index.read(0..<IndexRecord.size)) != IndexHeader.bytes(firstID: view.firstID) {
            damages.append(.damagedIndex(path: index.path, offset: 0, reason: "the header doesn't have its checksum"))
        }
        var id = view.firstID
        while id < view.endID {
            do throws(EventStoreError) {
                let page = try view.events(id..<min(id + 256, view.endID), maximumBytes: 1 << 20)
                id += page.count
            } catch {
                damages.append(error)
                id += 1
            }
        }
        return view.endID
    }

    /// The segment with an event, as it is now.
    private func view(of id: Int) throws(EventStoreError) -> SegmentView {
        let found = state.withLock { state -> (Segment, ArraySlice<IndexRecord>, (log: OpenFile, index: OpenFile?)?)? in
            guard id >= 0, id < state.count else { return nil }
            var position = state.segments.endIndex - 1
            if state.segments[position].firstID > id {
                // The last one that begins at or before the event.
                var range = 0..<position
                while range.count > 1 {
                    let middle = range.lowerBound + range.count / 2
                    range = state.segments[middle].firstID <= id ? middle..<range.upperBound : range.lowerBound..<middle
                }
                position = range.lowerBound
            }
            let segment = state.segments[position]
            let isLast = position == state.segments.endIndex - 1
            let tail = isLast ? state.tail : state.otherTails[segment.firstID, default: []]
            return (segment, tail[...], state.open[segment.firstID])
        }
        guard let (segment, tail, open) = found else { throw .noSuchEvent(id: id, count: count) }
        let needsIndex = tail.count < segment.count
        var files = open
        if files == nil || needsIndex && files?.index == nil {
            files = try self.files(of: segment, needsIndex: needsIndex)
        }
        guard let files else { throw .noSuchEvent(id: id, count: count) }
        return SegmentView(
            firstID: segment.firstID,
            endID: segment.endID,
            log: files.log,
            index: files.index,
            tail: tail
        )
    }

    private func files(
        of segment: Segment,
        needsIndex: Bool
    ) throws(EventStoreError) -> (log: OpenFile, index: OpenFile?) {
        let log = try OpenFile(directory + "/" + SegmentName.log(segment.firstID), .reading)
        var index: OpenFile?
        if needsIndex { index = try OpenFile(directory + "/" + SegmentName.index(segment.firstID), .reading) }
        let files = (log: log, index: index)
        state.withLock { state in
            // The last one read, and the one that is written: readers of both don't get into each other's way.
            if state.open.count > 1 {
                let last = state.segments.last?.firstID
                state.open = state.open.filter { $0.key == last }
            }
            state.open[segment.firstID] = files
        }
        return files
    }
}
