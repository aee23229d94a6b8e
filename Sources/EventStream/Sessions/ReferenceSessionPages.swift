/// Reads pages of a session of the reference: the files of events, and from the cache's pages those that have no file.
struct ReferenceSessionPages: PageSource {
    private enum Place {
        case file(String)
        case cached(String)
        case damage(EventStoreError)
    }

    private let selection: SessionSelection
    /// What there is to read, in order and from a position on.
    private let plan: [(id: Int, place: Place)]
    private var position = 0
    /// The page of the cache that was read last.
    private var cached: (path: String, events: [Int: Event])?

    init(_ directory: String, _ selection: SessionSelection) throws(EventStoreError) {
        self.selection = selection
        var plan: [(id: Int, place: Place)] = []
        let files = try Self.files(in: directory)
        for (id, path) in files where selection.ids.contains(id) { plan.append((id, .file(path))) }
        for path in try Self.cachePages(in: directory) {
            // Also where all have files: a page that can't be read is damage, whoever needs it.
            var firstID = 0
            do throws(EventStoreError) {
                let ids = try Self.read(path).map(\.id)
                firstID = ids.first ?? 0
                for id in ids where files[id] == nil && selection.ids.contains(id) { plan.append((id, .cached(path))) }
            } catch {
                plan.append((firstID, .damage(error)))
            }
        }
        plan.sort { $0.id < $1.id }
        self.plan = selection.isReversed ? plan.reversed() : plan
    }

    mutating func next() -> SessionReader.Page? {
        guard position < plan.count else { return nil }
        var page = SessionReader.Page(fraction: 0)
        let end = min(plan.count, position + SessionSelection.pageCount)
        for (id, place) in plan[position..<end] {
            do throws(EventStoreError) {
                let event = try read(id, place)
                if selection.includes(event) { page.entries.append(.success(event)) }
            } catch {
                page.entries.append(.failure(error))
            }
        }
        position = end
        page.fraction = Double(end) / Double(plan.count)
        return page
    }

    private mutating func read(_ id: Int, _ place: Place) throws(EventStoreError) -> Event {
        switch place {
        case .damage(let error): throw error
        case .file(let path): return try ReferenceSession.event(id, in: path)
        case .cached(let path):
            if cached?.path != path {
                let events = try Self.read(path)
                cached = (path, Dictionary(events.map { ($0.id, $0) }) { $1 })
            }
            guard let event = cached?.events[id] else {
                throw .malformed(path: path, reason: "event \(id) was there and isn't any more")
            }
            return event
        }
    }

    // MARK: Files

    /// The files of events by id.
    private static func files(in directory: String) throws(EventStoreError) -> [Int: String] {
        let names = try Directory.names(in: directory)
        // A folder with the events' files themselves is read too.
        let isSession = names.contains(ReferenceSession.events) || names.contains(ReferenceSession.cache)
        guard !isSession || names.contains(ReferenceSession.events) else { return [:] }
        let folder = isSession ? directory + "/" + ReferenceSession.events : directory
        var files: [Int: String] = [:]
        for name in isSession ? try Directory.names(in: folder) : names {
            if let id = ReferenceSession.id(ofFile: name) { files[id] = folder + "/" + name }
        }
        return files
    }

    private static func cachePages(in directory: String) throws(EventStoreError) -> [String] {
        guard try Directory.names(in: directory).contains(ReferenceSession.cache) else { return [] }
        let folder = directory + "/" + ReferenceSession.cache
        return try Directory.names(in: folder).filter { $0.hasSuffix(".json") }.sorted().map { folder + "/" + $0 }
    }

    private static func read(_ path: String) throws(EventStoreError) -> [Event] {
        var pages = try TrajectoryPages(path, SessionSelection(ids: 0..<Int.max, isReversed: false, filter: .all))
        var events: [Event] = []
        while let page = pages.next() {
            for entry in page.entries { events.append(try entry.get()) }
        }
        return events
    }

    /// The pages of the cache that say something else than the events' files.
    static func differences(_ directory: String) throws(EventStoreError) -> [EventStoreError] {
        var differences: [EventStoreError] = []
        let files = try files(in: directory)
        for path in try cachePages(in: directory) {
            // What can't be read is met, and told of, where events are read.
            for event in (try? read(path)) ?? [] {
                guard let file = files[event.id], let original = try? ReferenceSession.event(event.id, in: file),
                    event.json != original.json
                else { continue }
                differences.append(
                    .malformed(
                        path: path,
                        reason:
                            "event \(event.id) isn't what \(file) has; delete the page, which the reference makes again"
                    )
                )
            }
        }
        return differences
    }
}
