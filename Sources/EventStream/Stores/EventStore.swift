/// Where a stream keeps its events.
///
/// A stream calls ``append(_:)`` from one place at a time and in the order of ids; all else may be called from any thread at any time.
public protocol EventStore: AnyObject, Sendable {
    /// How many events there are, which is the id of the next one.
    var count: Int { get }

    /// The time of the last event, below which the stream doesn't go.
    var lastTimestamp: Timestamp? { get }

    /// Whether reading is as cheap as memory, so that the stream needn't keep the latest events itself.
    var isResident: Bool { get }

    /// Whether ``append(_:)`` waits for a disk, so that the stream has a thread of its own call it, for many publishers at once.
    var waitsForDisk: Bool { get }

    /// Keeps events, whose ids continue those kept; when it returns they're as durable as the store promises.
    ///
    /// - Returns: How many bytes the events take, roughly; 0 where that isn't known.
    /// - Throws: Why none of the events was kept.
    @discardableResult
    func append(_ events: [Event]) throws(EventStoreError) -> Int

    /// Reads events in order, at least one.
    ///
    /// - Parameters:
    ///   - id: The first event, less than ``count``.
    ///   - limit: How many events at most, from 1.
    ///   - maximumBytes: Stop after about so many bytes.
    func read(from id: Int, limit: Int, maximumBytes: Int) throws(EventStoreError) -> [Event]

    /// Finds events.
    ///
    /// - Parameters:
    ///   - ids: Which events to look at; ids outside of the store are ignored.
    ///   - isReversed: Whether to go from the last to the first.
    ///   - filter: Which events to return.
    ///   - limit: How many events to return at most.
    func events(
        in ids: Range<Int>,
        reversed isReversed: Bool,
        where filter: EventFilter,
        limit: Int
    ) throws(EventStoreError) -> [Event]

    /// Lets go of files and locks; nothing is appended after.
    func close() throws(EventStoreError)
}

extension EventStore {
    /// Finds events by reading all of the range.
    public func events(
        in ids: Range<Int>,
        reversed isReversed: Bool,
        where filter: EventFilter,
        limit: Int
    ) throws(EventStoreError) -> [Event] {
        let ids = ids.clamped(to: 0..<count)
        var found: [Event] = []
        var rest = ids
        while !rest.isEmpty, found.count < limit {
            let span = min(rest.count, 256)
            let start = isReversed ? rest.upperBound - span : rest.lowerBound
            var page = try read(from: start, limit: span, maximumBytes: .max)
            rest = isReversed ? rest.lowerBound..<start : (start + page.count)..<rest.upperBound
            if isReversed { page.reverse() }
            for event in page where filter.includes(event) {
                found.append(event)
                if found.count == limit { break }
            }
        }
        return found
    }

    /// Reads one event.
    ///
    /// - Throws: ``EventStoreError/noSuchEvent(id:count:)`` where there is none of that id.
    public func event(_ id: Int) throws(EventStoreError) -> Event {
        let count = count
        guard id >= 0, id < count else { throw .noSuchEvent(id: id, count: count) }
        guard let event = try read(from: id, limit: 1, maximumBytes: .max).first else {
            throw .noSuchEvent(id: id, count: count)
        }
        return event
    }
}
