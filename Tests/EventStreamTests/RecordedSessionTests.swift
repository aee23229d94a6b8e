import EventStream
import Foundation
import Testing

@Suite("Recorded sessions")
struct RecordedSessionTests {
    @Test("A session of the reference is written as it was read, byte for byte")
    func referenceSession() async throws {
        try await withTemporaryDirectory { directory in
            let original = try Fixtures.folder.appending(path: "sessions/fixture").path
            let session = try RecordedSession(contentsOf: original)
            #expect(session.events.map(\.id) == Array(0..<58))
            try session.writeReferenceSession(to: directory + "/copy")
            for folder in ["events", "event_cache"] {
                #expect(
                    try DirectoryContents(directory + "/copy/" + folder) == DirectoryContents(original + "/" + folder)
                )
            }
            #expect(throws: EventStoreError.self) { try session.writeReferenceSession(to: directory + "/copy") }
        }
    }

    @Test("A trajectory is written as it was read, byte for byte, and has the events of the session")
    func trajectory() async throws {
        try await withTemporaryDirectory { directory in
            let path = try Fixtures.folder.appending(path: "trajectory.json").path
            let session = try RecordedSession(contentsOf: path)
            #expect(
                session == (try RecordedSession(contentsOf: Fixtures.folder.appending(path: "sessions/fixture").path))
            )
            let layout = JSONLayout(isSpaced: true, indentation: 1)
            try session.writeTrajectory(to: directory + "/t.json", layout: layout)
            #expect(try Data(contentsOf: URL(filePath: directory + "/t.json")) == Data(contentsOf: URL(filePath: path)))
            let wrapped = #"{"trajectory": \#(String(decoding: session.trajectory(), as: UTF8.self))}"#
            try Data(wrapped.utf8).write(to: URL(filePath: directory + "/w.json"))
            #expect(try RecordedSession(contentsOf: directory + "/w.json") == session)
        }
    }

    @Test("A trajectory leaves out what browsers leave in observations, with or without pictures")
    func browserFields() throws {
        let observation = BrowseObservation(
            content: "c",
            url: "u",
            triggeredByAction: "browse",
            screenshot: "picture",
            domObject: ["a": 1],
            lastBrowserAction: "click"
        )
        let event = Event(
            id: 0,
            timestamp: Timestamp(wallMicroseconds: 0),
            source: .agent,
            payload: .observation(.browse(observation))
        )
        let session = RecordedSession(events: [event])
        let without = try JSONValue(parsing: session.trajectory())[0]?["extras"]
        #expect(without?["dom_object"] == nil && without?["screenshot"] == nil && without?["url"] == "u")
        let with = try JSONValue(parsing: session.trajectory(withScreenshots: true))[0]?["extras"]
        #expect(with?["last_browser_action"] == nil && with?["screenshot"] == "picture")
    }

    @Test("A session goes to our own form and back without loss, and a stream goes on with it")
    func ownForm() async throws {
        try await withTemporaryDirectory { directory in
            let session = try RecordedSession(contentsOf: Fixtures.folder.appending(path: "sessions/fixture").path)
            try session.write(to: directory + "/session")
            #expect(try RecordedSession(contentsOf: directory + "/session") == session)
            let file = directory + "/session/events-0000000000000000.jsonl"
            #expect(try RecordedSession(contentsOf: file) == session)
            let stream = try EventStream(directory: directory + "/session")
            #expect(try await stream.publish(.message("on")).id == 58)
            #expect(try stream.recordedSession().events.dropLast() == session.events[...])
            try await stream.close()
        }
    }

    @Test("Events that have no file are read from the pages, and those that have one from the file")
    func pages() async throws {
        try await withTemporaryDirectory { directory in
            let original = try Fixtures.folder.appending(path: "sessions/fixture").path
            try FileManager.default.createDirectory(atPath: directory + "/events", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: original + "/event_cache", toPath: directory + "/event_cache")
            try Data(Fixtures.bytes("sessions/fixture/events/57.json")).write(
                to: URL(filePath: directory + "/events/57.json")
            )
            let session = try RecordedSession(contentsOf: directory)
            #expect(session.events.map(\.id) == Array(0..<50) + [57])
            #expect(session.event(57)?.kind == "finish")
            #expect(session.event(56) == nil)
        }
    }

    @Test("Each action comes with the observation that has it as its cause")
    func exchanges() throws {
        let session = try RecordedSession(contentsOf: Fixtures.folder.appending(path: "sessions/fixture").path)
        let exchanges = session.exchanges
        #expect(
            exchanges.allSatisfy { $0.action.action != nil && ($0.observation?.cause ?? $0.action.id) == $0.action.id }
        )
        #expect(exchanges.filter { $0.observation != nil }.count == session.events.filter { $0.cause != nil }.count)
        #expect(exchanges.first { $0.action.id == 5 }?.observation?.id == 6)
    }

    @Test("What isn't a session is an error that names the file and the place")
    func errors() async throws {
        try await withTemporaryDirectory { directory in
            func write(_ text: String, _ name: String) throws -> String {
                let path = directory + "/" + name
                try FileManager.default.createDirectory(
                    at: URL(filePath: path).deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: URL(filePath: path))
                return path
            }
            #expect(throws: EventStoreError.self) { try RecordedSession(contentsOf: directory) }
            #expect(throws: EventStoreError.self) { try RecordedSession(contentsOf: directory + "/none") }
            let good = #"{"id":0,"timestamp":"2026-11-22T19:54:37","action":"null","args":{}}"#
            let lines = try write(good + "\n\n" + #"{"id":1}"# + "\n", "lines.jsonl")
            #expect {
                try RecordedSession(contentsOf: lines)
            } throws: { error in
                guard case EventStoreError.damaged(lines, line: 3, offset: good.utf8.count + 2, _) = error else {
                    return false
                }
                return true
            }
            let array = try write("[\n\(good),\n{\"id\":1}]", "array.json")
            #expect(throws: EventStoreError.self) { try RecordedSession(contentsOf: array) }
            let broken = try write("[\n\(good),\nx]", "broken.json")
            #expect {
                try RecordedSession(contentsOf: broken)
            } throws: { error in
                guard case EventStoreError.damaged(broken, line: 3, _, _) = error else { return false }
                return true
            }
            _ = try write(good, "wrong/events/7.json")
            #expect(throws: EventStoreError.self) { try RecordedSession(contentsOf: directory + "/wrong") }
            let one = try write(good, "one.jsonl")
            #expect(try RecordedSession(contentsOf: one).events.count == 1)
            let empty = try write("", "empty.jsonl")
            #expect(try RecordedSession(contentsOf: empty).events.isEmpty)
        }
    }
}
