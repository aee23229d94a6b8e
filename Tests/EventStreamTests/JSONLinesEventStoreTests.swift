import EventStream
import Foundation
import Testing

@Suite("Store of JSON lines", .timeLimit(.minutes(5)))
struct JSONLinesEventStoreTests {
    static let log = "events-0000000000000000.jsonl"
    static let index = "events-0000000000000000.index"

    @Test(
        "A log has the events as JSON in the reference's form, one per line, and is the same after reading and writing again"
    )
    func form() async throws {
        try await withTemporaryDirectory { directory in
            let events = try EventStoreTests.samples(58)
            let store = try JSONLinesEventStore(directory: directory)
            try store.append(events)
            try store.close()
            let contents = try DirectoryContents(directory)
            let lines = try #require(contents.files[Self.log]).split(separator: UInt8(ascii: "\n"))
            #expect(lines.map(Array.init) == events.map { $0.jsonBytes() })
            let copy = try JSONLinesEventStore(directory: directory + "/copy")
            try copy.append(try JSONLinesEventStore(reading: directory).read(from: 0, limit: 58, maximumBytes: .max))
            try copy.close()
            #expect(try DirectoryContents(directory + "/copy").files[Self.log] == contents.files[Self.log])
        }
    }

    @Test("P4: unknown kinds and fields come back byte for byte from a log of a newer version")
    func newerVersion() async throws {
        try await withTemporaryDirectory { directory in
            let text = """
                {"id":0,"timestamp":"2026-11-22T19:54:37.1","source":"agent","action":"teleport","to":[1.50,{"x":null}],"args":{"b":1,"a":2}}
                {"v":3,"id":1,"timestamp":"2026-11-22T19:54:38Z","source":"swarm","action":"run","args":{"shell":"zsh","command":"ls"},"timeout":20}
                {"id":2,"timestamp":"2026-11-22T19:54:39","source":"agent","cause":1,"observation":"run","content":"","extras":{"command":"ls","metadata":{"exit_code":0,"cpu":1e-3}}}
                {"id":3,"timestamp":"2026-11-22T19:54:40","observation":"dream","extras":null,"content":["a"]}

                """
            try Data(text.utf8).write(to: URL(filePath: directory + "/" + Self.log))
            let store = try JSONLinesEventStore(directory: directory)
            #expect(store.recovery.rebuiltIndexes == [directory + "/" + Self.index])
            let events = try store.read(from: 0, limit: 10, maximumBytes: .max)
            #expect(events.map(\.kind) == ["teleport", "run", "run", "dream"])
            let copy = try JSONLinesEventStore(directory: directory + "/copy")
            try copy.append(events)
            try copy.close()
            let written = try DirectoryContents(directory + "/copy").files[Self.log]
            #expect(String(decoding: try #require(written), as: UTF8.self) == text)
        }
    }

    @Test("Opened again, the session goes on where it ended", arguments: [200, 2000, 1 << 20])
    func reopening(segmentSize: Int) async throws {
        try await withTemporaryDirectory { directory in
            let events = try EventStoreTests.samples(150)
            for start in stride(from: 0, to: 150, by: 30) {
                let store = try JSONLinesEventStore(directory: directory, segmentSize: segmentSize)
                #expect(store.count == start)
                #expect(store.recovery.isEmpty)
                #expect(store.lastTimestamp == (start > 0 ? events[start - 1].timestamp : nil))
                for event in events[start..<(start + 30)] { try store.append([event]) }
                if start % 60 == 0 { try store.close() }
            }
            let store = try JSONLinesEventStore(reading: directory)
            #expect(try store.events(in: 0..<150, reversed: false, where: .all, limit: .max) == events)
            #expect(store.verify().isEmpty)
            let logs = try DirectoryContents(directory).files.keys.filter { $0.hasSuffix(".jsonl") }
            #expect((logs.count > 1) == (segmentSize < 1 << 20))
        }
    }

    @Test("A second writer is refused, with the process that has the session, until the first closes it")
    func lock() async throws {
        try await withTemporaryDirectory { directory in
            let first = try JSONLinesEventStore(directory: directory)
            #expect(throws: EventStoreError.inUse(path: directory, holder: getpid())) {
                try JSONLinesEventStore(directory: directory)
            }
            try first.append(try EventStoreTests.samples(1))
            #expect(try JSONLinesEventStore(reading: directory).count == 1)
            try first.close()
            let second = try JSONLinesEventStore(directory: directory)
            #expect(second.count == 1)
            #expect(throws: EventStoreError.self) { try first.append(try EventStoreTests.samples(2).suffix(1)) }
        }
    }

    @Test("A second process is refused too")
    func lockAcrossProcesses() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory)
            let holder = getpid()
            await #expect(processExitsWith: .success) { [directory = directory as String, holder = holder as Int32] in
                #expect(throws: EventStoreError.inUse(path: directory, holder: holder)) {
                    try JSONLinesEventStore(directory: directory)
                }
            }
            try store.close()
        }
    }

    @Test("A store for reading neither writes nor sees what is written later")
    func readOnly() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory)
            let events = try EventStoreTests.samples(10)
            try store.append(Array(events.prefix(5)))
            let before = try DirectoryContents(directory)
            let reader = try JSONLinesEventStore(reading: directory)
            #expect(try DirectoryContents(directory) == before)
            try store.append(Array(events.suffix(5)))
            #expect(reader.count == 5)
            #expect(try reader.events(in: 0..<10, reversed: false, where: .all, limit: .max) == Array(events.prefix(5)))
            #expect(throws: EventStoreError.self) { try reader.append([events[5]]) }
        }
    }

    @Test("Missing files and gaps between files are errors that say what is missing")
    func missingFiles() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory, segmentSize: 2000)
            for event in try EventStoreTests.samples(60) { try store.append([event]) }
            try store.close()
            let all = try DirectoryContents(directory)
            let logs = all.files.keys.filter { $0.hasSuffix(".jsonl") }.sorted()
            #expect(logs.count > 3)
            for missing in [logs[0], logs[2]] {
                var contents = all
                contents.files[missing] = nil
                try contents.write(to: directory)
                #expect(throws: EventStoreError.self) { try JSONLinesEventStore(directory: directory) }
                do {
                    _ = try JSONLinesEventStore(directory: directory)
                } catch EventStoreError.missingEvents(_, let expected, let found) {
                    #expect(expected == Int(missing.dropFirst(7).prefix(16)))
                    #expect(found > expected)
                }
            }
            // Indexes are made again.
            var contents = all
            for name in all.files.keys where name.hasSuffix(".index") { contents.files[name] = nil }
            try contents.write(to: directory)
            let again = try JSONLinesEventStore(directory: directory)
            #expect(again.recovery.rebuiltIndexes.count == logs.count)
            #expect(again.verify().isEmpty)
            try again.close()
            #expect(
                try DirectoryContents(directory).files.filter { $0.key != "lock" }
                    == all.files.filter { $0.key != "lock" }
            )
            #expect(throws: EventStoreError.self) { try JSONLinesEventStore(reading: directory + "/nowhere") }
        }
    }

    @Test("Ids that don't continue are refused and nothing is written")
    func wrongID() async throws {
        try await withTemporaryDirectory { directory in
            let store = try JSONLinesEventStore(directory: directory)
            let events = try EventStoreTests.samples(5)
            try store.append(Array(events.prefix(2)))
            #expect(throws: EventStoreError.self) { try store.append([events[2], events[4]]) }
            #expect(throws: EventStoreError.self) { try store.append([events[0]]) }
            try store.append([events[2]])
            try store.close()
            #expect(try JSONLinesEventStore(reading: directory).count == 3)
        }
    }

    @Test("When the disk takes no more, the append fails whole, nothing of it is left, and later ones succeed")
    func diskFull() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(processExitsWith: .success) { [directory = directory as String] in
                // Stands in for a full disk: the system writes a part and refuses the rest.
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 10_000, rlim_max: 1 << 30)
                let stream = try EventStream(directory: directory)
                let text = String(repeating: "x", count: 1000)
                #if canImport(Glibc)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
                #else
                setrlimit(RLIMIT_FSIZE, &limit)
                #endif
                var published = 0
                var failure: EventStreamError?
                while failure == nil {
                    do throws(EventStreamError) {
                        _ = try await stream.publish(.message(text))
                        published += 1
                    } catch {
                        failure = error
                    }
                }
                let log = directory + "/events-0000000000000000.jsonl"
                #expect(failure == .storage(.diskFull(path: log, operation: "append to")))
                #expect(published > 2 && published < 10)
                #expect(stream.nextID == published)
                limit.rlim_cur = 1 << 30
                #if canImport(Glibc)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
                #else
                setrlimit(RLIMIT_FSIZE, &limit)
                #endif
                #expect(try await stream.publish(.message("after")).id == published)
                try await stream.close()
                let store = try JSONLinesEventStore(directory: directory)
                #expect(store.count == published + 1)
                #expect(store.recovery.isEmpty)
                #expect(store.verify().isEmpty)
            }
        }
    }

    @Test("Directories that can't be made or written to are errors that say so")
    func unwritable() async throws {
        try await withTemporaryDirectory { directory in
            try Data().write(to: URL(filePath: directory + "/file"))
            #expect(throws: EventStoreError.self) { try JSONLinesEventStore(directory: directory + "/file/inside") }
            let nested = try JSONLinesEventStore(directory: directory + "/a/b/c")
            #expect(nested.count == 0)
        }
    }
}
