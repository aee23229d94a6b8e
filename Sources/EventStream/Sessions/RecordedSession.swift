/// A session that was recorded, whole and in memory: to replay it, to compare with it, or to keep it in another form.
public struct RecordedSession: Sendable, Hashable {
    /// An action and what came of it.
    public struct Exchange: Sendable, Hashable {
        /// The action's event.
        public var action: Event
        /// The event that has the action as its cause; `nil` where the recording has none.
        public var observation: Event?
    }

    /// The events in the order of their ids, of which a recording may leave some out.
    public var events: [Event]

    /// Makes a session of events, and puts them in the order of their ids.
    public init(events: [Event]) {
        self.events = events.sorted { $0.id < $1.id }
    }

    /// Reads a session in any form that it may be kept in.
    ///
    /// A directory can be one of ``JSONLinesEventStore``, or a session of the reference: a folder `events` with a file for each event, `0.json` and so on, and maybe
    /// a folder `event_cache` with pages of them. A file can have one event per line, or be a trajectory: an array of events, or an object with that array as
    /// `trajectory`.
    ///
    /// - Throws: ``EventStoreError/damaged(path:line:offset:reason:)`` for a file or line that isn't an event, ``EventStoreError/malformed(path:reason:)`` when
    ///   nothing of the above is there, or what the system says.
    public init(contentsOf path: String) throws(EventStoreError) {
        if try Directory.isDirectory(path) {
            try self.init(directory: path)
        } else {
            try self.init(file: path)
        }
    }

    private init(directory: String) throws(EventStoreError) {
        let names = try Directory.names(in: directory)
        if names.contains(where: { SegmentName.firstID(ofLog: $0) != nil }) {
            let store = try JSONLinesEventStore(reading: directory)
            self.init(events: try store.events(in: 0..<store.count, reversed: false, where: .all, limit: .max))
        } else if names.contains(ReferenceSession.events) || names.contains(ReferenceSession.cache) {
            self.init(events: try ReferenceSession.read(directory))
        } else if names.contains(where: { ReferenceSession.id(ofFile: $0) != nil }) {
            self.init(events: try ReferenceSession.readEvents(directory))
        } else {
            throw .malformed(
                path: directory,
                reason:
                    "there is no session: neither \"\(SegmentName.log(0))\" nor a folder \"\(ReferenceSession.events)\""
            )
        }
    }

    private init(file path: String) throws(EventStoreError) {
        let file = try OpenFile(path, .reading)
        let bytes = try file.read(0..<(try file.size()))
        // An array, or an object of several lines or with another beginning than an event's, is one document.
        if let trajectory = try Trajectory.read(bytes, path: path) {
            self.init(events: trajectory)
            return
        }
        var events: [Event] = []
        var offset = 0
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            defer { offset += line.count + 1 }
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            do {
                events.append(try Event(jsonBytes: Array(line)))
            } catch {
                throw .damaged(path: path, line: index + 1, offset: offset, reason: "\(error)")
            }
        }
        self.init(events: events)
    }

    /// The event of an id; `nil` where the recording has none.
    public func event(_ id: Int) -> Event? {
        var range = events.startIndex..<events.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if events[middle].id == id { return events[middle] }
            range = events[middle].id < id ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }

    /// The actions in order, each with its observation; the first one where there are several.
    public var exchanges: [Exchange] {
        var positions: [Int: Int] = [:]
        var exchanges: [Exchange] = []
        for event in events {
            if event.action != nil {
                positions[event.id] = exchanges.count
                exchanges.append(Exchange(action: event, observation: nil))
            } else if let cause = event.cause, let position = positions[cause], exchanges[position].observation == nil {
                exchanges[position].observation = event
            }
        }
        return exchanges
    }
}
