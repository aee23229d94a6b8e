import EventStream
import Synchronization
import Testing

@Suite("Event stream", .timeLimit(.minutes(2)))
struct EventStreamTests {
    @Test("Ids are dense from 0 and times don't go back")
    func ids() async throws {
        let stream = EventStream()
        #expect(try stream.latest == nil)
        for index in 0..<10 {
            let event = try await stream.publish(.message("\(index)"))
            #expect(event.id == index)
        }
        let events = try await stream.publish([.message("10"), .message("11")])
        #expect(events.map(\.id) == [10, 11])
        #expect(try await stream.publish([EventDraft]()).isEmpty)
        #expect(stream.nextID == 12)
        let all = try stream.events()
        #expect(all.map(\.text) == (0..<12).map { "\($0)" })
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.timestamp <= $1.timestamp })
        #expect(try stream.latest == all.last)
        #expect(try stream.event(3) == all[3])
    }

    @Test("What is published is what the drafts say")
    func fields() async throws {
        let stream = EventStream()
        let action = try await stream.publish(
            .run(CommandAction(command: "ls")),
            timeout: 5,
            toolCallMetadata: ["id": "x"]
        )
        let observation = try await stream.publish(
            .run(CommandObservation(content: "a", command: "ls")),
            cause: action.id,
            toolCallMetadata: action.toolCallMetadata
        )
        #expect(action.source == .agent)
        #expect(action.timeout == 5)
        #expect(observation.cause == 0)
        #expect(observation.toolCallMetadata == ["id": "x"])
        var draft = EventDraft.message("m")
        draft.llmMetrics = ["cost": 1]
        draft.responseID = "r"
        draft.extra = ["new": true]
        let message = try await stream.publish(draft)
        #expect(EventDraft(message) == draft)
    }

    @Test("A subscriber gets what is there and then what comes")
    func replayThenLive() async throws {
        let stream = EventStream()
        try await stream.publish([.message("0"), .message("1")])
        var iterator = stream.subscribe(from: 1).makeAsyncIterator()
        #expect(try await iterator.next()?.id == 1)
        async let next = stream.subscribe(from: 2).first(1)
        try await stream.publish(.message("2"))
        #expect(try await iterator.next()?.id == 2)
        #expect(try await next.map(\.id) == [2])
    }

    @Test(
        "A subscription begins with the next event at the time of the call, whenever it is iterated, and can be iterated again"
    )
    func startOfSubscription() async throws {
        let stream = EventStream()
        try await stream.publish(.message("0"))
        let subscription = stream.subscribe()
        let future = stream.subscribe(from: 3)
        try await stream.publish([.message("1"), .message("2"), .message("3")])
        #expect(try await subscription.first(2).map(\.id) == [1, 2])
        #expect(try await subscription.first(3).map(\.id) == [1, 2, 3])
        #expect(try await future.first(1).map(\.id) == [3])
        #expect(try await stream.subscribe(from: -5).first(1).map(\.id) == [0])
    }

    @Test("A filter leaves out events and keeps the order")
    func filter() async throws {
        let stream = EventStream()
        for index in 0..<200 {
            if index % 3 == 0 {
                try await stream.publish(.message("\(index)"))
            } else {
                try await stream.publish(.null(NullObservation(content: "")), source: .environment)
            }
        }
        try await stream.close()
        let ids = try await stream.subscribe(from: 0, where: .actions).all().map(\.id)
        #expect(ids == Array(stride(from: 0, to: 200, by: 3)))
    }

    @Test("Closing ends iterations after the last event, refuses publishers, and leaves what there is to be read")
    func close() async throws {
        let stream = EventStream()
        async let early = stream.subscribe(from: 0).all()
        try await stream.publish([.message("0"), .message("1")])
        try await stream.close()
        #expect(try await early.map(\.id) == [0, 1])
        #expect(try await stream.subscribe(from: 1).all().map(\.id) == [1])
        #expect(try await stream.subscribe(from: 7).all().isEmpty)
        #expect(try await stream.subscribe().all().isEmpty)
        await #expect(throws: EventStreamError.closed) { try await stream.publish(.message("2")) }
        await #expect(throws: EventStreamError.closed) { try await stream.publish([.message("2")]) }
        #expect(try stream.events().count == 2)
        try await stream.close()
    }

    @Test("Cancelling a task ends its iteration while it waits, and before it begins")
    func cancellation() async throws {
        let stream = EventStream()
        try await stream.publish(.message("0"))
        let (received, reception) = AsyncStream.makeStream(of: Int.self)
        let waiting = Task {
            var count = 0
            for try await event in stream.subscribe(from: 0) {
                reception.yield(event.id)
                count += 1
            }
            return count
        }
        for await _ in received { break }
        waiting.cancel()
        #expect(try await waiting.value == 1)

        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await stream.subscribe(from: 0).all().count
        }
        #expect(try await cancelled.value == 0)
    }

    @Test("A task that is cancelled publishes all the same, whole", arguments: StoreKind.allCases)
    func publishingWhenCancelled(kind: StoreKind) async throws {
        try await withTemporaryDirectory { directory in
            let stream = EventStream(store: try kind.open(directory))
            let ids = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let one = try await stream.publish(.message("one")).id
                        return try await [one] + stream.publish([.message("two"), .message("three")]).map(\.id)
                    }
                }
                group.cancelAll()
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(ids.sorted() == Array(0..<150))
            #expect(try stream.events().map(\.id) == Array(0..<150))
            try await stream.close()
        }
    }

    @Test("Cancelled at any moment, an iteration ends and the others go on", arguments: [1, 2, 3, 4])
    func cancellationRaces(seed: UInt64) async throws {
        let stream = EventStream()
        var generator = SeededGenerator(seed: seed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                let delay = Int.random(in: 0..<20, using: &generator)
                group.addTask {
                    let task = Task { try await stream.subscribe(from: 0).all() }
                    for _ in 0..<delay { await Task.yield() }
                    task.cancel()
                    let ids = try await task.value.map(\.id)
                    #expect(ids == Array(0..<ids.count))
                }
                group.addTask { try await stream.publish(.message("x")) }
            }
            try await group.waitForAll()
        }
        #expect(stream.nextID == 300)
    }

    @Test("A stream that nobody holds any more goes away")
    func deinitialization() async throws {
        weak var gone: EventStream?
        do {
            let stream = EventStream()
            gone = stream
            try await stream.publish(.message("0"))
            #expect(try await stream.subscribe(from: 0).first(1).count == 1)
            try stream.addSubscriber(named: "a", onError: { _, _ in }) { _ in }
            try await stream.close()
            await stream.waitForSubscribers()
        }
        #expect(gone == nil)
    }
}

@Suite("Publishers that come together", .timeLimit(.minutes(2)))
struct EventStreamBatchTests {
    @Test("Publishers that come while the store is busy share the next append")
    func grouping() async throws {
        let store = GatedStore()
        let stream = EventStream(store: store)
        async let first = stream.publish(.message("first"))
        #expect(await store.nextArrival() == 1)
        async let others = withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<8 { group.addTask { try await stream.publish(.message("\(index)")).id } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        // Nothing is visible before the store has it.
        #expect(stream.nextID == 0)
        store.open()
        #expect(try await first.id == 0)
        var arrived = 0
        while arrived < 8 {
            arrived += await store.nextArrival() ?? 0
            store.open()
        }
        #expect(try await others == Set(1...8))
        #expect(store.batches.flatMap(\.self) == Array(0...8))
        try await stream.close()
        #expect(store.isClosed)
    }

    @Test("Events that the store refuses were never there: nobody sees them and their ids are given to the next")
    func failure() async throws {
        let store = GatedStore()
        let stream = EventStream(store: store)
        let full = EventStoreError.diskFull(path: "x", operation: "append to")
        async let seen = stream.subscribe(from: 0).all()
        store.fail(with: full)
        async let results = withTaskGroup(of: Result<Int, EventStreamError>.self) { group in
            for index in 0..<8 {
                group.addTask {
                    do throws(EventStreamError) {
                        return .success(try await stream.publish(.message("\(index)")).id)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        // However the publishers are split over appends, each append that comes is refused.
        let opener = Task {
            while await store.nextArrival() != nil { store.open() }
        }
        #expect(await results == Array(repeating: .failure(.storage(full)), count: 8))
        #expect(stream.nextID == 0)
        store.fail(with: nil)
        #expect(try await stream.publish([.message("a"), .message("b")]).map(\.id) == [0, 1])
        try await stream.close()
        #expect(try await seen.map(\.text) == ["a", "b"])
        opener.cancel()
    }

    @Test("Closing waits for events that are being stored")
    func closing() async throws {
        let store = GatedStore()
        let stream = EventStream(store: store)
        async let first = stream.publish(.message("first"))
        #expect(await store.nextArrival() == 1)
        async let closed: Void = stream.close()
        async let closedToo: Void = stream.close()
        // Whether this comes before or after the closing begins, it doesn't hang.
        async let second = Result(catching: { try await stream.publish(.message("second")).id })
        let opener = Task {
            store.open()
            while await store.nextArrival() != nil { store.open() }
        }
        #expect(try await first.id == 0)
        try await closed
        try await closedToo
        #expect(store.isClosed)
        switch await second {
        case .success(let id): #expect(id == 1)
        case .failure(let error): #expect(error as? EventStreamError == .closed)
        }
        opener.cancel()
    }
}

extension Result where Failure == any Error {
    fileprivate init(catching body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
