import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// The whole server in this process, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ServerTests {
    // MARK: Routes

    @Test("A command runs and its observation comes back, over TCP and over a Unix socket")
    func command() async throws {
        try await withServer { fixture in
            for address in [fixture.tcp, fixture.unix] {
                let client = try await TestClient(address)
                let response = try await client.request(
                    "POST",
                    "/execute_action",
                    body: TestClient.command("echo hi; (exit 3)")
                )
                #expect(response.status == 200)
                #expect(response.headers.single("content-type") == "application/json")
                let json = try response.json
                #expect(json["observation"]?.stringValue == "run")
                #expect(json["content"]?.stringValue == "hi")
                #expect(json["extras"]?["command"]?.stringValue == "echo hi; (exit 3)")
                #expect(json["extras"]?["metadata"]?["exit_code"]?.intValue == 3)
                #expect(json["extras"]?["metadata"]?["working_dir"]?.stringValue == fixture.directory)
                let next = try await client.run("pwd")
                #expect(next == fixture.directory)
            }
        }
    }

    @Test("Files are written and read relative to the shell's directory")
    func files() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            _ = try await client.run("mkdir sub; cd sub")
            let write = #"{"action":{"action":"write","args":{"path":"a.txt","content":"ü\n"}}}"#
            let written = try await client.request("POST", "/execute_action", body: write)
            #expect(try written.json["observation"]?.stringValue == "write")
            let read = #"{"action":{"action":"read","args":{"path":"a.txt"}}}"#
            let response = try await client.request("POST", "/execute_action", body: read)
            #expect(try response.json["observation"]?.stringValue == "read")
            #expect(try response.json["content"]?.stringValue == "ü\n")
            #expect(try response.json["extras"]?["path"]?.stringValue == fixture.directory + "/sub/a.txt")
        }
    }

    @Test("The server says that it lives and how it is")
    func information() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let alive = try await client.request("GET", "/alive")
            #expect(alive.status == 200)
            #expect(try alive.json["status"]?.stringValue == "ok")
            let info = try await client.request("GET", "/server_info?x=y")
            #expect(info.status == 200)
            #expect(try #require(info.json["uptime"]?.doubleValue) >= 0)
            #expect(try #require(info.json["idle_time"]?.doubleValue) >= 0)
            #expect(try #require(info.json["resources"]?["memory"]?["rss"]?.intValue) > 0)
            let token = try await client.request("GET", "/vscode/connection_token")
            #expect(try token.json["token"]?.isNull == true)
        }
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        var method: String
        var path: String
        var body: String?
        var status: Int
        var testDescription: String { "\(method) \(path) \(body ?? "")" }

        init(_ method: String, _ path: String, _ body: String?, _ status: Int) {
            (self.method, self.path, self.body, self.status) = (method, path, body, status)
        }
    }

    @Test("What isn't there, isn't allowed or isn't understood is answered with its status and a detail")
    func refusals() async throws {
        let refusals = [
            Refusal("GET", "/", nil, 404), Refusal("GET", "/nothing?x", nil, 404),
            Refusal("POST", "/alive/", "{}", 404),
            Refusal("POST", "/alive", "{}", 405), Refusal("GET", "/execute_action", nil, 405),
            Refusal("DELETE", "/lease", nil, 405),
            Refusal("HEAD", "/execute_action", nil, 405), Refusal("PUT", "/server_info", "", 405),
            Refusal("POST", "/execute_action", "", 422), Refusal("POST", "/execute_action", "{", 422),
            Refusal("POST", "/execute_action", "[]", 422), Refusal("POST", "/execute_action", "{}", 422),
            Refusal("POST", "/execute_action", #"{"action":null}"#, 422),
            Refusal("POST", "/execute_action", #"{"action":{}}"#, 422),
            Refusal("POST", "/execute_action", #"{"action":{"action":"run"}}"#, 422),
            Refusal("POST", "/execute_action", #"{"action":{"action":"run","args":{"command":1}}}"#, 422),
            Refusal("POST", "/execute_action", #"{"action":{"action":"think","args":{"thought":"x"}}}"#, 400),
            Refusal("POST", "/execute_action", #"{"action":{"action":"no_such","args":{}}}"#, 400),
            Refusal("POST", "/execute_action", String(repeating: "[", count: 1_000_000), 422),
            Refusal("POST", "/execute_action", String(repeating: #"{"action":"#, count: 100_000), 422),
            Refusal("POST", "/lease", #"{"seconds":0}"#, 422), Refusal("POST", "/lease", #"{"seconds":-1}"#, 422),
            Refusal("POST", "/lease", #"{"seconds":"1"}"#, 422), Refusal("POST", "/lease", #"{"seconds":1e300}"#, 422),
            Refusal("POST", "/lease", "x", 422),
        ]
        try await withServer { fixture in
            let client = try await fixture.connect()
            for refusal in refusals {
                let response = try await client.request(refusal.method, refusal.path, body: refusal.body)
                #expect(response.status == refusal.status, "\(refusal.testDescription.prefix(80))")
                if refusal.method != "HEAD" { #expect(response.detail?.isEmpty == false) }
                #expect((response.headers.single("allow") != nil) == (refusal.status == 405))
                #expect(response.headers.single("server-instance") != nil)
            }
            let alive = try await client.request("GET", "/alive")
            #expect(alive.status == 200)
        }
    }

    @Test("A timeout that is no time doesn't bring the server down", arguments: ["1e300", "-1", "0", "9e18", "null"])
    func timeouts(timeout: String) async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let body = #"{"action":{"action":"run","args":{"command":"true"},"timeout":\#(timeout)}}"#
            let response = try await client.request("POST", "/execute_action", body: body)
            #expect(response.status == 200)
            let alive = try await client.request("GET", "/alive")
            #expect(alive.status == 200)
        }
    }

    // MARK: Who may

    @Test("Without the key nothing but the open routes answers")
    func keys() async throws {
        try await withServer({ $0.sessionAPIKeyDigest = SHA256.digest("secret") }) { fixture in
            let client = try await fixture.connect()
            for path in ["/alive", "/server_info"] {
                let response = try await client.request("GET", path)
                #expect(response.status == 200)
            }
            for headers in [[], [("X-Session-API-Key", "wrong")], [("X-Session-API-Key", "")]] {
                for path in ["/execute_action", "/lease", "/nothing"] {
                    let client = try await fixture.connect()
                    let response = try await client.request(
                        "POST",
                        path,
                        headers: headers,
                        body: TestClient.command("touch ran")
                    )
                    #expect(response.status == 403)
                    #expect(response.detail == "Invalid API Key")
                    let isAtEnd = try await client.isAtEnd()
                    #expect(isAtEnd)
                }
            }
            #expect(access(fixture.directory + "/ran", F_OK) != 0)
            let output = try await client.run("echo in", headers: [("x-session-api-key", "secret")])
            #expect(output == "in")
        }
    }

    @Test("A web page reaches nothing, by a foreign name or from a foreign origin")
    func webPages() async throws {
        try await withServer { fixture in
            for (headers, status) in [
                ([("Host", "evil.example")], 421), ([("Host", "evil.example:80")], 421),
                ([("Origin", "http://evil.example")], 403), ([("Origin", "null")], 403),
                ([("Host", "127.0.0.1:1"), ("Origin", "http://127.0.0.1:1")], 200),
            ] {
                let client = try await fixture.connect()
                let response = try await client.request("GET", "/alive", headers: headers)
                #expect(response.status == status)
            }
        }
    }

    @Test("A refused upload is answered although it is still being sent")
    func refusedUpload() async throws {
        try await withServer({ $0.sessionAPIKeyDigest = SHA256.digest("secret") }) { fixture in
            for address in [fixture.tcp, fixture.unix] {
                let client = try await TestClient(address)
                try await client.send(
                    "POST /execute_action HTTP/1.1\r\nHost: h.localhost\r\nContent-Length: 50000000\r\n\r\n"
                        .replacing("h.localhost", with: "localhost")
                )
                for _ in 0..<50 { try await client.send([UInt8](repeating: 0x20, count: 100_000)) }
                let response = try await client.receive()
                #expect(response.status == 403)
                #expect(response.headers.single("connection") == "close")
            }
        }
    }

    // MARK: Idempotency

    @Test("A request that is sent again with its key gets the first one's response, and acts once")
    func idempotency() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let body = TestClient.command("echo run >>count; date +%s%N")
            let key = [("Idempotency-Key", "k1")]
            let first = try await client.request("POST", "/execute_action", headers: key, body: body)
            for _ in 0..<3 {
                let again = try await fixture.connect().request("POST", "/execute_action", headers: key, body: body)
                #expect(again.status == 200)
                #expect(again.body == first.body)
            }
            let other = try await client.request(
                "POST",
                "/execute_action",
                headers: key,
                body: TestClient.command("echo x")
            )
            #expect(other.status == 422)
            #expect(other.detail?.contains("k1") == true)
            let count = try String(contentsOfFile: fixture.directory + "/count", encoding: .utf8)
            #expect(count == "run\n")
            let unkeyed = try await client.request("POST", "/execute_action", body: body)
            #expect(unkeyed.body != first.body)
        }
    }

    @Test("The same request sent many times at once acts once, and all get the response")
    func concurrentDuplicates() async throws {
        try await withServer { fixture in
            _ = try await fixture.connect().run("mkfifo gate")
            let body = TestClient.command("echo run >>count; cat gate")
            let bodies = try await withThrowingTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        let client = try await fixture.connect()
                        return try await client.request(
                            "POST",
                            "/execute_action",
                            headers: [("Idempotency-Key", "k")],
                            body: body
                        )
                    }
                }
                let path = fixture.directory + "/gate"
                try await Task.offloaded { try writeFile(path, Array("opened".utf8), mode: 0o600) }
                return try await group.reduce(into: [[UInt8]]()) { $0.append($1.body) }
            }
            #expect(bodies.count == 20)
            #expect(Set(bodies).count == 1)
            #expect(try JSONValue(parsing: bodies[0])["content"]?.stringValue == "opened")
            let count = try String(contentsOfFile: fixture.directory + "/count", encoding: .utf8)
            #expect(count == "run\n")
        }
    }

    @Test("A command whose client went away ends all the same, and its result is kept for the key")
    func brokenConnection() async throws {
        try await withServer { fixture in
            let control = try await fixture.connect()
            _ = try await control.run("mkfifo gate started")
            let body = TestClient.command("echo run >>count; echo >started; cat gate")
            let headers = [("Idempotency-Key", "k")]
            let directory = fixture.directory
            try await fixture.connect().send(
                TestClient.encoded("POST", "/execute_action", headers: headers, body: body)
            )
            // Reading waits until the command has written: closed any sooner, the pipe would end the shell (SIGPIPE).
            let started = try await Task.offloaded {
                try FileHandle(forReadingFrom: URL(filePath: directory + "/started")).readToEnd()
            }
            #expect(started == Data("\n".utf8))
            try await Task.offloaded { try writeFile(directory + "/gate", Array("late".utf8), mode: 0o600) }
            let response = try await control.request("POST", "/execute_action", headers: headers, body: body)
            #expect(try response.json["content"]?.stringValue == "late")
            #expect(try String(contentsOfFile: directory + "/count", encoding: .utf8) == "run\n")
        }
    }

    @Test("A request for another run of the server is refused")
    func instance() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let alive = try await client.request("GET", "/alive")
            let instance = try #require(alive.headers.single("server-instance"))
            let body = TestClient.command("echo x >ran")
            let refused = try await client.request(
                "POST",
                "/execute_action",
                headers: [("Server-Instance", instance + "0"), ("Idempotency-Key", "k")],
                body: body
            )
            #expect(refused.status == 412)
            #expect(access(fixture.directory + "/ran", F_OK) != 0)
            let done = try await client.request(
                "POST",
                "/execute_action",
                headers: [("Server-Instance", instance), ("Idempotency-Key", "k")],
                body: body
            )
            #expect(done.status == 200)
            #expect(access(fixture.directory + "/ran", F_OK) == 0)
        }
    }
}
