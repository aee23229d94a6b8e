import EventStream
import Foundation
import Testing

@Suite("Following a writer that fails", .timeLimit(.minutes(5)))
struct FollowerFaultTests {
    private static let log = "events-0000000000000000.jsonl"

    @Test(
        "A follower gets each event once, though its writer is killed again and again and others go on",
        arguments: 1...2
    )
    func killedWriters(round: Int) async throws {
        try await withTemporaryDirectory { directory in
            try JSONLinesEventStore(directory: directory).close()
            let (counts, counting) = AsyncStream.makeStream(of: Int.self)
            let follower = Task {
                var events: [Event] = []
                for try await event in FollowedEvents(directory: directory) {
                    events.append(event)
                    counting.yield(events.count)
                }
                return events
            }
            for _ in 0..<12 {
                let microseconds = Int.random(in: 1000..<30_000)
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [directory = directory as String, microseconds = microseconds as Int] in
                    let store = try JSONLinesEventStore(directory: directory, segmentSize: 10_000)
                    let stream = EventStream(store: store)
                    Thread.detachNewThread {
                        usleep(UInt32(microseconds))
                        kill(getpid(), SIGKILL)
                    }
                    while true {
                        try await stream.publish(
                            (0..<3).map { .message("\($0) " + String(repeating: "x", count: 200)) }
                        )
                    }
                }
            }
            let stream = try EventStream(directory: directory)
            try await stream.publish(.message("last"))
            let all = try stream.events()
            for await count in counts where count >= all.count { break }
            follower.cancel()
            #expect(try await follower.value == all)
            try await stream.close()
        }
    }

    @Test(
        "An event that was read and is taken back, or replaced, is an error and not passed over",
        arguments: [true, false]
    )
    func takenBack(isReplaced: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/" + Self.log
            func line(_ id: Int, _ text: String) -> [UInt8] {
                let event = Event(
                    id: id,
                    timestamp: .now(),
                    source: .user,
                    payload: .action(.message(.init(content: text)))
                )
                return event.jsonBytes() + [UInt8(ascii: "\n")]
            }
            let first = line(0, "kept")
            try Data(first + line(1, "to be taken back")).write(to: URL(filePath: path))
            let reader = try JSONLinesEventStore(reading: directory)
            #expect(reader.count == 2)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.truncate(atOffset: UInt64(first.count))
            if isReplaced {
                try handle.seekToEnd()
                // Of the same length, so that lines begin where they were.
                try handle.write(contentsOf: Data(line(1, "another, in line") + line(2, "one more")))
            }
            try handle.close()
            let error = #expect(throws: EventStoreError.self) { try reader.refresh() }
            guard case .damaged(path, line: 2, offset: first.count, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
