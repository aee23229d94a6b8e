import Synchronization
import Testing

@testable import EventStream

@Suite("What a stream decides", .timeLimit(.minutes(1)))
struct StreamStateTests {
    @Test(
        "The writer's role goes to the publisher that came first, in whatever order they begin to wait",
        arguments: [[2, 3, 4], [4, 3, 2], [3, 4, 2], [4, 2, 3]] as [[UInt64]]
    )
    func roleGoesToFirst(order: [UInt64]) async throws {
        let publishers = Publishers()
        var batch = try #require(publishers.enqueue())
        for _ in 2...4 { #expect(publishers.enqueue() == nil) }
        var waits: [UInt64: Task<StreamState.Outcome, Never>] = [:]
        for ticket in order { waits[ticket] = await publishers.beginWaiting(for: ticket) }

        #expect(publishers.finish(&batch) == false, "the role is passed on")
        // Done here in place of the new writer, so that the others are told whoever that is.
        batch = publishers.state.withLock { $0.takeBatch() }
        #expect(publishers.finish(&batch) == false)
        var writers: [UInt64] = []
        for (ticket, wait) in waits {
            if case .write = await wait.value { writers.append(ticket) }
        }
        #expect(writers == [2])
    }
}

/// Publishers of a stream without a store, each of one event.
private final class Publishers: Sendable {
    let state = Mutex(StreamState(count: 0, lastTimestamp: nil, isResident: true, hasThread: false))

    /// Puts an event in line; returns what is to be written by the caller, if it is the writer.
    func enqueue() -> StreamState.Batch? {
        var event = EventDraft(.action(.null(NullAction())), source: .user).unplacedEvent
        let place = state.withLock { $0.enqueue(&event, original: nil, now: .now()) }
        guard case .writer(let batch)? = place?.0 else { return nil }
        return batch
    }

    /// Begins to wait for a ticket, and returns once it is in line.
    func beginWaiting(for ticket: UInt64) async -> Task<StreamState.Outcome, Never> {
        let (registrations, registration) = AsyncStream<Void>.makeStream()
        let task = Task {
            await withCheckedContinuation { continuation in
                let known = state.withLock { $0.wait(for: ticket, continuation) }
                if let known { continuation.resume(returning: known) }
                registration.finish()
            }
        }
        for await _ in registrations {}
        return task
    }

    /// Makes a batch visible; returns whether the role stays with the caller.
    func finish(_ batch: inout StreamState.Batch) -> Bool {
        var effects = StreamState.Effects()
        let goesOn = state.withLock { $0.finish(&batch, bytes: 0, &effects) }
        effects.perform()
        return goesOn
    }
}
