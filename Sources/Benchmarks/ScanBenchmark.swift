import EventStream

/// How many events a second are looked at for their type and source, of which few are wanted.
enum ScanBenchmark {
    private static let count = 1_000_000
    private static let referenceCount = 10_000

    static func run(_ options: Options) async throws -> [Figure] {
        try await withTemporaryDirectory { directory in
            let log = directory + "/log"
            try await SampleEvents.writeSession(count: count, to: log)
            let bytes = try logBytes(log)
            var best = Best()
            var floor = Best()
            let store = try JSONLinesEventStore(reading: log)
            // One in a hundred.
            let wanted = EventFilter(types: [.action("message")], sources: [.user])
            for _ in 0..<5 {
                await floor.measure(count) { _ = LineEnds.count(in: bytes) }
                try await best.measure(count) {
                    let found = try store.events(in: 0..<count, reversed: false, where: wanted, limit: .max)
                    guard found.count == count / 100 else { throw MissingEvents(found: found.count) }
                }
            }
            if options.reference != nil {
                try await writeReferenceSession(events: referenceCount, to: directory)
            }
            return try await Comparison(
                name: "scan_eps",
                value: best.rate,
                unit: "events/s",
                count: count,
                note: "a log on disk searched by type and source for one event in a hundred; best of 5",
                floor: (floor.rate, "finding the line ends of the same log in memory, with memchr(3)"),
                reference: ("scan", [directory], "search_events with the same filter, over \(referenceCount) events")
            ).figures(options)
        }
    }

    private struct MissingEvents: Error {
        var found: Int
    }
}
