import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Output that is told while its command runs, several shell sessions, and interrupting.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct OutputStreamTests {
    // MARK: Reading streams

    /// Reads the events of one response.
    private struct Events {
        let client: TestClient
        var rest: [UInt8] = []
        var shown = ""

        /// Sends a request and reads the head of its response.
        init(_ client: TestClient, _ command: String, headers: [(String, String)] = []) async throws {
            self.client = client
            let request = TestClient.encoded(
                "POST",
                "/execute_action",
                headers: [("Accept", "text/event-stream")] + headers,
                body: TestClient.command(command)
            )
            try await client.send(request)
            let response = try await client.receiveHead()
            #expect(response.status == 200)
            #expect(response.headers.single("content-type") == "text/event-stream")
        }

        /// The next event.
        mutating func next() async throws -> (name: String, data: JSONValue) {
            while true {
                if let end = rest.firstRange(of: Array("\n\n".utf8)) {
                    let lines = rest[..<end.lowerBound].text.split(separator: "\n")
                    rest.removeSubrange(..<end.upperBound)
                    try #require(lines.count == 2)
                    let name = String(lines[0].dropFirst("event: ".count))
                    let data = try JSONValue(parsing: Array(lines[1].dropFirst("data: ".count).utf8))
                    if name == "output" { OutputUpdate(json: data).apply(to: &shown) }
                    return (name, data)
                }
                rest += try #require(await client.receiveChunk())
            }
        }

        /// Reads until a text is shown.
        mutating func readUntilShown(_ text: String) async throws {
            while !shown.contains(text) { try #require(await next().name == "output") }
        }

        /// Reads to the end, which is the observation.
        mutating func readObservation() async throws -> JSONValue {
            while true {
                let (name, data) = try await next()
                if name == "output" { continue }
                #expect(name == "observation")
                #expect(try await client.receiveChunk() == nil)
                return data
            }
        }
    }

    private static func run(_ client: TestClient, _ command: String, session: String) async throws -> String {
        try await client.run(command, headers: [("Shell-Session", session)])
    }

    // MARK: Streaming

    @Test("Output comes while its command runs, and the observation after it")
    func output() async throws {
        try await withServer { fixture in
            let (client, other) = (try await fixture.connect(), try await fixture.connect())
            _ = try await client.run("mkfifo gate")
            var events = try await Events(client, "echo one; printf 10%%; read x <gate; printf '\\r20%%\\n'; (exit 3)")
            try await events.readUntilShown("10%")
            #expect(events.shown == "one\n10%")
            _ = try await Self.run(other, "echo > gate", session: "other")
            let observation = try await events.readObservation()
            #expect(events.shown == "one\n20%\n")
            #expect(observation["content"]?.stringValue == "one\n20%")
            #expect(observation["extras"]?["metadata"]?["exit_code"]?.intValue == 3)
            // The connection serves the next request.
            #expect(try await client.run("echo next") == "next")
        }
    }

    @Test("A long output comes whole")
    func longOutput() async throws {
        try await withServer { fixture in
            var events = try await Events(try await fixture.connect(), "seq 1 200000")
            let observation = try await events.readObservation()
            #expect(events.shown == (1...200_000).map { "\($0)\n" }.joined())
            #expect(observation["content"]?.stringValue?.contains("Observation truncated due to length") == true)
        }
    }

    @Test("Actions without output give their observation, and a kind that isn't performed an error")
    func otherActions() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            for (body, name) in [
                (#"{"action":{"action":"write","args":{"path":"a","content":"x"}}}"#, "observation"),
                (#"{"action":{"action":"think","args":{"thought":"x"}}}"#, "error"),
            ] {
                let headers = [("Accept", "text/event-stream")]
                try await client.send(TestClient.encoded("POST", "/execute_action", headers: headers, body: body))
                #expect(try await client.receiveHead().status == 200)
                let chunk = try #require(await client.receiveChunk())
                #expect(chunk.text.hasPrefix("event: \(name)\ndata: {"))
                #expect(chunk.text.contains("\"status\":400") == (name == "error"))
                #expect(try await client.receiveChunk() == nil)
            }
        }
    }

    @Test("A command goes on when nobody listens any more, and its result is remembered")
    func peerGone() async throws {
        try await withServer { fixture in
            let (client, other) = (try await fixture.connect(), try await fixture.connect())
            _ = try await other.run("mkfifo gate")
            let key = [("Idempotency-Key", "k")]
            let command = "echo x >> counter; echo one; read x <gate; echo two"
            var events = try await Events(client, command, headers: key)
            try await events.readUntilShown("one")
            await client.close()
            _ = try await Self.run(other, "echo > gate", session: "other")
            #expect(try await other.run(command, headers: key) == "one\ntwo")
            #expect(try await other.run("cat counter") == "x")
        }
    }

    @Test("Who joins a command that runs is told its output from the beginning")
    func joining() async throws {
        try await withServer { fixture in
            let (client, second, other) = (
                try await fixture.connect(), try await fixture.connect(), try await fixture.connect()
            )
            _ = try await other.run("mkfifo gate")
            let key = [("Idempotency-Key", "k")]
            let command = "echo one; read x <gate; echo two"
            var first = try await Events(client, command, headers: key)
            try await first.readUntilShown("one")
            var joined = try await Events(second, command, headers: key)
            try await joined.readUntilShown("one")
            _ = try await Self.run(other, "echo > gate", session: "other")
            let observation = try await joined.readObservation()
            #expect(joined.shown == "one\ntwo\n")
            #expect(observation["content"]?.stringValue == "one\ntwo")
            #expect(try await first.readObservation() == observation)
        }
    }

    // MARK: Sessions

    @Test("Sessions have their own variables and directories, and run at the same time")
    func sessions() async throws {
        try await withServer { fixture in
            let (one, two) = (try await fixture.connect(), try await fixture.connect())
            _ = try await Self.run(one, "mkdir a; mkfifo gate; cd a; NAME=one", session: "one")
            async let waiting = Self.run(one, "read x <../gate; echo $x $NAME ${PWD##*/}", session: "one")
            #expect(try await Self.run(two, "echo \"[$NAME]\"; pwd", session: "two") == "[]\n\(fixture.directory)")
            #expect(try await two.run("echo \"[$NAME]\"") == "[]")
            _ = try await Self.run(two, "echo go > gate", session: "two")
            #expect(try await waiting == "go one a")
        }
    }

    @Test("A session needs a proper name", arguments: ["", "a b", "ü", String(repeating: "x", count: 65)])
    func sessionNames(name: String) async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let response = try await client.request(
                "POST",
                "/execute_action",
                headers: [("Shell-Session", name)],
                body: TestClient.command("true")
            )
            #expect(response.status == 422)
            #expect(response.detail?.hasPrefix("A shell session's name has 1 to 64 letters") == true)
        }
    }

    @Test("There are no more than 64 sessions")
    func sessionLimit() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            for number in 1...64 {
                #expect(try await Self.run(client, "echo \(number)", session: "s\(number)") == "\(number)")
            }
            #expect(try await Self.run(client, "true", session: "one-more").contains("There are 64 shell sessions"))
            #expect(try await Self.run(client, "echo again", session: "s1") == "again")
        }
    }

    // MARK: Interrupting

    @Test(
        "What runs is interrupted as C-c does it, whatever the terminal's modes",
        arguments: ["", "stty raw -isig; "]
    )
    func interrupting(modes: String) async throws {
        try await withServer { fixture in
            let (client, other) = (try await fixture.connect(), try await fixture.connect())
            #expect(try await other.request("POST", "/interrupt").json["interrupted"]?.intValue == 0)
            var events = try await Events(client, modes + "echo ready; exec 9<>/dev/null; sleep 1000")
            try await events.readUntilShown("ready")
            #expect(try await other.request("POST", "/interrupt").json["interrupted"]?.intValue == 1)
            let observation = try await events.readObservation()
            #expect(observation["extras"]?["metadata"]?["exit_code"]?.intValue == 130)
            #expect(try await client.run("echo next") == "next")
        }
    }

    @Test("What doesn't listen to that is killed, with what it started, and the shell stays")
    func forcing() async throws {
        try await withServer { fixture in
            let (client, other) = (try await fixture.connect(), try await fixture.connect())
            _ = try await client.run("KEPT=kept")
            let program =
                #"bash -c 'trap "" INT; setsid sleep 1000 & echo $! > child; echo ready; while :; do sleep 1000; done'"#
            var events = try await Events(client, program)
            try await events.readUntilShown("ready")
            let body = #"{"session":null,"force":true}"#
            let response = try await other.request("POST", "/interrupt", body: body)
            #expect(try response.json["interrupted"]?.intValue == 1)
            let observation = try await events.readObservation()
            #expect(observation["extras"]?["metadata"]?["exit_code"]?.intValue == 137)
            // A killed process is there until its new parent has reaped it.
            let gone = "while kill -0 $(cat child) 2>&-; do sleep 0.01; done; echo $KEPT"
            #expect(try await client.run(gone) == "kept")
        }
    }

    @Test("What is killed doesn't go on when its children are gone", arguments: 1...20)
    func forcingWhatWaits(round: Int) async throws {
        try await withServer { fixture in
            let (client, other) = (try await fixture.connect(), try await fixture.connect())
            var events = try await Events(client, "bash -c 'echo ready; sleep 1000; touch went-on'")
            try await events.readUntilShown("ready")
            _ = try await other.request("POST", "/interrupt", body: #"{"force":true}"#)
            let observation = try await events.readObservation()
            #expect(observation["extras"]?["metadata"]?["exit_code"]?.intValue == 137)
            #expect(try await client.run("ls") == "")
        }
    }

    @Test("Only the named session is interrupted")
    func interruptingOne() async throws {
        try await withServer { fixture in
            let (one, two, other) = (
                try await fixture.connect(), try await fixture.connect(), try await fixture.connect()
            )
            _ = try await other.run("mkfifo gate")
            var first = try await Events(one, "echo ready; sleep 1000", headers: [("Shell-Session", "one")])
            var second = try await Events(two, "echo ready; read x <gate", headers: [("Shell-Session", "two")])
            try await first.readUntilShown("ready")
            try await second.readUntilShown("ready")
            let response = try await other.request("POST", "/interrupt", body: #"{"session":"one"}"#)
            #expect(try response.json["interrupted"]?.intValue == 1)
            #expect(try await first.readObservation()["extras"]?["metadata"]?["exit_code"]?.intValue == 130)
            _ = try await other.run("echo > gate")
            #expect(try await second.readObservation()["extras"]?["metadata"]?["exit_code"]?.intValue == 0)
            for body in ["[]", #"{"session":"a b"}"#, #"{"session":1}"#, #"{"force":1}"#] {
                #expect(try await other.request("POST", "/interrupt", body: body).status == 422)
            }
            #expect(try await other.request("GET", "/interrupt").status == 405)
        }
    }
}
