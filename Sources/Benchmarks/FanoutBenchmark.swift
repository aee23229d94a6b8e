import EventStream
import Synchronization

/// How many events a second a hundred subscribers get from one publisher, all of them together.
enum FanoutBenchmark {
    private static let subscribers = 100
    private static let events = 20_000

    static func run(_ options: Options) async throws -> [Figure] {
        let count = subscribers * events
        var best = Best()
        var floor = Best()
        for _ in 0..<3 {
            let made = try await madeEvents()
            await floor.measure(count) {
                for _ in 0..<subscribers {
                    let cursor = Mutex(0)
                    for position in made.indices { receive(cursor.withLock { _ in made[position] }) }
                }
            }
            let stream = EventStream()
            let subscriptions = (0..<subscribers).map { _ in stream.subscribe() }
            try await best.measure(count) { try await deliver(on: stream, to: subscriptions) }
        }
        return try await Comparison(
            name: "fanout_eps",
            value: best.rate,
            unit: "events/s",
            count: count,
            note: "one publisher, \(subscribers) subscribers, in memory: deliveries, publishing included; best of 3",
            floor: (floor.rate, "a hundred loops over an array of as many events, with a lock taken for each"),
            reference: ("fanout", [SampleEvents.command], "add_event, 100 callbacks")
        ).figures(options)
    }

    private static func deliver(on stream: EventStream, to subscriptions: [EventSubscription]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for subscription in subscriptions {
                group.addTask {
                    var received = 0
                    for try await event in subscription {
                        receive(event)
                        received += 1
                    }
                    guard received == events else { throw MissingEvents(received: received) }
                }
            }
            for _ in 0..<events { try await stream.publish(SampleEvents.action) }
            try await stream.close()
            try await group.waitForAll()
        }
    }

    private static func madeEvents() async throws -> [Event] {
        let stream = EventStream()
        return try await stream.publish(Array(repeating: SampleEvents.draft, count: events))
    }

    /// What a subscriber does, so that no delivery can be left out.
    @inline(never)
    private static func receive(_ event: Event) {}

    private struct MissingEvents: Error {
        var received: Int
    }
}
