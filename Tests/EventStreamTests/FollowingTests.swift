import EventStream
import Foundation
import Testing

@Suite("Following a session from another process", .timeLimit(.minutes(2)))
struct FollowingTests {
    @Test("A follower gets what is there and then what comes, over all files, and several go on side by side")
    func follows() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory, segmentSize: 3000)
            let stream = EventStream(store: store)
            try await stream.publish((0..<20).map { .message("\($0)") })
            async let all = FollowedEvents(directory: directory).first(200)
            async let some = FollowedEvents(directory: directory, from: 150, where: .actions).first(50)
            // One that has caught up, so that it must be told.
            var follower = FollowedEvents(directory: directory, from: 19).makeAsyncIterator()
            #expect(try await follower.next()?.id == 19)
            for index in 20..<200 {
                try await stream.publish(.message("\(index)"))
                if index % 20 == 0 { #expect(try await follower.next()?.id == 20 + (index - 20) / 20) }
            }
            #expect(try await all.map(\.id) == Array(0..<200))
            #expect(try await all == stream.events())
            #expect(try await some.map(\.id) == Array(150..<200))
            try await stream.close()
        }
    }

    @Test("A follower in one process follows a writer in another", .timeLimit(.minutes(1)))
    func acrossProcesses() async throws {
        try await withTemporaryDirectory { directory in
            _ = try JSONLinesEventStore(directory: directory)
            async let seen = FollowedEvents(directory: directory).first(300)
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                let stream = EventStream(store: try JSONLinesEventStore(directory: directory, segmentSize: 5000))
                for index in 0..<300 { try await stream.publish(.message("\(index)")) }
                try await stream.close()
            }
            #expect(try await seen.map(\.text) == (0..<300).map { "\($0)" })
        }
    }

    @Test("A line that is half written is waited for, not read")
    func halfWritten() async throws {
        try await withTemporaryDirectory { directory in
            let lines = try EventStoreTests.samples(3).map { $0.jsonBytes() + [UInt8(ascii: "\n")] }
            let path = directory + "/events-0000000000000000.jsonl"
            try Data(lines[0]).write(to: URL(filePath: path))
            let reader = try JSONLinesEventStore(reading: directory)
            #expect(reader.count == 1)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            for (index, line) in lines.dropFirst().enumerated() {
                for half in [line.prefix(line.count - 1 - index), line.suffix(1 + index)] {
                    try handle.write(contentsOf: Data(half))
                    #expect(try reader.refresh() == (half.last == UInt8(ascii: "\n")))
                }
                #expect(reader.count == index + 2)
            }
            #expect(try !reader.refresh())
            try handle.write(
                contentsOf: Data("garbage\n".utf8)
                    + Data(try EventStoreTests.samples(5)[4].jsonBytes() + [UInt8(ascii: "\n")])
            )
            #expect(throws: EventStoreError.self) { try reader.refresh() }
            try handle.close()
        }
    }

    @Test("Cancelling a follower that waits ends it")
    func cancellation() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory)
            try store.append(try EventStoreTests.samples(1))
            let (received, reception) = AsyncStream.makeStream(of: Int.self)
            let task = Task {
                var count = 0
                for try await event in FollowedEvents(directory: directory) {
                    count += 1
                    reception.yield(event.id)
                }
                return count
            }
            for await _ in received { break }
            task.cancel()
            #expect(try await task.value == 1)
        }
    }

    @Test("Following a directory that isn't there is an error")
    func missing() async throws {
        await #expect(throws: EventStoreError.self) {
            try await FollowedEvents(directory: "/nowhere/at/all").first(1)
        }
    }
}
