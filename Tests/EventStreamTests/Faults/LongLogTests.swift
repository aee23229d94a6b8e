import EventStream
import Foundation
import Testing

@Suite("Long logs", .timeLimit(.minutes(10)))
struct LongLogTests {
    /// The size of the log; `LONG_LOG_MB` in the environment says another.
    private static let megabytes = ProcessInfo.processInfo.environment["LONG_LOG_MB"].flatMap { Int($0) } ?? 110

    /// What a process may have of memory at most, all in all, however long the log is.
    private static let limit = 100

    private static func draft(_ index: Int) -> EventDraft {
        let text = "\(index) " + String(repeating: "x", count: 1800)
        return index % 2 == 0
            ? EventDraft(.action(.run(CommandAction(command: text))), source: .agent)
            : EventDraft(.observation(.run(CommandObservation(content: text, command: "ls"))), source: .agent)
    }

    @Test("A long log is written, opened, read forwards, paged backwards, searched and tailed in less than 100 MB")
    func memory() async throws {
        try await withTemporaryDirectory { directory in
            let megabytes = Self.megabytes
            await #expect(processExitsWith: .success) {
                [directory = directory as String, megabytes = megabytes as Int] in
                let stream = try EventStream(directory: directory)
                let first = try await stream.publish((0..<200).map(Self.draft))
                let pageSize = first.reduce(0) { $0 + $1.jsonBytes().count + 1 }
                for page in 1...(megabytes << 20 / pageSize) {
                    try await stream.publish((page * 200..<(page + 1) * 200).map(Self.draft))
                }
                try await stream.close()
                try Self.expectLittleMemory("writing")
            }
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                let stream = try EventStream(directory: directory)
                let count = stream.nextID
                try Self.expectLittleMemory("opening")

                // As an embedder's history view does: from the end, a page at a time.
                var end = count
                while end > 0 {
                    let page = try stream.events(in: 0..<end, reversed: true, limit: 100)
                    #expect(page.map(\.id) == Array(stride(from: end - 1, through: end - page.count, by: -1)))
                    end -= page.count
                }
                try Self.expectLittleMemory("paging backwards")

                let middle = (count / 2 - 500)..<(count / 2 + 500)
                let found = try stream.events(in: middle, where: EventFilter(text: "\(count / 2) X"))
                #expect(found.map(\.id) == [count / 2])
                #expect(try stream.events(where: EventFilter(types: [.action("finish")])).isEmpty)
                try Self.expectLittleMemory("searching")

                async let followed = FollowedEvents(directory: directory, from: count).first(1000)
                async let delivered = stream.subscribe(from: count).first(1000)
                for index in count..<(count + 1000) { try await stream.publish([Self.draft(index)]) }
                #expect(try await followed == delivered)
                try await stream.close()
                var expected = 0
                for try await event in stream.subscribe(from: 0) {
                    #expect(event.id == expected)
                    expected += 1
                }
                #expect(expected == count + 1000)
                try Self.expectLittleMemory("tailing and reading forwards")
            }
        }
    }

    private static func expectLittleMemory(_ what: String) throws {
        let peak = try peakMemory()
        #expect(peak < limit, "\(peak) MB after \(what)")
    }
}
