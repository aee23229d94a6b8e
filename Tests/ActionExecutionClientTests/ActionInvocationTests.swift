import EventStream
import Foundation
import Testing

@testable import ActionExecutionClient

@Suite
struct ActionInvocationTests {
    /// Requests that the reference's client sent, one exchange a line.
    private static func recordedActions() throws -> [JSONObject] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "EventStreamTests/Fixtures/openhands-0.62/http.jsonl")
        return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).compactMap { line in
            try JSONValue(parsing: Array(line))["request"]?["body"]?["action"]?.objectValue
        }
    }

    @Test("The request of an action in a log is byte for byte the reference's")
    func requestOfEvent() throws {
        let actions = try Self.recordedActions()
        #expect(actions.count == 26)
        for recorded in actions {
            let read = try Event(json: recorded)
            // Made anew, so that nothing of the recording's own text is passed through.
            let event = Event(
                id: read.id,
                timestamp: read.timestamp,
                source: read.source,
                timeout: 1,
                payload: read.payload
            )
            let action = try #require(event.action)
            let body = ActionInvocation(event: event, action: action, sessionID: "s").requestBody(timeout: read.timeout)
            let expected = JSONValue.object(["action": .object(recorded)]).serialized(.compact)
            #expect(String(decoding: body, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
        }
    }

    @Test("An action in no log has no id, time and source in its request")
    func requestWithoutEvent() {
        let invocation = ActionInvocation(.run(CommandAction(command: "echo \"é\"")), timeout: 9)
        #expect(
            String(decoding: invocation.requestBody(timeout: 20), as: UTF8.self)
                == #"{"action":{"message":"Running command: echo \"é\"","action":"run","args":{"command":"echo \"é\"","#
                + #""is_input":false,"thought":"","blocking":false,"is_static":false,"cwd":null,"hidden":false,"#
                + #""confirmation_state":"confirmed","security_risk":-1},"timeout":20.0}}"#
        )
        #expect(!String(decoding: invocation.requestBody(timeout: nil), as: UTF8.self).contains("timeout"))
    }

    @Test("What is performed is the given action, not the log's, in which secrets are masked")
    func realText() {
        let event = Event(
            id: 4,
            timestamp: Timestamp.now(),
            source: .agent,
            payload: .action(.run(CommandAction(command: "login <secret_hidden>")))
        )
        let action = Action.run(CommandAction(command: "login hunter2"))
        let invocation = ActionInvocation(event: event, action: action, sessionID: "s")
        let body = String(decoding: invocation.requestBody(timeout: nil), as: UTF8.self)
        #expect(body.contains("login hunter2"))
        #expect(!body.contains("secret_hidden"))
    }

    @Test("An action in a log has the same key whenever it is tried; one in no log has a key of its own")
    func idempotencyKeys() {
        let event = Event(
            id: 12,
            timestamp: Timestamp.now(),
            source: .agent,
            timeout: 3,
            payload: .action(.null(NullAction()))
        )
        let invocation = ActionInvocation(event: event, action: .null(NullAction()), sessionID: "abc")
        #expect(invocation.idempotencyKey == "abc/12")
        #expect(invocation.timeout == 3)
        let keys = Set((0..<100).map { _ in ActionInvocation(.null(NullAction())).idempotencyKey })
        #expect(keys.count == 100)
        #expect(keys.allSatisfy { $0.count == 32 })
    }
}
