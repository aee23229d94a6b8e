import EventStream
import Foundation
import Synchronization
import Testing

@testable import ActionExecutionServer

/// What careless, slow, broken and hostile clients do, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct RobustnessTests {
    // MARK: Forms of requests

    @Test("Each form of a request gets the status that is due, and the connection is kept where it can be")
    func forms() async throws {
        let host = "Host: localhost\r\n"
        try await withServer { fixture in
            let client = try await fixture.connect()
            for (request, status) in [
                ("GET /%61live HTTP/1.1\r\n\(host)\r\n", 200),
                ("GET http://localhost/alive HTTP/1.1\r\n\(host)\r\n", 200),
                ("GET HTTP://LOCALHOST/alive?x HTTP/1.1\r\n\(host)\r\n", 200),
                ("OPTIONS * HTTP/1.1\r\n\(host)\r\n", 200),
                ("OPTIONS /alive HTTP/1.1\r\n\(host)\r\n", 405),
                ("BREW /alive HTTP/1.1\r\n\(host)\r\n", 405),
                ("BREW /pot HTTP/1.1\r\n\(host)\r\n", 404),
                ("GET /alive HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
                ("\r\n\r\nGET /alive HTTP/1.1\r\n\(host)\r\n", 200),
            ] {
                try await client.send(request)
                let response = try await client.receive()
                #expect(response.status == status, "\(request)")
                let isOld = request.contains("HTTP/1.0")
                #expect(response.headers.single("connection") == (isOld ? "keep-alive" : nil))
            }
        }
    }

    @Test("The key is asked for whatever the spelling of the path")
    func spellings() async throws {
        try await withServer({ $0.sessionAPIKeyDigest = SHA256.digest("secret") }) { fixture in
            let body = TestClient.command("touch ran")
            for (path, status) in [
                ("/%61live", 200), ("/%65xecute_action", 403), ("http://localhost/execute_action", 403),
                ("//alive", 403), ("/alive/../execute_action", 403), ("/alive%2F..%2Fexecute_action", 403),
                ("/alive%00", 403),
            ] {
                let client = try await fixture.connect()
                let method = status == 200 ? "GET" : "POST"
                let response = try await client.request(method, path, body: status == 200 ? nil : body)
                #expect(response.status == status, "\(path)")
            }
            #expect(access(fixture.directory + "/ran", F_OK) != 0)
        }
    }

    @Test("A name that leads here from elsewhere is refused in the target too")
    func foreignTarget() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send("GET http://evil.example/alive HTTP/1.0\r\n\r\n")
            #expect(try await client.receive().status == 421)
        }
    }

    @Test("An expectation that nobody knows is refused, and not heeded in HTTP/1.0")
    func unknownExpectation() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let refused = try await client.request("GET", "/alive", headers: [("Expect", "miracles")])
            #expect(refused.status == 417)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
            let old = try await fixture.connect()
            try await old.send("GET /alive HTTP/1.0\r\nExpect: miracles\r\n\r\n")
            #expect(try await old.receive().status == 200)
        }
    }

    /// Bodies of a POST request, with its length fields, that two servers might read in two ways.
    private static let ambiguities = [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "Content-Length: 0, 44\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n",
        "Content-Length : 44\r\n\r\n",
        "X: y\r\n Content-Length: 44\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\n\n",
        "Transfer-Encoding: chunked\r\n\r\n0;\(String(repeating: "x", count: 70_000))\r\n\r\n",
        "X: \u{0}\r\n\r\n",
        "X: y\nContent-Length: 44\r\n\r\n",
    ]

    @Test("What could hide a second request is refused, and nothing behind it is answered", arguments: [false, true])
    func smuggling(isUnix: Bool) async throws {
        try await withServer { fixture in
            for ambiguity in Self.ambiguities {
                let client = try await TestClient(isUnix ? fixture.unix : fixture.tcp)
                try await client.send(
                    "POST /lease HTTP/1.1\r\nHost: localhost\r\n\(ambiguity)"
                        + "POST /execute_action HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
                )
                let response = try await client.receive()
                #expect([400, 413, 431, 501].contains(response.status), "\(ambiguity.prefix(80))")
                #expect(response.headers.single("connection") == "close")
                let isAtEnd = try await client.isAtEnd()
                #expect(isAtEnd, "\(ambiguity.prefix(80))")
            }
        }
    }

    @Test(
        "Another protocol is refused at once",
        arguments: [("\u{16}\u{3}\u{1}", 400), ("PRI * HTTP/2.0\r\n\r\n", 505)]
    )
    func otherProtocols(bytes: String, status: Int) async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send(bytes)
            #expect(try await client.receive().status == status)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
    }

    // MARK: Limits

    @Test("The limits of the configuration hold")
    func limits() async throws {
        func change(_ configuration: inout ServerConfiguration) {
            configuration.limits.headSize = 1000
            configuration.limits.fieldCount = 10
            configuration.limits.bodySize = 100
            configuration.limits.streamedBodySize = 200
        }
        let fields = (0..<10).map { ("X-\($0)", "y") }
        try await withServer(change) { fixture in
            for (headers, body, status) in [
                ([], "", 422), ([("X", String(repeating: "y", count: 1000))], "", 431), (fields, "", 431),
                ([], String(repeating: " ", count: 100), 422), ([], String(repeating: " ", count: 101), 413),
                ([], String(repeating: " ", count: 201), 413),
            ] {
                let client = try await fixture.connect()
                let response = try await client.request("POST", "/execute_action", headers: headers, body: body)
                #expect(response.status == status)
            }
        }
        try await withServer({ $0.limits.idleTime = .milliseconds(50) }) { fixture in
            let client = try await fixture.connect()
            #expect(try await client.request("GET", "/alive").status == 200)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
    }

    @Test("A head, and a body, that come byte by byte without end are given up", arguments: [false, true])
    func slowLoris(isBody: Bool) async throws {
        var limits = HTTPLimits()
        limits.headSize = 1 << 30
        limits.headTime = .milliseconds(100)
        limits.stallTime = .milliseconds(100)
        limits.minimumRate = 1 << 30
        limits.closingTime = .milliseconds(50)
        let handler: HTTPHandler = { _, body throws(HTTPBodyError) in
            while try await body.next() != nil {}
            return HTTPResponse(status: 200)
        }
        try await withConnection(handler, limits: limits) { client in
            let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n"
            try await client.send(head + (isBody ? "\r\n" : "X:"))
            let dripping = Task { while !Task.isCancelled { try await client.send("x") } }
            #expect(try await client.receive().status == 408)
            dripping.cancel()
            _ = try? await dripping.value
        }
    }

    // MARK: Many, and broken ones

    @Test("A connection that is reset within a request leaves the server well")
    func reset() async throws {
        try await withServer { fixture in
            let request = Array(TestClient.encoded("POST", "/execute_action", body: TestClient.command("echo x")).utf8)
            for count in stride(from: 1, through: request.count, by: 9) {
                for address in [fixture.tcp, fixture.unix] {
                    let client = try await TestClient(address)
                    try await client.send(Array(request[..<count]))
                    await client.reset()
                }
            }
            #expect(try await fixture.connect().run("echo well") == "well")
        }
    }

    #if os(Linux)
    @Test("Without descriptors the connections that there are go on, and others are served when some are free again")
    func outOfDescriptors() async throws {
        let limited = ["sh", "-c", "ulimit -n 40; exec \"$@\"", "sh"]
        try await withServerProcess(["0", "--host", "127.0.0.1"], wrapper: limited) { server in
            let port = try #require(try server.firstLine().split(separator: ":").last.flatMap { Int($0) })
            let address = ServerAddress.tcp(host: "127.0.0.1", port: port)
            let first = try await TestClient(address)
            #expect(try await first.run("echo before") == "before")
            var others: [TestClient] = []
            for _ in 0..<60 { others.append(try await TestClient(address)) }
            let descriptors = "/proc/\(server.process.processIdentifier)/fd"
            while try FileManager.default.contentsOfDirectory(atPath: descriptors).count < 40 {
                try Task.checkCancellation()
            }
            for number in 0..<20 { #expect(try await first.run("echo \(number)") == "\(number)") }
            let last = try #require(others.last)
            try await last.send(TestClient.encoded("GET", "/alive"))
            for client in others.dropLast() { await client.close() }
            #expect(try await last.receive().status == 200)
        }
    }

    @Test("A thousand idle connections are held, and the last one is served like the first")
    func idle() async throws {
        var before = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
        var raised = rlimit(rlim_cur: min(before.rlim_max, 8192), rlim_max: before.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before) }
        try await withServerProcess(["0", "--host", "127.0.0.1"]) { server in
            let port = try #require(try server.firstLine().split(separator: ":").last.flatMap { Int($0) })
            var clients: [TestClient] = []
            for _ in 0..<1000 { clients.append(try await TestClient(.tcp(host: "127.0.0.1", port: port))) }
            for client in [clients[999], clients[0], clients[500]] {
                for _ in 0..<10 { #expect(try await client.run("echo x") == "x") }
            }
            #expect(try await TestClient(.tcp(host: "127.0.0.1", port: port)).request("GET", "/alive").status == 503)
        }
    }
    #endif
}
