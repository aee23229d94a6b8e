import EventStream

/// How many events a second one publisher appends.
enum PublishBenchmark {
    static func run(_ options: Options) async throws -> [Figure] {
        let count = 500_000
        let action = Action.run(CommandAction(command: String(repeating: "x", count: 100)))
        var best = Duration.seconds(1000)
        for _ in 0..<3 {
            let stream = EventStream()
            let (_, time) = try await measure {
                for _ in 0..<count { try await stream.publish(.action(action), source: .agent) }
            }
            best = min(best, time)
            try await stream.close()
        }
        return [
            Figure(
                name: "publish_memory_eps",
                value: Double(count) / (best / .seconds(1)),
                unit: "events/s",
                count: count,
                note: "one publisher, memory store, events of about 300 bytes as JSON; best of 3"
            )
        ]
    }
}
