/// Reads pages of a store by its index.
struct StorePages: PageSource {
    /// How many events to look at for a page.
    private static let span = 1024

    private let store: JSONLinesEventStore
    private let selection: SessionSelection
    private let all: Range<Int>
    private var rest: Range<Int>
    /// Events among which one is damaged; they're read one by one.
    private var doubtful = 0..<0
    private var lastError: EventStoreError?

    init(_ store: JSONLinesEventStore, _ selection: SessionSelection) {
        self.store = store
        self.selection = selection
        all = selection.ids.clamped(to: 0..<store.count)
        rest = all
    }

    mutating func next() -> SessionReader.Page? {
        guard !(rest.isEmpty && doubtful.isEmpty) else { return nil }
        var page = SessionReader.Page(fraction: 0)
        if doubtful.isEmpty {
            do throws(EventStoreError) {
                page.entries = try read().map { .success($0) }
            } catch {
                doubtful = nextSpan(Self.span)
                cut(doubtful)
            }
        }
        if !doubtful.isEmpty { page.entries = readDoubtful() }
        page.fraction = 1 - Double(rest.count + doubtful.count) / Double(all.count)
        return page
    }

    private func nextSpan(_ count: Int) -> Range<Int> {
        let count = min(count, rest.count)
        return selection.isReversed
            ? (rest.upperBound - count)..<rest.upperBound : rest.lowerBound..<(rest.lowerBound + count)
    }

    private mutating func cut(_ span: Range<Int>) {
        rest = selection.isReversed ? rest.lowerBound..<span.lowerBound : span.upperBound..<rest.upperBound
    }

    private mutating func read() throws(EventStoreError) -> [Event] {
        if selection.filter == .all, !selection.isReversed {
            let events = try store.read(
                from: rest.lowerBound,
                limit: nextSpan(Self.span).count,
                maximumBytes: SessionSelection.pageBytes
            )
            rest.removeFirst(events.count)
            return events
        }
        let span = nextSpan(Self.span)
        let limit = SessionSelection.pageCount
        let events = try store.events(in: span, reversed: selection.isReversed, where: selection.filter, limit: limit)
        guard events.count == limit, let last = events.last else {
            cut(span)
            return events
        }
        cut(selection.isReversed ? last.id..<span.upperBound : span.lowerBound..<(last.id + 1))
        return events
    }

    private mutating func readDoubtful() -> [Result<Event, EventStoreError>] {
        var entries: [Result<Event, EventStoreError>] = []
        while entries.count < SessionSelection.pageCount,
            let id = selection.isReversed ? doubtful.popLast() : doubtful.popFirst()
        {
            do throws(EventStoreError) {
                // By way of the filter: what it rules out by the index isn't read, and so not found to be damaged.
                let found = try store.events(in: id..<(id + 1), reversed: false, where: selection.filter, limit: 1)
                entries += found.map { .success($0) }
            } catch {
                // A file that can't be read is told of once, not for each of its events.
                if error != lastError { entries.append(.failure(error)) }
                lastError = error
            }
        }
        return entries
    }
}
