/// The events of a session that another process writes, from one on and as they come.
///
/// An event is seen once it is in the log. The writer may not have acknowledged it yet: with `.synced` it may be lost with a power loss that
/// comes at the same moment.
public struct FollowedEvents: AsyncSequence, Sendable {
    /// What an iteration gives.
    public typealias Element = Event
    /// How an iteration fails.
    public typealias Failure = EventStoreError

    private let directory: String
    private let start: Int
    private let filter: EventFilter?

    /// Follows the session in a directory of ``JSONLinesEventStore``, in whatever process that is.
    ///
    /// The iteration has no end but the task's cancellation. It throws when an event is damaged, or the directory can't be read.
    ///
    /// - Parameters:
    ///   - directory: The directory's path; it must be there.
    ///   - id: The first event.
    ///   - filter: Which events to deliver; `nil` for all.
    public init(directory: String, from id: Int = 0, where filter: EventFilter? = nil) {
        self.directory = directory
        start = Swift.max(0, id)
        self.filter = filter
    }

    /// Begins at the first event.
    public func makeAsyncIterator() -> Iterator {
        Iterator(directory: directory, cursor: start, filter: filter)
    }

    /// A cursor on the log, for use by one task.
    public struct Iterator: AsyncIteratorProtocol {
        private static let pageLimit = 64
        private static let pageBytes = 32 << 10

        private let directory: String
        private let filter: EventFilter?
        private var cursor: Int
        private var page: ArraySlice<Event> = []
        private var store: JSONLinesEventStore?
        private var watcher: DirectoryWatcher?
        /// The segment that the watcher was made for.
        private var watchedID = 0

        init(directory: String, cursor: Int, filter: EventFilter?) {
            self.directory = directory
            self.cursor = cursor
            self.filter = filter
        }

        /// The next event, as soon as there is one; `nil` in a cancelled task.
        public mutating func next() async throws(EventStoreError) -> Event? {
            try await next(isolation: nil)
        }

        /// The next event, as soon as there is one; `nil` in a cancelled task.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(EventStoreError) -> Event? {
            while !Task.isCancelled {
                if let event = page.popFirst() {
                    if let filter, !filter.includes(event) { continue }
                    return event
                }
                let store = try opened()
                if cursor < store.count {
                    let events = try store.read(from: cursor, limit: Self.pageLimit, maximumBytes: Self.pageBytes)
                    page = events[...]
                    cursor += events.count
                    continue
                }
                // What changes from here on is noticed, so nothing that the look below misses is lost.
                let watcher = try watcher(for: store)
                let changes = watcher.changes
                if try store.refresh() { continue }
                await watcher.waitForChange(after: changes, isolation: actor)
            }
            return nil
        }

        private mutating func opened() throws(EventStoreError) -> JSONLinesEventStore {
            if let store { return store }
            let opened = try JSONLinesEventStore(reading: directory)
            store = opened
            return opened
        }

        private mutating func watcher(for store: JSONLinesEventStore) throws(EventStoreError) -> DirectoryWatcher {
            let id = store.lastSegmentID
            if let watcher, watchedID == id { return watcher }
            let new = try DirectoryWatcher(directory: directory, file: directory + "/" + SegmentName.log(id))
            watcher = new
            watchedID = id
            return new
        }
    }
}

@available(*, unavailable)
extension FollowedEvents.Iterator: Sendable {}
