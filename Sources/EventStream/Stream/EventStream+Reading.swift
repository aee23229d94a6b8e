extension EventStream {
    /// The event of an id.
    ///
    /// - Throws: ``EventStoreError/noSuchEvent(id:count:)`` where there is none, or why it can't be read.
    public func event(_ id: Int) throws(EventStoreError) -> Event {
        let count = nextID
        guard id >= 0, id < count else { throw .noSuchEvent(id: id, count: count) }
        guard let event = try page(from: id, limit: 1, maximumBytes: .max)?.first else {
            throw .noSuchEvent(id: id, count: count)
        }
        return event
    }

    /// The last event; `nil` in an empty stream.
    public var latest: Event? {
        get throws(EventStoreError) {
            let count = nextID
            return count == 0 ? nil : try event(count - 1)
        }
    }

    /// Events that are in the stream now.
    ///
    /// - Parameters:
    ///   - ids: Which events to look at; `nil` for all, ids that don't exist are ignored.
    ///   - isReversed: Whether to go from the last to the first.
    ///   - filter: Which events to return; `nil` for all.
    ///   - limit: How many events to return at most; `nil` for all.
    /// - Throws: Why an event can't be read.
    public func events(
        in ids: Range<Int>? = nil,
        reversed isReversed: Bool = false,
        where filter: EventFilter? = nil,
        limit: Int? = nil
    ) throws(EventStoreError) -> [Event] {
        let visible = 0..<nextID
        return try store.events(
            in: ids?.clamped(to: visible) ?? visible,
            reversed: isReversed,
            where: filter ?? .all,
            limit: limit ?? .max
        )
    }
}
