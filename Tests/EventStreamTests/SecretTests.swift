import EventStream
import Foundation
import Testing

@Suite("Secrets", .timeLimit(.minutes(2)))
struct SecretTests {
    static let secret = "s3cr3t \"token\"\\n\nwith/all+sorts"
    static let hidden = "<secret_hidden>"

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func json(_ text: String) -> String { JSONValue.string(text).description }

    @Test(
        "A secret is found as it is, escaped for JSON once or twice, and in base64 at any place",
        arguments: [
            secret, "a\(secret)b", "\(secret)\(secret)", json(secret), json(json(secret)), "echo \(secret) | wc",
            base64(secret), base64("x" + secret), base64("xy" + secret + "z"), base64("xyz" + secret + "\n"),
            base64(secret + secret),
            base64(secret).replacing("+", with: "-").replacing("/", with: "_"),
            "Authorization: Basic \(base64("user:" + secret))",
        ]
    )
    func forms(text: String) async throws {
        let stream = EventStream()
        stream.setSecrets(["TOKEN": Self.secret, "EMPTY": ""])
        let event = try await stream.publish(.run(CommandAction(command: text)))
        guard case .action(.run(let command)) = event.payload else {
            Issue.record("another kind")
            return
        }
        #expect(command.command.contains(Self.hidden))
        for (_, part) in Self.secret.split(separator: " ").enumerated() { #expect(!command.command.contains(part)) }
        // No run of the encoded secret is left that says more than the bits at its ends.
        let encoded = Self.base64(Self.secret)
        for start in 0..<(encoded.count - 6) {
            let part = encoded.dropFirst(start).prefix(6)
            #expect(!command.command.contains(part))
        }
        #expect(stream.unmaskedAction(for: event.id) == .run(CommandAction(command: text)))
    }

    @Test("A secret is masked at every depth, in every field, in names of members, and not in what the system needs")
    func depth() async throws {
        let stream = EventStream()
        stream.setSecrets(["a": "agent", "b": "xyz"])
        let value: JSONValue = ["xyz": ["in agent", ["k": "1xyz2"]], "n": 5]
        var draft = EventDraft(
            .action(.callToolMCP(MCPAction(name: "xyz", arguments: ["list": [value]], thought: "xyz"))),
            source: .agent,
            toolCallMetadata: value,
            llmMetrics: value,
            responseID: "xyz",
            extra: ["more": value]
        )
        let event = try await stream.publish(draft)
        #expect(event.source == .agent)
        let text = event.json.description
        #expect(!text.contains("xyz"))
        #expect(text.components(separatedBy: "agent").count == 2)
        #expect(event.message.contains(Self.hidden))
        draft = EventDraft(
            .observation(.other(OtherObservation(kind: "xyz", content: "xyz", extras: value, message: "xyz"))),
            source: .agent,
            cause: event.id
        )
        let other = try await stream.publish(draft)
        #expect(other.kind == "xyz")
        #expect(other.json.description.components(separatedBy: "xyz").count == 2)
    }

    @Test("A masked event that was read from a log in another form keeps the form")
    func readFromLog() async throws {
        let stream = EventStream()
        stream.setSecrets(["a": "xyz"])
        let text =
            #"{"v":"xyz","id":0,"source":"user","timestamp":"2026-11-22T19:54:37","action":"run","args":{"new":["xyz"],"command":"echo xyz"}}"#
        let event = try Event(jsonBytes: Array(text.utf8))
        let published = try await stream.publish(EventDraft(event))
        let args = try #require(published.json["args"]?.description)
        #expect(args == #"{"new":["<secret_hidden>"],"command":"echo <secret_hidden>"}"#)
        #expect(published.json["v"] == "<secret_hidden>")
    }

    @Test(
        "Neither the store nor a subscriber ever sees a secret, and the executing runtime has it until the action is answered"
    )
    func stream() async throws {
        try await withTemporaryDirectory { directory in
            let stream = try EventStream(directory: directory)
            stream.setSecrets(["TOKEN": "s3cr3t-token"])
            async let seen = stream.subscribe(from: 0).all()
            let action = Action.run(CommandAction(command: "curl -H s3cr3t-token"))
            let events = try await stream.publish([
                EventDraft(.action(action), source: .agent), EventDraft(.action(.null(NullAction())), source: .agent),
                EventDraft(.action(.think(ThinkAction(thought: "s3cr3t-token"))), source: .agent),
            ])
            #expect(stream.unmaskedAction(for: 0) == action)
            #expect(stream.unmaskedAction(for: 1) == nil)
            #expect(events[0].message == "Running command: curl -H <secret_hidden>")
            let observation = Observation.run(
                CommandObservation(content: "s3cr3t-token", command: "curl -H s3cr3t-token")
            )
            try await stream.publish(observation, cause: 0)
            #expect(stream.unmaskedAction(for: 0) == nil)
            #expect(stream.unmaskedAction(for: 2) != nil)
            stream.forgetUnmaskedAction(for: 2)
            #expect(stream.unmaskedAction(for: 2) == nil)
            try await stream.close()
            #expect(try await seen.allSatisfy { !$0.json.description.contains("s3cr3t-token") })
            for (_, bytes) in try DirectoryContents(directory).files {
                #expect(!String(decoding: bytes, as: UTF8.self).contains("s3cr3t"))
            }
            let again = try EventStream(directory: directory)
            #expect(try again.event(0).message == "Running command: curl -H <secret_hidden>")
            #expect(again.unmaskedAction(for: 0) == nil)
            try await again.close()
        }
    }

    @Test("The longest of overlapping secrets is masked, and a secret of one character too")
    func overlapping() async throws {
        let stream = EventStream()
        stream.setSecrets(["short": "abc", "long": "abcdef", "one": "€"])
        let event = try await stream.publish(.message("abcdef abc € ab"))
        #expect(event.text == "<secret_hidden> <secret_hidden> <secret_hidden> ab")
        stream.setSecrets([:])
        #expect(try await stream.publish(.message("abcdef")).text == "abcdef")
    }

    @Test("An action that the store refuses leaves nothing behind")
    func refused() async throws {
        let store = GatedStore()
        store.fail(with: .diskFull(path: "x", operation: "append to"))
        let stream = EventStream(store: store)
        stream.setSecrets(["a": "xyz"])
        store.open()
        await #expect(throws: EventStreamError.self) { try await stream.publish(.run(CommandAction(command: "xyz"))) }
        #expect(stream.unmaskedAction(for: 0) == nil)
    }
}
