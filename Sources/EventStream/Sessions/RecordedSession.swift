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
    /// `trajectory`. For sessions that are too long for memory, or damaged, there is ``SessionReader``.
    ///
    /// - Throws: ``EventStoreError/damaged(path:line:offset:reason:)`` for a file or line that isn't an event, ``EventStoreError/malformed(path:reason:)`` when
    ///   nothing of the above is there, or what the system says.
    public init(contentsOf path: String) throws(EventStoreError) {
        let reader = try SessionReader(path)
        if let error = reader.openingError { throw error }
        var events: [Event] = []
        for page in try reader.pages() {
            for entry in page.entries { events.append(try entry.get()) }
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
