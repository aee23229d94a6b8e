import Synchronization

extension EventStream {
    /// Subscribes to the events from an id on: those already there first, then each as it is published, without gap or repetition.
    ///
    /// The iteration ends when the stream is closed, after the last event, or when the task is cancelled. It throws when an event can't be
    /// read back from the store.
    ///
    /// - Parameters:
    ///   - id: The first event; `nil` for the next that will be published, as of this call.
    ///   - filter: Which events to deliver; `nil` for all.
    public func subscribe(from id: Int? = nil, where filter: EventFilter? = nil) -> EventSubscription {
        EventSubscription(stream: self, start: max(0, id ?? nextID), filter: filter)
    }
}

/// The events of a stream from one on, without end until the stream is closed.
///
/// It can be iterated more than once, each time from the same event. Neither it nor an iterator that waits holds any events.
public struct EventSubscription: AsyncSequence, Sendable {
    /// What an iteration gives.
    public typealias Element = Event
    /// How an iteration fails.
    public typealias Failure = EventStoreError

    private let stream: EventStream
    private let start: Int
    private let filter: EventFilter?

    init(stream: EventStream, start: Int, filter: EventFilter?) {
        self.stream = stream
        self.start = start
        self.filter = filter
    }

    /// Begins at the subscription's first event.
    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: stream, cursor: start, filter: filter)
    }

    /// A cursor on the stream, for use by one task.
    public struct Iterator: AsyncIteratorProtocol {
        /// Large enough that a page's fixed cost is small beside its events', small enough that a thousand iterators fit in tens of megabytes.
        private static let pageLimit = 64
        private static let pageBytes = 32 << 10

        private let stream: EventStream
        private let filter: EventFilter?
        /// The event after those of the page.
        private var cursor: Int
        private var page: ArraySlice<Event> = []

        init(stream: EventStream, cursor: Int, filter: EventFilter?) {
            self.stream = stream
            self.cursor = cursor
            self.filter = filter
        }

        /// The next event, as soon as there is one; `nil` at the end of a closed stream and in a cancelled task.
        public mutating func next() async throws(EventStoreError) -> Event? {
            try await next(isolation: nil)
        }

        /// The next event, as soon as there is one; `nil` at the end of a closed stream and in a cancelled task.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(EventStoreError) -> Event? {
            while !Task.isCancelled {
                if let event = page.popFirst() {
                    if let filter, !filter.includes(event) { continue }
                    return event
                }
                if let events = try stream.page(from: cursor, limit: Self.pageLimit, maximumBytes: Self.pageBytes) {
                    page = events[...]
                    cursor += events.count
                } else if !(await stream.waitForEvent(cursor, isolation: actor)) {
                    return nil
                }
            }
            return nil
        }
    }
}

@available(*, unavailable)
extension EventSubscription.Iterator: Sendable {}

extension EventStream {
    /// Events from an id on; `nil` when there aren't any yet.
    func page(from id: Int, limit: Int, maximumBytes: Int) throws(EventStoreError) -> [Event]? {
        let (recent, available) = state.withLock { state -> ([Event]?, Int) in
            let available = state.visibleCount - id
            return (available > 0 ? state.recent.events(from: id, limit: limit) : nil, available)
        }
        if let recent { return recent }
        guard available > 0 else { return nil }
        // The store may have more than is visible: events that were just kept and not yet acknowledged.
        return try store.read(from: id, limit: min(limit, available), maximumBytes: maximumBytes)
    }

    /// Waits until there is an event of that id.
    ///
    /// - Returns: Whether there may be one now; not when the stream is closed before it.
    func waitForEvent(_ id: Int, isolation: isolated (any Actor)?) async -> Bool {
        let reader = state.withLock { state -> Int? in
            state.visibleCount > id || state.isClosed ? nil : state.makeReaderNumber()
        }
        if let reader {
            await withTaskCancellationHandler {
                await withCheckedContinuation(isolation: isolation) { continuation in
                    let waits = state.withLock { state in
                        // A cancellation sets the task's flag, then calls the handler below. So either the flag is seen here, or the
                        // handler takes the lock after this and finds the continuation.
                        !Task.isCancelled && state.waitForEvent(id, reader: reader, continuation)
                    }
                    if !waits { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.cancel(reader: reader) }?.resume()
            }
        }
        return state.withLock { $0.visibleCount > id || !$0.isClosed }
    }
}
