import EventStream

/// How many events a second reach the disk, from one publisher and from several that share the waits for it.
enum SyncedPublishBenchmark {
    private static let publishers = [1, 8, 64]
    /// How often the disk is waited for in a turn.
    private static let batches = 100
    /// A disk's speed changes from one second to the next, so ours and the floor take turns, and many.
    private static let turns = 15

    static func run(_ options: Options) async throws -> [Figure] {
        var figures: [Figure] = []
        for count in publishers { figures += try await run(publishers: count, options) }
        return figures
    }

    private static func run(publishers: Int, _ options: Options) async throws -> [Figure] {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: publishers * SampleEvents.actionSize)
        var bare = Samples()
        var ours = Samples()
        try await withTemporaryDirectory { directory in
            let file = try BareFile(creating: directory + "/bare")
            let stream = try EventStream(directory: directory + "/log", durability: .synced)
            for _ in 0..<turns {
                let (_, bareTime) = try await measure {
                    for _ in 0..<batches {
                        try file.append(bytes)
                        try file.synchronize()
                    }
                }
                bare.append(bareTime)
                let (_, time) = try await measure { try await publish(publishers: publishers, on: stream) }
                ours.append(time)
            }
            try await stream.close()
        }
        let count = Double(publishers * batches)
        return try await Comparison(
            name: "publish_synced_eps_\(publishers)",
            value: count / ours.percentile(0.5),
            unit: "events/s",
            count: publishers * batches * turns,
            note:
                "\(publishers) at a time, \(SampleEvents.actionSize)-byte events, .synced; median of \(turns) turns",
            floor: (
                count / bare.percentile(0.5), "write(2) of \(publishers) events and fdatasync(2), in a loop; in turns"
            )
        ).figures(options)
    }

    private static func publish(publishers: Int, on stream: EventStream) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<publishers {
                group.addTask {
                    let action = SampleEvents.action
                    for _ in 0..<batches { try await stream.publish(action) }
                }
            }
            try await group.waitForAll()
        }
    }
}
