import EventStream
import Foundation
import Testing

import class TestSupport.ChildProcess

/// What the reference makes of events: recorded in fixtures and, where `REFERENCE_PYTHON` names a Python that has the package, asked of itself.
@Suite("The reference reads what is written here, and the other way round", .timeLimit(.minutes(5)))
struct ReferenceTests {
    /// A line of `older.jsonl`: what old versions of the reference wrote, and what today's writes once it has read that.
    struct Older {
        var read: JSONValue
        var again: JSONValue

        static func all() throws -> [Older] {
            try lines(of: Fixtures.bytes("older.jsonl")).map { line in
                let json = try JSONValue(parsing: line)
                return Older(read: try #require(json["read"]), again: try #require(json["again"]))
            }
        }
    }

    private static func lines(of bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Has the script of the fixtures do something with lines; `nil` where no Python with the package is named.
    private static func reference(_ mode: String, _ lines: [String]) async throws -> [String]? {
        guard let python = ProcessInfo.processInfo.environment["REFERENCE_PYTHON"] else { return nil }
        return try await withTemporaryDirectory { directory in
            let script = try Fixtures.folder.deletingLastPathComponent().appending(path: "reference.py").path
            try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: directory + "/input"))
            let log = URL(filePath: directory + "/log")
            let process = try ChildProcess(
                python,
                [script, mode, directory + "/input", directory + "/output"],
                output: log
            )
            try #require(await process.exitStatus() == 0, "\(process.text)")
            return Self.lines(of: try [UInt8](Data(contentsOf: URL(filePath: directory + "/output"))))
        }
    }

    @Test("The fixtures are what the reference writes, and have every kind and field that it has")
    func fixtures() async throws {
        let kinds = Self.lines(of: try Fixtures.bytes("kinds.jsonl"))
        let session = try Fixtures.eventFiles().map { String(decoding: $0, as: UTF8.self) }
        // Each line is what comes of reading and writing it here, whether the reference is there to say the same or not.
        for line in kinds + session {
            #expect(String(decoding: try Event(jsonBytes: Array(line.utf8)).jsonBytes(.python), as: UTF8.self) == line)
        }
        guard let again = try await Self.reference("again", kinds + session) else { return }
        for (line, written) in zip(kinds + session, again) {
            // The fault of the reference that the line for people has what is masked elsewhere.
            if line.contains("<secret_hidden>") { continue }
            #expect(written == line)
        }
        #expect(again.count == kinds.count + session.count)
        #expect(try await Self.reference("missing", kinds) == [])
    }

    @Test(
        "Older spellings are read as the reference reads them, written back as they were, and in today's once changed"
    )
    func older() async throws {
        let samples = try Older.all()
        #expect(samples.count == 28)
        var changed: [String] = []
        for sample in samples {
            let event = try Event(json: sample.read)
            #expect(event.json == sample.read)
            #expect(String(decoding: event.jsonBytes(), as: UTF8.self) == sample.read.description)
            // What the reference drops is kept here, beside the fields.
            var expected = sample.again
            for part in ["args", "extras"] {
                for name in ["keep_prompt", "task_completed", "formatted_output_and_error", "translated_ipython_code"] {
                    guard let left = sample.read[part]?[name], var members = expected[part]?.objectValue else {
                        continue
                    }
                    if left.stringValue?.hasSuffix("}))") == true { continue }
                    members[name] = left
                    expected[part] = .object(members)
                }
            }
            let today = try Event(json: expected)
            #expect(event.payload == today.payload, "\(sample.read)")
            #expect(event.message == today.message)
            #expect(event.cause == today.cause && event.timeout == today.timeout)

            var copy = event
            switch copy.payload {
            case .action(.edit(var action)):
                action.newString = "changed"
                copy.payload = .action(.edit(action))
            case .action(.run(var action)):
                action.confirmationState = .confirmed
                action.thought = "changed"
                copy.payload = .action(.run(action))
            case .observation(.run(var observation)):
                observation.metadata.exitCode = 77
                copy.payload = .observation(.run(observation))
            default: continue
            }
            let reread = try Event(jsonBytes: copy.jsonBytes())
            #expect(reread.payload == copy.payload, "\(copy.json)")
            changed.append(copy.json.description)
        }
        guard let again = try await Self.reference("again", samples.map(\.read.description)) else { return }
        #expect(try again.map { try JSONValue(parsing: $0) } == samples.map(\.again))
        for (line, written) in zip(changed, try #require(try await Self.reference("again", changed))) {
            let (ours, theirs) = (
                try Event(json: JSONValue(parsing: line)), try Event(json: JSONValue(parsing: written))
            )
            #expect(theirs.message == ours.message)
            #expect(
                written.contains("changed") == line.contains("changed") && written.contains("77") == line.contains("77")
            )
        }
    }

    @Test("Filters find what those of the reference find, in every store", arguments: StoreKind.allCases)
    func filters(kind: StoreKind) async throws {
        let lines = Self.lines(of: try Fixtures.bytes("filters.jsonl"))
        #expect(lines.count == 19)
        try await withTemporaryDirectory { directory in
            let store = try kind.open(directory)
            // In the order of their ids, which that of their times isn't.
            try store.append(
                Self.lines(of: Fixtures.bytes("kinds.jsonl")).map { try Event(jsonBytes: Array($0.utf8)) }
            )
            for line in lines {
                let json = try JSONValue(parsing: line)
                let found = try store.events(
                    in: 0..<store.count,
                    reversed: false,
                    where: Self.filter(json),
                    limit: .max
                )
                #expect(found.map { JSONValue.number(JSONNumber($0.id)) } == json["ids"]?.arrayValue, "\(line)")
            }
            try store.close()
        }
        if kind == .memory, let again = try await Self.reference("filter", lines) { #expect(again == lines) }
    }

    private static func filter(_ json: JSONValue) throws -> EventFilter {
        func types(_ key: String) -> Set<EventType>? {
            json[key]?.arrayValue.map { types in
                Set(types.map { $0[0] == "observation" ? .observation(word($0[1])) : .action(word($0[1])) })
            }
        }
        func word(_ value: JSONValue?) -> String { value?.stringValue ?? "" }
        func time(_ key: String) throws -> Timestamp? {
            try json[key]?.stringValue.map { try #require(Timestamp($0)) }
        }
        return EventFilter(
            types: types("include_types"),
            excludedTypes: types("exclude_types") ?? [],
            sources: json["source"]?.stringValue.map { [EventSource(rawValue: $0)] },
            excludesHidden: json["exclude_hidden"] == true,
            earliest: try time("start_date"),
            latest: try time("end_date"),
            text: json["query"]?.stringValue
        )
    }

    @Test(
        "Any text and number that is written here comes back from the reference as it was",
        arguments: [1, 2, 3] as [UInt64]
    )
    func anything(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let stream = EventStream()
        for _ in 0..<200 {
            let text = Self.text(&generator)
            let value: JSONValue = [
                text: [
                    .string(Self.text(&generator)),
                    .number(JSONNumber(Int.random(in: .min ... .max, using: &generator))),
                ],
                "d": .number(JSONNumber(Double(bitPattern: generator.next()).remainder(dividingBy: 1e300).magnitude)),
            ]
            let drafts = [
                EventDraft(.action(.run(CommandAction(command: text, thought: text))), source: .agent, timeout: 0.1),
                EventDraft(.action(.callToolMCP(MCPAction(name: text, arguments: ["a": value]))), source: .user),
                EventDraft(
                    .observation(.run(CommandObservation(content: text, command: text, metadata: .init(suffix: text)))),
                    source: .environment,
                    cause: 0
                ),
            ]
            try await stream.publish(drafts)
        }
        let events = try stream.events()
        let lines = events.map { String(decoding: $0.jsonBytes(), as: UTF8.self) }
        for (event, line) in zip(events, lines) { #expect(try Event(jsonBytes: Array(line.utf8)) == event) }
        guard let again = try await Self.reference("again", lines) else { return }
        #expect(again.count == lines.count)
        for (event, line) in zip(events, again) {
            #expect(String(decoding: event.jsonBytes(.python), as: UTF8.self) == line)
            #expect(try Event(jsonBytes: Array(line.utf8)) == event)
        }
    }

    /// A text with what is easily got wrong.
    private static func text(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "\"", "\\", "\n", "\r\n", "\t", "\0", "\u{1F}", "\u{7F}", "/", "é", "e\u{301}", "\u{2028}", "😀", "\u{FEFF}",
            "\u{FFFD}", "a b", "<", "'",
        ]
        return (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
            pieces[Int.random(in: pieces.indices, using: &generator)]
        }.joined()
    }
}
