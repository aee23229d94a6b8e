import EventStream

/// How many events a second reach the disk, from one publisher and from several that share the waits for it.
enum SyncedPublishBenchmark {
    private static let publishers = [1, 8, 64]
    /// How often the disk is waited for in an attempt.
    private static let batches = 1500

    static func run(_ options: Options) async throws -> [Figure] {
        var figures: [Figure] = []
        for count in publishers { figures += try await run(publishers: count, options) }
        return figures
    }

    private static func run(publishers: Int, _ options: Options) async throws -> [Figure] {
        let count = publishers * batches
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: publishers * SampleEvents.actionSize)
        var best = Best()
        var floor = Best()
        for _ in 0..<3 {
            try await withTemporaryDirectory { directory in
                let file = try BareFile(creating: directory + "/bare")
                try await floor.measure(count) {
                    for _ in 0..<batches {
                        try file.append(bytes)
                        try file.synchronize()
                    }
                }
            }
            try await withTemporaryDirectory { directory in
                let stream = try EventStream(directory: directory, durability: .synced)
                try await best.measure(count) { try await publish(publishers: publishers, on: stream) }
                try await stream.close()
            }
        }
        return try await Comparison(
            name: "publish_synced_eps_\(publishers)",
            value: best.rate,
            unit: "events/s",
            count: count,
            note: "\(publishers) publishers at once, \(SampleEvents.actionSize)-byte events, durability .synced; best of 3",
            floor: (floor.rate, "write(2) of \(publishers) events and fdatasync(2), in a loop")
        ).figures(options)
    }

    private static func publish(publishers: Int, on stream: EventStream) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<publishers {
                group.addTask {
                    for _ in 0..<batches { try await stream.publish(SampleEvents.action) }
                }
            }
            try await group.waitForAll()
        }
    }
}
