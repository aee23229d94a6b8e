import EventStream
import Testing

@Suite("Order", .timeLimit(.minutes(5)))
struct OrderTests {
    @Test(
        "P5: ids are dense and rising, in one order for every subscriber, however many publish and subscribe",
        arguments: [1, 2, 3] as [UInt64]
    )
    func oneOrder(seed: UInt64) async throws {
        let stream = EventStream()
        let publishers = 8
        let each = 250
        let total = publishers * each
        var generator = SeededGenerator(seed: seed)
        let joins = (0..<24).map { _ in Int.random(in: 0..<total, using: &generator) }
        let views = try await withThrowingTaskGroup(of: [Event]?.self) { group in
            for publisher in 0..<publishers {
                group.addTask {
                    for index in 0..<each {
                        if index % 10 == 0 {
                            let pair = try await stream.publish([
                                .message("\(publisher):\(index)"), .message("\(publisher):\(index)+"),
                            ])
                            // Nothing comes between events that are published together.
                            #expect(pair[0].id + 1 == pair[1].id)
                        } else {
                            try await stream.publish(.message("\(publisher):\(index)"))
                        }
                    }
                    return nil
                }
            }
            for (number, join) in joins.enumerated() {
                group.addTask {
                    // Joins once the stream has come so far.
                    _ = try await stream.subscribe(from: join).first(1)
                    if number % 3 == 0 {
                        let task = Task { try await stream.subscribe(from: join / 2).all() }
                        _ = try await stream.subscribe(from: min(join + 50, total - 1)).first(1)
                        task.cancel()
                        return try await task.value
                    }
                    var events: [Event] = []
                    for try await event in stream.subscribe(from: join / 2) {
                        events.append(event)
                        if number % 3 == 1, event.id % 100 == 0 { await Task.yield() }
                        if event.id == total + publishers * each / 10 - 1 { break }
                    }
                    return events
                }
            }
            var views: [[Event]] = []
            for try await case let view? in group { views.append(view) }
            return views
        }
        let all = try stream.events()
        #expect(all.map(\.id) == Array(0..<(total + publishers * each / 10)))
        for view in views {
            guard let first = view.first?.id else { continue }
            #expect(view == Array(all[first..<(first + view.count)]))
        }
        for publisher in 0..<publishers {
            let own = all.compactMap(\.text).filter { $0.hasPrefix("\(publisher):") && !$0.hasSuffix("+") }
            #expect(own == (0..<each).map { "\(publisher):\($0)" })
        }
    }
}
