import EventStream
import Foundation
import Synchronization

/// A store in memory that a test steers: appends wait for the gate, and fail when told to.
final class GatedStore: EventStore {
    private struct State {
        var failure: EventStoreError?
        var batches: [[Int]] = []
        var isClosed = false
    }

    private let memory = MemoryEventStore()
    private let state = Mutex(State())
    private let gate = DispatchSemaphore(value: 0)
    private let arrivals: AsyncStream<Int>
    private let arrival: AsyncStream<Int>.Continuation

    init() {
        (arrivals, arrival) = AsyncStream.makeStream()
    }

    /// The ids of each append that was let through and didn't fail.
    var batches: [[Int]] { state.withLock { $0.batches } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Has appends fail from now on, or not any more.
    func fail(with error: EventStoreError?) {
        state.withLock { $0.failure = error }
    }

    /// Waits for an append to come to the gate and returns how many events it has.
    func nextArrival() async -> Int? {
        for await count in arrivals { return count }
        return nil
    }

    /// Lets one append through.
    func open() {
        gate.signal()
    }

    var count: Int { memory.count }
    var lastTimestamp: Timestamp? { memory.lastTimestamp }
    var isResident: Bool { false }
    // Appends are made by the stream's thread, which may be blocked.
    var waitsForDisk: Bool { true }

    func append(_ events: [Event]) throws(EventStoreError) -> Int {
        arrival.yield(events.count)
        gate.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
        memory.append(events)
        state.withLock { $0.batches.append(events.map(\.id)) }
        return events.count * 300
    }

    func read(from id: Int, limit: Int, maximumBytes: Int) throws(EventStoreError) -> [Event] {
        try memory.read(from: id, limit: limit, maximumBytes: maximumBytes)
    }

    func close() {
        state.withLock { $0.isClosed = true }
    }
}
