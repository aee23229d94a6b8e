import EventStream
import Testing

/// A store of each kind, to have one suite for all.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case lines
    case smallSegments
    case synced

    var testDescription: String { rawValue }

    func open(_ directory: String) throws -> any EventStore {
        switch self {
        case .memory: MemoryEventStore()
        case .lines: try JSONLinesEventStore(directory: directory)
        case .smallSegments: try JSONLinesEventStore(directory: directory, segmentSize: 2000)
        case .synced: try JSONLinesEventStore(directory: directory, durability: .synced, segmentSize: 10_000)
        }
    }
}

@Suite("Every store", .timeLimit(.minutes(2)))
struct EventStoreTests {
    /// Events of all sorts, with ids and times.
    static func samples(_ count: Int) throws -> [Event] {
        let recorded = try Fixtures.eventFiles().map { try Event(jsonBytes: $0) }
        return (0..<count).map { index in
            var event = recorded[index % recorded.count]
            event.id = index
            event.timestamp.wallMicroseconds += Int64(index / recorded.count) * 60_000_000
            return event
        }
    }

    @Test("Reads back what was appended, in pages of any size", arguments: StoreKind.allCases)
    func readBack(kind: StoreKind) async throws {
        try await withTemporaryDirectory { directory in
            let store = try kind.open(directory)
            let events = try Self.samples(300)
            #expect(store.count == 0)
            #expect(store.lastTimestamp == nil)
            var rest = events[...]
            for size in [1, 2, 64, 100, 1, 132] {
                try store.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
                #expect(store.count == rest.startIndex)
                #expect(store.lastTimestamp == events[rest.startIndex - 1].timestamp)
            }
            for limit in [1, 7, 64, 1000] {
                var read: [Event] = []
                while read.count < events.count {
                    let page = try store.read(from: read.count, limit: limit, maximumBytes: .max)
                    #expect(!page.isEmpty && page.count <= limit)
                    read += page
                }
                #expect(read == events)
            }
            #expect(try store.read(from: 5, limit: 100, maximumBytes: 1).first == events[5])
            #expect(try store.event(299) == events[299])
            #expect(throws: EventStoreError.noSuchEvent(id: 300, count: 300)) { try store.event(300) }
            #expect(throws: EventStoreError.noSuchEvent(id: -1, count: 300)) { try store.event(-1) }
            try store.close()
        }
    }

    @Test("Finds what a filter wants, forwards and backwards, up to a limit", arguments: StoreKind.allCases)
    func finds(kind: StoreKind) async throws {
        try await withTemporaryDirectory { directory in
            let store = try kind.open(directory)
            var events = try Self.samples(290)
            events[100].payload = .action(.other(OtherAction(kind: "fly")))
            events[101].payload = .action(.other(OtherAction(kind: "swim")))
            events[102].source = EventSource(rawValue: "robot")
            events[103].payload = .action(.run(CommandAction(command: "secret", hidden: true)))
            events[104].timestamp = try #require(Timestamp("2026-11-22T23:00:00Z"))
            try store.append(events)
            let filters: [EventFilter] = [
                .all, .actions, .observations,
                EventFilter(types: [.action("run")]), EventFilter(types: [.observation("run"), .action("read")]),
                EventFilter(types: [.action("fly")]), EventFilter(excludedTypes: [.action("fly"), .action("run")]),
                EventFilter(types: []), EventFilter(sources: [.user]),
                EventFilter(sources: [EventSource(rawValue: "robot")]),
                EventFilter(excludesHidden: true), EventFilter(text: "GREETING"),
                EventFilter(types: [.action("run")], text: "greet.py"),
                EventFilter(earliest: events[50].timestamp, latest: events[200].timestamp),
                EventFilter(includesObservations: false, sources: [.agent], excludesHidden: true),
            ]
            for filter in filters {
                for range in [0..<290, 10..<20, 99..<105, 0..<0, 250..<1000] {
                    let wanted = events[range.clamped(to: 0..<290)].filter { filter.includes($0) }
                    for limit in [1, 3, .max] {
                        let forwards = try store.events(in: range, reversed: false, where: filter, limit: limit)
                        #expect(forwards == Array(wanted.prefix(limit)))
                        let backwards = try store.events(in: range, reversed: true, where: filter, limit: limit)
                        #expect(backwards == Array(wanted.reversed().prefix(limit)))
                    }
                }
            }
            #expect(try store.events(in: 0..<290, reversed: false, where: .all, limit: 0).isEmpty)
            try store.close()
        }
    }

    @Test("Publishers and subscribers of a stream on it see one order", arguments: StoreKind.allCases)
    func stream(kind: StoreKind) async throws {
        try await withTemporaryDirectory { directory in
            let stream = EventStream(store: try kind.open(directory))
            let views = try await withThrowingTaskGroup(of: [Event]?.self) { group in
                for publisher in 0..<6 {
                    group.addTask {
                        for index in 0..<100 { try await stream.publish(.message("\(publisher):\(index)")) }
                        return nil
                    }
                }
                for join in [0, 0, 50, 300, 599] {
                    group.addTask {
                        _ = try await stream.subscribe(from: join).first(1)
                        return try await stream.subscribe(from: 0).first(600)
                    }
                }
                var views: [[Event]] = []
                for try await case let view? in group { views.append(view) }
                return views
            }
            try await stream.close()
            let all = try stream.events()
            #expect(all.map(\.id) == Array(0..<600))
            #expect(views.allSatisfy { $0 == all })
            for publisher in 0..<6 {
                let own = all.compactMap(\.text).filter { $0.hasPrefix("\(publisher):") }
                #expect(own == (0..<100).map { "\(publisher):\($0)" })
            }
        }
    }
}
