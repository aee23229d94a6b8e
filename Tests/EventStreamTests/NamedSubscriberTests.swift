import EventStream
import Synchronization
import Testing

@Suite("Named subscribers", .timeLimit(.minutes(2)))
struct NamedSubscriberTests {
    private struct Refusal: Error {}

    @Test("A name is one subscriber's at a time")
    func names() async throws {
        let stream = EventStream()
        try stream.addSubscriber(named: "a", onError: { _, _ in }) { _ in }
        #expect(throws: EventStreamError.duplicateSubscriber(name: "a")) {
            try stream.addSubscriber(named: "a", onError: { _, _ in }) { _ in }
        }
        try stream.addSubscriber(named: "b", onError: { _, _ in }) { _ in }
        #expect(stream.subscriberNames == ["a", "b"])
        #expect(stream.removeSubscriber(named: "a"))
        #expect(!stream.removeSubscriber(named: "a"))
        try stream.addSubscriber(named: "a", onError: { _, _ in }) { _ in }
        try await stream.close()
        await stream.waitForSubscribers()
        #expect(stream.subscriberNames.isEmpty)
    }

    @Test("An error of one call is reported, and neither ends the subscriber nor touches another")
    func errors() async throws {
        let stream = EventStream()
        let calls = Mutex<[String: [Int]]>([:])
        let errors = Mutex<[Int]>([])
        try stream.addSubscriber(
            named: "failing",
            from: 0,
            onError: { error, event in
                #expect(error is Refusal)
                errors.withLock { $0.append(event?.id ?? -1) }
            },
            { event in
                calls.withLock { $0["failing", default: []].append(event.id) }
                if event.id % 2 == 1 { throw Refusal() }
            }
        )
        try stream.addSubscriber(named: "other", from: 0, onError: { _, _ in Issue.record("no error here") }) { event in
            calls.withLock { $0["other", default: []].append(event.id) }
        }
        for index in 0..<6 { try await stream.publish(.message("\(index)")) }
        try await stream.close()
        await stream.waitForSubscribers()
        #expect(calls.withLock { $0 } == ["failing": Array(0..<6), "other": Array(0..<6)])
        #expect(errors.withLock { $0 } == [1, 3, 5])
    }

    @Test("A subscriber that publishes and removes itself is called no more")
    func removal() async throws {
        let stream = EventStream()
        let (ids, continuation) = AsyncStream.makeStream(of: Int.self)
        try stream.addSubscriber(named: "once", from: 0, onError: { error, _ in Issue.record(error) }) { event in
            stream.removeSubscriber(named: "once")
            try await stream.publish(.message("answer to \(event.id)"))
            continuation.yield(event.id)
        }
        try await stream.publish(.message("question"))
        for await id in ids {
            #expect(id == 0)
            break
        }
        #expect(try await stream.subscribe(from: 0).first(2).map(\.text) == ["question", "answer to 0"])
        #expect(stream.subscriberNames.isEmpty)
        try await stream.close()
        continuation.finish()
        for await id in ids { Issue.record("called again with \(id)") }
    }
}
