import Dispatch
import EventStream
import Foundation
import Synchronization

/// The time from the call of `publish` until a subscriber that waits has the event.
enum DeliverBenchmark {
    private static let count = 20_000

    static func run(_ options: Options) async throws -> [Figure] {
        let handOver = handOvers()
        let samples = try await deliveries(publisherIsBusy: false)
        let busy = try await deliveries(publisherIsBusy: true)
        return try await Comparison(
            name: "deliver_latency_us",
            value: samples.percentile(0.5) * 1e6,
            unit: "µs",
            count: count,
            note: "p50 from publish to the waiting subscriber, in memory; then the publisher waits for its answer",
            floor: (handOver.percentile(0.5) * 1e6, "p50 of waking a thread that waits on a semaphore"),
            reference: ("deliver", [SampleEvents.command], "p50 from add_event to the subscriber's callback")
        ).figures(options) + [
            Figure(
                name: "deliver_latency_us_p99",
                value: samples.percentile(0.99) * 1e6,
                unit: "µs",
                count: count,
                note: "p99 of the same"
            ),
            Figure(
                name: "deliver_latency_busy_us",
                value: busy.percentile(0.5) * 1e6,
                unit: "µs",
                count: count,
                note: "p50 when the publisher goes on computing, so that another thread has to be woken"
            ),
        ]
    }

    /// One event at a time: the subscriber answers each on a stream of its own, as a runtime answers an action.
    private static func deliveries(publisherIsBusy: Bool) async throws -> Samples {
        let stream = EventStream()
        let answers = EventStream()
        let subscription = stream.subscribe()
        let subscriber = Task { () -> [ContinuousClock.Instant] in
            var arrivals: [ContinuousClock.Instant] = []
            for try await event in subscription {
                arrivals.append(.now)
                try await answers.publish(.null(NullObservation()), cause: event.id)
            }
            return arrivals
        }
        var iterator = answers.subscribe().makeAsyncIterator()
        var starts: [ContinuousClock.Instant] = []
        for number in 0..<count {
            let start = ContinuousClock.now
            starts.append(start)
            try await stream.publish(SampleEvents.action)
            // Not forever: on one core it is this that the subscriber waits for.
            while publisherIsBusy, answers.nextID <= number, .now - start < .milliseconds(1) {}
            _ = try await iterator.next()
        }
        try await stream.close()
        var samples = Samples()
        for (start, arrival) in zip(starts, try await subscriber.value) { samples.append(arrival - start) }
        return samples
    }

    /// The same with two threads and nothing of ours.
    private static func handOvers() -> Samples {
        let question = DispatchSemaphore(value: 0)
        let answer = DispatchSemaphore(value: 0)
        let arrival = Mutex(ContinuousClock.now)
        let thread = Thread {
            for _ in 0..<count {
                question.wait()
                let now = ContinuousClock.now
                arrival.withLock { $0 = now }
                answer.signal()
            }
        }
        thread.start()
        var samples = Samples()
        for _ in 0..<count {
            let start = ContinuousClock.now
            question.signal()
            answer.wait()
            samples.append(arrival.withLock { $0 } - start)
        }
        return samples
    }
}
