import EventStream
import Foundation
import Testing

@Suite("Durability", .timeLimit(.minutes(10)))
struct DurabilityTests {
    static let log = "events-0000000000000000.jsonl"
    static let index = "events-0000000000000000.index"

    /// How often a writer is killed in each of eight rounds; `WRITER_KILLS` in the environment says how often in all.
    private static let killsPerRound =
        (ProcessInfo.processInfo.environment["WRITER_KILLS"].flatMap { Int($0) } ?? 64) / 8

    /// Short events, for tests that go through all their bytes.
    private static func samples(_ count: Int) -> [Event] {
        (0..<count).map { id in
            Event(
                id: id,
                timestamp: Timestamp(wallMicroseconds: 1_795_377_277_000_000 + Int64(id) * 250_000),
                source: id % 2 == 0 ? .user : .agent,
                payload: id % 3 == 0
                    ? .action(.null(NullAction())) : .action(.message(MessageAction(content: "\"é\" \(id)\n")))
            )
        }
    }

    /// The files of a session whose last appends were made by another process that is gone.
    private static func session(
        _ count: Int,
        in directory: String,
        durability: JSONLinesEventStore.Durability = .os
    ) throws -> DirectoryContents {
        let store = try JSONLinesEventStore(directory: directory, durability: durability)
        for event in samples(count) { try store.append([event]) }
        try store.close()
        return try DirectoryContents(directory)
    }

    /// How many events are wholly in the beginning of a log, and where the last of them ends.
    private static func whole(_ log: ArraySlice<UInt8>) -> (count: Int, end: Int) {
        let ends = log.indices.filter { log[$0] == UInt8(ascii: "\n") }
        return (ends.count, (ends.last ?? log.startIndex - 1) + 1)
    }

    @Test("P1: acknowledged events survive the process being killed at any moment, each once", arguments: 1...8)
    func killed(round: Int) async throws {
        // Each time, the next process goes on with what the last one left.
        try await withTemporaryDirectory { directory in
            for life in 0..<Self.killsPerRound {
                let microseconds = Int.random(in: 0..<40_000)
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [
                        directory = directory as String, microseconds = microseconds as Int, round = round as Int,
                        life = life as Int
                    ] in
                    let acknowledged = open(directory + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
                    // Before the session is opened, so that it may be what is interrupted.
                    Thread.detachNewThread {
                        usleep(UInt32(microseconds))
                        kill(getpid(), SIGKILL)
                    }
                    let stream = EventStream(
                        store: try JSONLinesEventStore(
                            directory: directory + "/session",
                            durability: round % 2 == 0 ? .os : .synced,
                            segmentSize: 20_000
                        )
                    )
                    await withTaskGroup(of: Void.self) { group in
                        for publisher in 0..<3 {
                            group.addTask {
                                var number = 0
                                while true {
                                    let text = "\(life):\(publisher):\(number)"
                                    // Alone, and with others in one append.
                                    let drafts = (0...(number % 3)).map { index in
                                        EventDraft.message("\(text):\(index) " + String(repeating: "x", count: 200))
                                    }
                                    guard let events = try? await stream.publish(drafts) else { return }
                                    let lines = events.enumerated().map { "\($1.id) \(text):\($0)\n" }.joined()
                                    _ = lines.withCString { write(acknowledged, $0, strlen($0)) }
                                    number += 1
                                }
                            }
                        }
                    }
                }
                try Self.expectAcknowledged(in: directory)
            }
        }
    }

    /// Checks what a session has against the list of what was acknowledged to the publishers, as lines of id and text.
    private static func expectAcknowledged(in directory: String) throws {
        let store = try JSONLinesEventStore(directory: directory + "/session")
        #expect(store.verify().isEmpty)
        let events = try store.events(in: 0..<store.count, reversed: false, where: .all, limit: .max)
        try store.close()
        #expect(events.map(\.id) == Array(0..<store.count))
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.timestamp <= $1.timestamp })
        let texts = events.compactMap { $0.text?.split(separator: " ").first.map(String.init) }
        #expect(Set(texts).count == events.count, "an event is there twice")
        guard let list = try? String(contentsOfFile: directory + "/acknowledged", encoding: .utf8) else { return }
        for line in list.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let id = Int(parts[0]), texts.indices.contains(id) else {
                Issue.record("lost: \(line)")
                continue
            }
            #expect(texts[id] == parts[1])
        }
    }

    @Test(
        "P1: after a power loss, synchronized events are there, however much of what came after is cut off or reads as zeros"
    )
    func powerLoss() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let synced = try Self.session(6, in: directory, durability: .synced)
            let whole = try Self.session(9, in: directory + "/more").files[Self.log] ?? []
            let kept = try #require(synced.files[Self.log])
            #expect(whole.starts(with: kept))
            for length in kept.count...whole.count {
                for zeros in [0, whole.count - length] {
                    var contents = synced
                    contents.files[Self.log] = Array(whole[..<length]) + Array(repeating: 0, count: zeros)
                    try contents.write(to: directory)
                    let store = try JSONLinesEventStore(directory: directory)
                    let (count, end) = Self.whole(whole[..<length])
                    // The line end alone may be missing.
                    let expected = whole.dropFirst(length).first == UInt8(ascii: "\n") && zeros == 0 ? count + 1 : count
                    #expect(store.count == expected)
                    #expect(store.verify().isEmpty)
                    #expect(try store.event(expected - 1).id == expected - 1)
                    #expect((store.recovery.tornTail == nil) == (expected > count || end == length && zeros == 0))
                    try store.append([Self.samples(expected + 1)[expected]])
                    try store.close()
                }
            }
        }
    }

    @Test("P1: after a power loss, lines whose data is lost though their index isn't are set aside")
    func powerLossWithIndex() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let all = try Self.session(6, in: directory)
            let log = try #require(all.files[Self.log])
            let (_, end) = Self.whole(log.dropLast())
            for start in [0, end, end + 1, log.count - 1] {
                var contents = all
                contents.files[Self.log] = Array(log[..<start]) + Array(repeating: 0, count: log.count - start)
                try contents.write(to: directory)
                let store = try JSONLinesEventStore(directory: directory)
                let expected = Self.whole(log[..<start]).count
                #expect(store.count == expected)
                #expect(store.recovery.tornBytes == Self.whole(log[..<start]).end..<log.count)
                #expect(store.verify().isEmpty)
                try store.close()
            }
        }
    }

    @Test(
        "P2: a log cut off anywhere opens with the events before the cut, and the rest of the cut one is set aside",
        arguments: [true, false]
    )
    func truncation(withIndex: Bool) async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let all = try Self.session(8, in: directory)
            let log = try #require(all.files[Self.log])
            let events = Self.samples(9)
            for length in 0...log.count {
                var contents = all
                contents.files[Self.log] = Array(log[..<length])
                if !withIndex { contents.files[Self.index] = nil }
                try contents.write(to: directory)
                let store = try JSONLinesEventStore(directory: directory)
                let (whole, end) = Self.whole(log[..<length])
                let lacksLineEnd = log.dropFirst(length).first == UInt8(ascii: "\n")
                let count = lacksLineEnd ? whole + 1 : whole
                #expect(store.count == count)
                #expect(
                    try store.events(in: 0..<9, reversed: false, where: .all, limit: .max)
                        == Array(events.prefix(count))
                )
                let torn = Array(log[end..<length])
                if torn.isEmpty || lacksLineEnd {
                    #expect(store.recovery.tornTail == nil)
                } else {
                    let path = try #require(store.recovery.tornTail)
                    #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == torn)
                    #expect(store.recovery.tornBytes == end..<length)
                }
                try store.append([events[count]])
                try store.close()
                let again = try JSONLinesEventStore(directory: directory)
                #expect(again.recovery.isEmpty)
                #expect(again.verify().isEmpty)
                #expect(try again.event(count) == events[count])
                try again.close()
            }
        }
    }

    @Test("P2: what a crash leaves twice at the same place is set aside twice")
    func tornTwice() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            _ = try Self.session(3, in: directory)
            var paths: Set<String> = []
            for part in ["{\"id\":3,\"ti", "garbage"] {
                let handle = try #require(FileHandle(forWritingAtPath: directory + "/" + Self.log))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data(part.utf8))
                try handle.close()
                let store = try JSONLinesEventStore(directory: directory)
                #expect(store.count == 3)
                let path = try #require(store.recovery.tornTail)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == part)
                paths.insert(path)
                try store.close()
            }
            #expect(paths.count == 2)
        }
    }

    @Test("P3: every flipped bit of a log is found and named, and the other events are there", arguments: [0, 1])
    func flippedBits(reading: Int) async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let all = try Self.session(4, in: directory)
            let log = try #require(all.files[Self.log])
            let events = Self.samples(4)
            let path = directory + "/" + Self.log
            var starts = [0] + log.indices.filter { log[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
            starts.removeLast()
            for offset in log.indices {
                let damagedID = (starts.lastIndex { $0 <= offset }) ?? 0
                for bit in 0..<8 {
                    var damaged = log
                    damaged[offset] ^= 1 << bit
                    try Data(damaged).write(to: URL(filePath: path))
                    let store =
                        try reading == 1
                        ? JSONLinesEventStore(reading: directory) : JSONLinesEventStore(directory: directory)
                    #expect(store.recovery.isEmpty)
                    for id in 0..<4 where id != damagedID { #expect(try store.event(id) == events[id]) }
                    let expected = EventStoreError.damaged(
                        path: path,
                        line: damagedID + 1,
                        offset: starts[damagedID],
                        reason: "event \(damagedID): the line doesn't have its checksum"
                    )
                    #expect(throws: expected) { try store.event(damagedID) }
                    if bit == 0 { #expect(store.verify() == [expected]) }
                    try store.close()
                }
            }
        }
    }

    @Test("P3: every flipped bit of an index is found and named by a reader, and made good by a writer")
    func flippedIndexBits() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let all = try Self.session(4, in: directory)
            let index = try #require(all.files[Self.index])
            let events = Self.samples(4)
            let path = directory + "/" + Self.index
            for offset in index.indices {
                for bit in 0..<8 {
                    var damaged = index
                    damaged[offset] ^= 1 << bit
                    try Data(damaged).write(to: URL(filePath: path))
                    let reader = try JSONLinesEventStore(reading: directory)
                    #expect(try reader.events(in: 0..<4, reversed: false, where: .all, limit: 4) == events)
                    let store = try JSONLinesEventStore(directory: directory)
                    #expect(store.recovery.rebuiltIndexes == [path])
                    #expect(try store.events(in: 0..<4, reversed: false, where: .all, limit: 4) == events)
                    try store.close()
                    #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == index)
                }
            }
        }
    }

    @Test(
        "P3: a damaged record in the index of a full segment is an error that names it, and the other events are there"
    )
    func flippedBitOfFullSegment() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let store = try JSONLinesEventStore(directory: directory, segmentSize: 2000)
            let events = try EventStoreTests.samples(30)
            for event in events { try store.append([event]) }
            try store.close()
            let path = directory + "/" + Self.index
            var index = try #require(try DirectoryContents(directory).files[Self.index])
            index[32 * 2 + 5] ^= 4
            try Data(index).write(to: URL(filePath: path))
            let damaged = try JSONLinesEventStore(directory: directory, segmentSize: 2000)
            let error = EventStoreError.damagedIndex(
                path: path,
                offset: 64,
                reason: "the record of event 1 doesn't have its checksum"
            )
            #expect(throws: error) { try damaged.event(1) }
            for id in events.indices where id != 1 { #expect(try damaged.event(id) == events[id]) }
            #expect(damaged.verify() == [error])
        }
    }

    @Test(
        "P3: without an index, a damaged line before good ones is an error, wherever it is; at the end it is set aside"
    )
    func damagedWithoutIndex() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let all = try Self.session(5, in: directory)
            let log = try #require(all.files[Self.log])
            let ends = log.indices.filter { log[$0] == UInt8(ascii: "\n") }
            var contents = all
            contents.files[Self.index] = nil
            for (line, end) in ends.enumerated() {
                contents.files[Self.log] = log
                contents.files[Self.log]?[end - 1] = UInt8(ascii: "]")
                try contents.write(to: directory)
                let start = line > 0 ? ends[line - 1] + 1 : 0
                if line < 4 {
                    for isWriting in [true, false] {
                        do {
                            _ =
                                try isWriting
                                ? JSONLinesEventStore(directory: directory) : JSONLinesEventStore(reading: directory)
                            Issue.record("opened with line \(line + 1) damaged")
                        } catch EventStoreError.damaged(let path, let damagedLine, let offset, _) {
                            #expect(path == directory + "/" + Self.log)
                            #expect(damagedLine == line + 1)
                            #expect(offset == start)
                        }
                    }
                } else {
                    let store = try JSONLinesEventStore(directory: directory)
                    #expect(store.count == 4)
                    #expect(store.recovery.tornBytes == start..<log.count)
                    try store.close()
                }
            }
        }
    }
}
