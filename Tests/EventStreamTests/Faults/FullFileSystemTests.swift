#if os(Linux)
import EventStream
import Foundation
import Testing

@Suite("A file system that is full, or can't be written to", .timeLimit(.minutes(2)))
struct FullFileSystemTests {
    /// Of which files of all sizes fit in, so that the end comes inside a line, between lines, and where a file is begun.
    struct Layout: CustomTestStringConvertible {
        var durability: JSONLinesEventStore.Durability
        var segmentSize: Int
        var textLength: Int
        var testDescription: String { "\(durability), segments of \(segmentSize), texts of \(textLength)" }

        static let all: [Layout] = [
            Layout(durability: .os, segmentSize: 1 << 20, textLength: 1000),
            Layout(durability: .os, segmentSize: 20_000, textLength: 1500),
            Layout(durability: .os, segmentSize: 4096, textLength: 3900),
            Layout(durability: .synced, segmentSize: 1 << 20, textLength: 10_000),
            Layout(durability: .synced, segmentSize: 12_288, textLength: 3000),
        ]

        func open(_ directory: String) throws -> EventStream {
            EventStream(
                store: try JSONLinesEventStore(directory: directory, durability: durability, segmentSize: segmentSize)
            )
        }
    }

    private static func isDiskFull(_ error: EventStreamError?) -> Bool {
        if case .storage(.diskFull) = error { true } else { false }
    }

    /// Publishes until there's an error, and returns what was acknowledged.
    private static func fill(_ stream: EventStream, textLength: Int) async throws -> [Event] {
        var acknowledged: [Event] = []
        let text = String(repeating: "x", count: textLength)
        do throws(EventStreamError) {
            while true {
                acknowledged.append(try await stream.publish(.message("\(acknowledged.count) \(text)")))
            }
        } catch {
            #expect(isDiskFull(error), "\(error)")
        }
        return acknowledged
    }

    @Test(
        "A stream on a full disk refuses what doesn't fit, whole, keeps what it has acknowledged, and goes on when there's space",
        arguments: Layout.all
    )
    func full(layout: Layout) async throws {
        try await withSmallFileSystem("size=512k") { fileSystem in
            let directory = fileSystem.path + "/session"
            let ballast = fileSystem.path + "/ballast"
            try Data(repeating: 1, count: 256 << 10).write(to: URL(filePath: ballast))
            let stream = try layout.open(directory)
            async let seen = stream.subscribe(from: 0).all()
            var acknowledged = try await Self.fill(stream, textLength: layout.textLength)
            #expect(acknowledged.count > 10)
            // Still full: many at once, of which the first would fit.
            let many = [EventDraft.message("")] + (0..<400).map { _ in .message(String(repeating: "y", count: 1000)) }
            let error = await #expect(throws: EventStreamError.self) { try await stream.publish(many) }
            #expect(Self.isDiskFull(error))
            #expect(stream.nextID == acknowledged.count)
            #expect(try stream.events() == acknowledged)
            let reader = try JSONLinesEventStore(reading: directory)
            #expect(reader.count == acknowledged.count)
            #expect(reader.verify().isEmpty)

            try FileManager.default.removeItem(atPath: ballast)
            acknowledged += try await stream.publish((0..<20).map { .message("after \($0)") })
            #expect(acknowledged.map(\.id) == Array(0..<stream.nextID))
            try await stream.close()
            #expect(try await seen == acknowledged)
            let store = try JSONLinesEventStore(directory: directory)
            #expect(store.recovery.tornTail == nil)
            #expect(store.verify().isEmpty)
            #expect(try store.events(in: 0..<store.count, reversed: false, where: .all, limit: .max) == acknowledged)
            try store.close()
        }
    }

    @Test(
        "Where no file can be made, the next segment is refused, and begun when it can be",
        arguments: Layout.all.filter { $0.segmentSize < 1 << 20 }
    )
    func noFiles(layout: Layout) async throws {
        // The file system's root, the session's directory, its lock, and a segment with its index.
        try await withSmallFileSystem("size=4m,nr_inodes=5") { fileSystem in
            let directory = fileSystem.path + "/session"
            let stream = try layout.open(directory)
            var acknowledged = try await Self.fill(stream, textLength: layout.textLength)
            #expect(acknowledged.count > 0)
            #expect(try stream.events() == acknowledged)
            try fileSystem.remount("nr_inodes=100")
            acknowledged += try await stream.publish([.message("one"), .message("two")])
            try await stream.close()
            let store = try JSONLinesEventStore(directory: directory)
            #expect(store.recovery.isEmpty)
            #expect(store.verify().isEmpty)
            #expect(try store.events(in: 0..<store.count, reversed: false, where: .all, limit: .max) == acknowledged)
            try store.close()
        }
    }

    @Test("A session is opened on a full disk, or that is an error and nothing of it is touched")
    func opening() async throws {
        try await withSmallFileSystem("size=256k") { fileSystem in
            let directory = fileSystem.path + "/session"
            let stream = try EventStream(directory: directory)
            let events = try await stream.publish((0..<10).map { .message("\($0)") })
            try await stream.close()
            // The rest of an interrupted append, which has to be set aside.
            let log = directory + "/events-0000000000000000.jsonl"
            let handle = try #require(FileHandle(forWritingAtPath: log))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(#"{"id":10,"time"#.utf8))
            try handle.close()
            let ballast = fileSystem.path + "/ballast"
            try Data().write(to: URL(filePath: ballast))
            let filler = try #require(FileHandle(forWritingAtPath: ballast))
            while (try? filler.write(contentsOf: Data(repeating: 1, count: 512))) != nil {}
            try filler.close()
            let before = try Data(contentsOf: URL(filePath: log))
            let error = #expect(throws: EventStoreError.self) { try EventStream(directory: directory) }
            guard case .diskFull? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try Data(contentsOf: URL(filePath: log)) == before)
            #expect(try RecordedSession(contentsOf: directory).events == events)
            try FileManager.default.removeItem(atPath: ballast)
            let store = try JSONLinesEventStore(directory: directory)
            #expect(store.recovery.tornTail != nil)
            #expect(try store.events(in: 0..<store.count, reversed: false, where: .all, limit: .max) == events)
            try store.close()
        }
    }

    @Test("A session on a read-only file system is read, followed and verified, and writing to it is an error")
    func readOnly() async throws {
        try await withSmallFileSystem("size=1m") { fileSystem in
            let directory = fileSystem.path + "/session"
            let stream = try EventStream(directory: directory)
            let events = try await stream.publish((0..<10).map { .message("\($0)") })
            try await stream.close()
            try await EventStream(directory: fileSystem.path + "/other").close()
            try FileManager.default.removeItem(atPath: fileSystem.path + "/other/lock")
            try fileSystem.remount("ro")
            for (path, refused) in [
                (directory, directory + "/lock"), (fileSystem.path + "/other", fileSystem.path + "/other/lock"),
                (fileSystem.path + "/new", fileSystem.path + "/new"),
            ] {
                let error = #expect(throws: EventStoreError.self) { try EventStream(directory: path) }
                guard case .readOnlyFileSystem(refused, _)? = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(error?.description.contains("read-only") == true)
            }
            let store = try JSONLinesEventStore(reading: directory)
            #expect(store.verify().isEmpty)
            #expect(try store.events(in: 0..<10, reversed: false, where: .all, limit: .max) == events)
            #expect(try await FollowedEvents(directory: directory).first(10) == events)
            #expect(try RecordedSession(contentsOf: directory).events == events)
            let error = #expect(throws: EventStoreError.self) {
                try RecordedSession(events: events).writeTrajectory(to: fileSystem.path + "/trajectory.json")
            }
            guard case .readOnlyFileSystem? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
#endif
