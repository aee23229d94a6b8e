import ActionExecutionClient
import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RuntimeStatusHubTests {
    private static func update(_ number: Int) -> RuntimeStatusUpdate {
        RuntimeStatusUpdate(.building, message: String(number))
    }

    @Test("Callbacks and sequences see the updates of concurrent publishers in one order")
    func oneOrder() async {
        let (first, second) = (Recorder(), Recorder())
        let hub = RuntimeStatusHub { first.add($0) }
        hub.addCallback { second.add($0) }
        let (third, fourth) = (hub.updates, hub.updates)
        DispatchQueue.concurrentPerform(iterations: 8) { publisher in
            for number in 0..<250 { hub.publish(Self.update(publisher * 1000 + number)) }
        }
        hub.finish()
        var sequences: [[RuntimeStatusUpdate]] = []
        for sequence in [third, fourth] {
            sequences.append(await sequence.reduce(into: []) { $0.append($1) })
        }
        #expect(first.updates.count == 2000)
        #expect(second.updates == first.updates)
        #expect(sequences == [first.updates, first.updates])
        for publisher in 0..<8 {
            let own = first.updates.compactMap { Int($0.message) }.filter { $0 / 1000 == publisher }
            #expect(own == own.sorted(), "the updates of a publisher stay in its order")
        }
    }

    @Test("A callback may publish and ask for the status; what it publishes comes next")
    func reentrantCallback() {
        let recorder = Recorder()
        let hub = RuntimeStatusHub()
        hub.addCallback { [weak hub] update in
            recorder.add(update)
            guard update.status == .starting else { return }
            hub?.publish(RuntimeStatusUpdate(.ready))
            #expect(hub?.latest.status == .ready)
        }
        hub.addCallback { recorder.add($0) }
        hub.publish(RuntimeStatusUpdate(.starting))
        #expect(recorder.updates.map(\.status) == [.starting, .starting, .ready, .ready])
    }

    @Test("A sequence begins with the first update after it was made, and ends after the last one")
    func sequenceBounds() async {
        let hub = RuntimeStatusHub()
        hub.publish(Self.update(1))
        let sequence = hub.updates
        hub.publish(Self.update(2))
        hub.publish(Self.update(3))
        hub.finish()
        hub.publish(Self.update(4))
        #expect(await sequence.reduce(into: []) { $0.append($1.message) } == ["2", "3"])
        #expect(await hub.updates.reduce(into: []) { $0.append($1.message) } == [])
        #expect(hub.latest.message == "3")
    }

    @Test("The last update reaches the sequences when another thread is still delivering one before it")
    func finishDuringDelivery() async throws {
        let (entered, mayGo) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let hub = RuntimeStatusHub { update in
            guard update.status == .starting else { return }
            entered.signal()
            mayGo.wait()
        }
        let sequence = hub.updates
        Thread.detachNewThread { hub.publish(RuntimeStatusUpdate(.starting)) }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                entered.wait()
                hub.publish(RuntimeStatusUpdate(.stopped))
                hub.finish()
                mayGo.signal()
                continuation.resume()
            }
        }
        #expect(await sequence.reduce(into: []) { $0.append($1.status) } == [.starting, .stopped])
    }

    @Test("The status is stopped before the first update")
    func initialStatus() {
        #expect(RuntimeStatusHub().latest == RuntimeStatusUpdate(.stopped))
    }
}

/// Remembers updates.
final class Recorder: Sendable {
    private let state = Mutex<[RuntimeStatusUpdate]>([])

    var updates: [RuntimeStatusUpdate] { state.withLock { $0 } }
    var statuses: [RuntimeStatus] { updates.map(\.status) }

    func add(_ update: RuntimeStatusUpdate) {
        state.withLock { $0.append(update) }
    }
}
