import EventStream
import Synchronization

/// How many events a second one publisher appends.
enum PublishBenchmark {
    static func runMemory(_ options: Options) async throws -> [Figure] {
        let count = 500_000
        var best = Best()
        var floor = Best()
        for _ in 0..<3 {
            await floor.measure(count) { appendToArray(count) }
            let stream = EventStream()
            try await best.measure(count) { try await publish(count, on: stream) }
            try await stream.close()
        }
        return try await Comparison(
            name: "publish_memory_eps",
            value: best.rate,
            unit: "events/s",
            count: count,
            note: "one publisher, events of \(SampleEvents.actionSize) bytes as JSON, in memory; best of 3",
            floor: (floor.rate, "events made with the time and appended to an array under a lock"),
            reference: ("publish_memory", [SampleEvents.command], "add_event, in memory")
        ).figures(options)
    }

    static func runOS(_ options: Options) async throws -> [Figure] {
        let count = 300_000
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: SampleEvents.actionSize)
        var best = Best()
        var floor = Best()
        for _ in 0..<3 {
            try await withTemporaryDirectory { directory in
                let file = try BareFile(creating: directory + "/bare")
                try await floor.measure(count) { for _ in 0..<count { try file.append(line) } }
            }
            try await withTemporaryDirectory { directory in
                let stream = try EventStream(directory: directory, durability: .os)
                try await best.measure(count) { try await publish(count, on: stream) }
                try await stream.close()
            }
        }
        return try await Comparison(
            name: "publish_os_eps",
            value: best.rate,
            unit: "events/s",
            count: count,
            note: "one publisher, events of \(SampleEvents.actionSize) bytes as JSON, durability .os; best of 3",
            floor: (floor.rate, "one write(2) of as many bytes per event"),
            reference: ("publish_os", [SampleEvents.command], "add_event, a file per event")
        ).figures(options)
    }

    private static func publish(_ count: Int, on stream: EventStream) async throws {
        let action = SampleEvents.action
        for _ in 0..<count { try await stream.publish(action) }
    }

    private static func appendToArray(_ count: Int) {
        let events = Mutex<[Event]>([])
        for id in 0..<count {
            events.withLock {
                $0.append(
                    Event(id: id, timestamp: .now(), source: .agent, payload: .action(SampleEvents.action))
                )
            }
        }
    }
}
