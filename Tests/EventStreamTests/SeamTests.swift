import EventStream
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
}
