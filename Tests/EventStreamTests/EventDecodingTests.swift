import EventStream
import Testing

@Suite("Reading events")
struct EventDecodingTests {
    static func event(_ members: String) throws -> Event {
        try Event(
            jsonBytes: Array(#"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent",\#(members)}"#.utf8)
        )
    }

    static let kinds = Array((try? Fixtures.bytes("kinds.jsonl")) ?? []).split(separator: UInt8(ascii: "\n")).map(
        Array.init
    )

    @Test("Every kind with its defaults and with every field set is written back byte for byte")
    func kinds() throws {
        #expect(Self.kinds.count == 73)
        for line in Self.kinds {
            let event = try Event(jsonBytes: line)
            #expect(String(decoding: event.jsonBytes(.python), as: UTF8.self) == String(decoding: line, as: UTF8.self))
            switch event.payload {
            case .action(.other(let other)): Issue.record("\(other.kind) isn't known")
            case .observation(.other(let other)): Issue.record("\(other.kind) isn't known")
            default: break
            }
        }
    }

    @Test("Every kind made anew from its fields has the reference's JSON, with message and success as it derives them")
    func derivedMembers() throws {
        for line in Self.kinds {
            let read = try Event(jsonBytes: line)
            var made = Event(
                id: read.id,
                timestamp: read.timestamp,
                source: read.source,
                cause: read.cause,
                timeout: read.timeout,
                toolCallMetadata: read.toolCallMetadata,
                payload: read.payload
            )
            made.llmMetrics = read.llmMetrics
            // A whole number of seconds is an integer in one of the lines, and a double here.
            if read.json["timeout"]?.description == "120" { continue }
            #expect(String(decoding: made.jsonBytes(.python), as: UTF8.self) == String(decoding: line, as: UTF8.self))
            #expect(made == read)
        }
    }

    @Test("Members in another order, missing, or of a newer version come back as they were")
    func lossless() throws {
        for text in [
            #"{"action":"run","id":7,"args":{"hidden":false,"command":"ls"},"timestamp":"2026-11-22T19:54:37","source":"agent"}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37.5Z","source":"robot","action":"run","args":{"command":"ls","new":[1.0]},"v":2}"#,
            #"{"id":7.0,"timestamp":"2026-11-22 19:54:37","action":"fly","to":"moon"}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","cause":null,"observation":"smell","content":5,"extras":[]}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","message":"other","action":"run","args":{"command":"ls"}}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","action":"run","args":{"command":"a","command":"b"}}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","action":"run","args":{"command":"a","thought":null,"security_risk":"dire"}}"#,
            #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","observation":"run","content":"x","extras":{"command":"a","metadata":{"exit_code":0.0,"load":1e0}}}"#,
        ] {
            let event = try Event(jsonBytes: Array(text.utf8))
            #expect(event.json.description == text)
        }
    }

    @Test("A change to an event that was read shows, and leaves the rest as it stood")
    func changes() throws {
        var event = try Self.event(
            #""v":2,"action":"run","args":{"hidden":false,"command":"ls","new":[1.0]},"timeout":5"#
        )
        guard case .action(.run(var command)) = event.payload else { throw Failure() }
        #expect(command.extra == ["new": [1.0]])
        command.command = "pwd"
        command.isInput = true
        event.payload = .action(.run(command))
        event.extra["v"] = nil
        #expect(
            event.json.description
                == #"{"id":7,"timestamp":"2026-11-22T19:54:37","source":"agent","action":"run","#
                + #""args":{"hidden":false,"command":"pwd","new":[1.0],"is_input":true},"timeout":5,"message":"Running command: pwd"}"#
        )
    }

    @Test("Older spellings are read")
    func olderSpellings() throws {
        let action = try Self.event(
            #""action":"run","args":{"command":"ls","is_confirmed":"rejected","keep_prompt":true}"#
        )
        guard case .action(.run(var command)) = action.payload else { throw Failure() }
        #expect(command.confirmationState == .rejected)
        command.confirmationState = .confirmed
        #expect(
            Action.run(command).json["args"] == [
                "command": "ls", "keep_prompt": true, "confirmation_state": "confirmed",
            ]
        )

        let message = try Self.event(#""action":"message","args":{"content":"hi","images_urls":["a"]}"#)
        guard case .action(.message(let text)) = message.payload else { throw Failure() }
        #expect(text.imageURLs == ["a"])

        let observation = try Self.event(
            #""observation":"run","content":"x","extras":{"command_id":3,"command":"ls","exit_code":2}"#
        )
        guard case .observation(.run(var output)) = observation.payload else { throw Failure() }
        #expect(output.metadata.exitCode == 2)
        #expect(output.metadata.pid == 3)
        #expect(output.extra.isEmpty)
        output.metadata.exitCode = 0
        let reread = try Observation(json: Observation.run(output).json)
        #expect(reread == .run(output))
    }

    @Test(
        "A malformed known kind is an error that names the field",
        arguments: [
            (#""action":"run","args":{}"#, "args.command"), (#""action":"run","args":{"command":5}"#, "args.command"),
            (#""action":"run","args":{"command":null}"#, "args.command"),
            (#""action":"run","args":[]"#, "args"), (#""action":5"#, "action"), (#""other":5"#, ""),
            (#""action":"read","args":{"path":"a","start":"x"}"#, "args.start"),
            (#""action":"read","args":{"path":"a","start":1.5}"#, "args.start"),
            (#""action":"message","args":{"content":"a","image_urls":["a",1]}"#, "args.image_urls"),
            (#""observation":"run","content":5,"extras":{"command":"a"}"#, "content"),
            (#""observation":"run","content":"","extras":{}"#, "extras.command"),
            (#""observation":"run""#, "extras.command"),
            (
                #""observation":"run","content":"","extras":{"command":"a","metadata":{"exit_code":"0"}}"#,
                "extras.metadata.exit_code"
            ),
            (
                #""observation":"recall","content":"","extras":{"recall_type":"knowledge","microagent_knowledge":[{}]}"#,
                "extras.microagent_knowledge"
            ),
            (#""cause":"x","action":"null""#, "cause"), (#""timeout":"x","action":"null""#, "timeout"),
        ]
    )
    func malformed(members: String, path: String) throws {
        let error = #expect(throws: EventDecodingError.self) { try Self.event(members) }
        #expect(error?.path.joined(separator: ".") == path)
        #expect(error?.eventID == 7)
    }

    @Test("An event needs an id and a time")
    func envelope() throws {
        for (text, path) in [
            (#"{"timestamp":"2026-11-22T19:54:37","action":"null"}"#, "id"),
            (#"{"id":1,"action":"null"}"#, "timestamp"),
            (#"{"id":1,"timestamp":"today","action":"null"}"#, "timestamp"), (#"[]"#, ""),
        ] {
            let error = #expect(throws: EventDecodingError.self) { try Event(jsonBytes: Array(text.utf8)) }
            #expect(error?.path.joined(separator: ".") == path)
        }
    }

    @Test("Actions of a setup call have no id, time or source")
    func setupCall() throws {
        let json = try JSONValue(
            parsing: #"{"message":"Running command: ls","action":"run","args":{"command":"ls"},"timeout":5}"#
        )
        let action = try Action(json: #require(json.objectValue))
        #expect(action == .run(CommandAction(command: "ls")))
        #expect(Action.run(CommandAction(command: "ls")).json.keys == ["message", "action", "args"])
    }

    private struct Failure: Error {}
}
