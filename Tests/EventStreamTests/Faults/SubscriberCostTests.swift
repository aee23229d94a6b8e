import EventStream
import Foundation
import Synchronization
import Testing

/// Waits for tasks that wait: their number is raised by each when it has had an event, and read by whoever waits for all.
private final class Counter: Sendable {
    private let state = Mutex<(count: Int, goal: Int, waiter: CheckedContinuation<Void, Never>?)>((0, .max, nil))

    func increment() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.count += 1
            guard state.count >= state.goal else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func wait(for goal: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.count >= goal { return true }
                (state.goal, state.waiter) = (goal, continuation)
                return false
            }
            if isReached { continuation.resume() }
        }
    }
}

@Suite("What subscribers cost", .timeLimit(.minutes(5)))
struct SubscriberCostTests {
    @Test("A thousand subscribers on a long log cost little memory, whether they read or not")
    func cursors() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                let stream = try EventStream(directory: directory)
                let text = String(repeating: "x", count: 2000)
                let page = (0..<500).map { _ in EventDraft.message(text) }
                try await stream.publish(page)
                let before = try peakMemory()
                for _ in 1..<100 { try await stream.publish(page) }
                var iterators = (0..<1000).map { _ in stream.subscribe(from: 0).makeAsyncIterator() }
                for index in iterators.indices where index % 2 == 0 {
                    #expect(try await iterators[index].next()?.id == 0)
                }
                let growth = try peakMemory() - before
                // The log has over 200 MB by now.
                #expect(growth < 64, "\(growth) MB")
                try await stream.close()
            }
        }
    }

    @Test("Ten thousand tasks that wait for events cost little memory, get each event, and hold up no publisher")
    func idle() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                let waiting = 10_000
                let rounds = 5
                let stream = try EventStream(directory: directory)
                let before = try peakMemory()
                let received = Counter()
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for index in 0..<waiting {
                        group.addTask {
                            // Half of them wait for what never comes.
                            let filter = index % 2 == 0 ? nil : EventFilter(types: [.action("finish")])
                            var count = 0
                            for try await event in stream.subscribe(from: 0, where: filter) {
                                #expect(event.id == count)
                                count += 1
                                received.increment()
                            }
                            return count
                        }
                    }
                    for round in 1...rounds {
                        try await stream.publish(.message(String(repeating: "x", count: 1000)))
                        // So that all of them wait before the next.
                        await received.wait(for: round * waiting / 2)
                    }
                    try await stream.close()
                    var total = 0
                    for try await count in group { total += count }
                    #expect(total == rounds * waiting / 2)
                }
                let growth = try peakMemory() - before
                #expect(growth < 100, "\(growth) MB")
            }
        }
    }

    @Test("Cancelling ten thousand subscribers that wait ends and frees them")
    func cancelled() async throws {
        weak var gone: EventStream?
        do {
            let stream = EventStream()
            gone = stream
            let received = Counter()
            let tasks = (0..<10_000).map { _ in
                Task {
                    for try await _ in stream.subscribe(from: 0) { received.increment() }
                }
            }
            try await stream.publish(.message("0"))
            await received.wait(for: tasks.count)
            for task in tasks { task.cancel() }
            for task in tasks { try await task.value }
            // Nobody waits any more, and publishing goes on.
            #expect(try await stream.publish(.message("1")).id == 1)
        }
        // The stream wasn't closed: a subscriber that was still there would keep it.
        #expect(gone == nil)
    }

    @Test("A subscriber that is slow misses nothing, holds up nobody, and keeps no events")
    func slow() async throws {
        try await withTemporaryDirectory { directory in
            let stream = try EventStream(directory: directory)
            var slow = stream.subscribe(from: 0).makeAsyncIterator()
            for index in 0..<5000 {
                try await stream.publish(.message("\(index)"))
                if index % 100 == 0 { #expect(try await slow.next()?.id == index / 100) }
            }
            try await stream.close()
            var expected = 50
            while let event = try await slow.next() {
                #expect(event.id == expected)
                expected += 1
            }
            #expect(expected == 5000)
        }
    }
}
