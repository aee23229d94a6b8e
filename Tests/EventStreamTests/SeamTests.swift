import EventStream
import Foundation
import Testing

@Suite("The seam between replay and live", .timeLimit(.minutes(5)))
struct SeamTests {
    @Test("P6: every order of publishing and reading gives each event once", arguments: StoreKind.allCases)
    func everyInterleaving(kind: StoreKind) async throws {
        // All sequences of ten steps, each of which publishes (one event or two) or reads, where reading never waits.
        let steps = 10
        try await withTemporaryDirectory(inMemory: true) { directory in
            for choices in 0..<(1 << steps) where kind != .synced || choices % 16 == 5 {
                let stream = EventStream(store: try kind.open(directory + "/\(choices)"))
                let start = choices % 3
                var iterator = stream.subscribe(from: start).makeAsyncIterator()
                var published = 0
                var seen: [Int] = []
                for step in 0..<steps {
                    if choices >> step & 1 == 0 || published <= start + seen.count {
                        let count = 1 + step % 2
                        try await stream.publish((0..<count).map { .message("\(published + $0)") })
                        published += count
                    } else {
                        seen.append(try #require(try await iterator.next()).id)
                    }
                }
                try await stream.close()
                while let event = try await iterator.next() { seen.append(event.id) }
                #expect(seen == Array(min(start, published)..<published), "\(choices)")
            }
        }
    }

    @Test(
        "P6: subscribers that join and catch up while others publish get each event once",
        arguments: StoreKind.allCases
    )
    func catchingUp(kind: StoreKind) async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let total = 4000
            let stream = EventStream(store: try kind.open(directory))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Sizes on both sides of what a page has and what is kept of the latest events.
                    var sizes = [1, 63, 64, 65, 1, 2, 300, 1023, 1024, 1025].makeIterator()
                    while stream.nextID < total {
                        let count = min(sizes.next() ?? 1, total - stream.nextID)
                        try await stream.publish((0..<count).map { .message("\($0)") })
                    }
                    try await stream.close()
                }
                for reader in 0..<12 {
                    group.addTask {
                        let start = total / 12 * reader
                        var expected = start
                        for try await event in stream.subscribe(from: start) {
                            #expect(event.id == expected)
                            expected += 1
                            // Some fall behind.
                            if reader % 3 == 0, event.id % 50 == 0 { await Task.yield() }
                        }
                        #expect(expected == total)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A thousand subscribers on a long log cost little memory, whether they read or not")
    func memory() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                func peak() -> Int {
                    var usage = rusage()
                    #if canImport(Darwin)
                    getrusage(RUSAGE_SELF, &usage)
                    return usage.ru_maxrss >> 20
                    #else
                    getrusage(RUSAGE_SELF.rawValue, &usage)
                    return usage.ru_maxrss >> 10
                    #endif
                }
                let stream = try EventStream(directory: directory)
                let text = String(repeating: "x", count: 2000)
                let page = (0..<500).map { _ in EventDraft.message(text) }
                try await stream.publish(page)
                let before = peak()
                for _ in 1..<100 { try await stream.publish(page) }
                var iterators = (0..<1000).map { _ in stream.subscribe(from: 0).makeAsyncIterator() }
                for index in iterators.indices where index % 2 == 0 {
                    #expect(try await iterators[index].next()?.id == 0)
                }
                let growth = peak() - before
                // The log has over 200 MB by now.
                #expect(growth < 64, "\(growth) MB")
                try await stream.close()
            }
        }
    }
}
