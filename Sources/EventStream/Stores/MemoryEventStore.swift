import Synchronization

/// Keeps events in memory, for as long as the process lives.
public final class MemoryEventStore: EventStore {
    /// Events in pieces of one size, so that appending never moves what is there.
    private struct Pieces {
        static let size = 1024
        var pieces: [[Event]] = []
        var count = 0

        mutating func append(_ event: Event) {
            if count % Self.size == 0 {
                var piece: [Event] = []
                piece.reserveCapacity(Self.size)
                pieces.append(piece)
            }
            pieces[pieces.count - 1].append(event)
            count += 1
        }
    }

    private let state = Mutex(Pieces())

    /// Makes an empty store.
    public init() {}

    /// Makes a store of events whose ids are dense from 0.
    public convenience init(_ events: [Event]) throws(EventStoreError) {
        self.init()
        if let index = events.indices.first(where: { events[$0].id != $0 }) {
            throw .missingEvents(path: "the list of events", expected: index, found: events[index].id)
        }
        append(events)
    }

    /// How many events there are.
    public var count: Int { state.withLock { $0.count } }

    /// The time of the last event.
    public var lastTimestamp: Timestamp? { state.withLock { $0.pieces.last?.last?.timestamp } }

    /// Always true.
    public var isResident: Bool { true }

    /// Always false.
    public var waitsForDisk: Bool { false }

    /// Keeps events.
    @discardableResult
    public func append(_ events: [Event]) -> Int {
        state.withLock { pieces in
            for event in events { pieces.append(event) }
        }
        return 0
    }

    /// Reads events in order.
    public func read(from id: Int, limit: Int, maximumBytes: Int) throws(EventStoreError) -> [Event] {
        let (events, count) = state.withLock { pieces -> ([Event], Int) in
            guard id >= 0, id < pieces.count else { return ([], pieces.count) }
            let piece = pieces.pieces[id / Pieces.size]
            let start = id % Pieces.size
            // The end of the piece ends the page too; a page has at least one event.
            return (Array(piece[start..<(start + min(limit, piece.count - start))]), pieces.count)
        }
        guard !events.isEmpty else { throw .noSuchEvent(id: id, count: count) }
        return events
    }

    /// Does nothing.
    public func close() {}
}
