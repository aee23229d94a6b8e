import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// How connections are kept, used at once and ended.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ConnectionTests {
    @Test("A connection is kept for many requests, and closed when asked")
    func keepAlive() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            for number in 0..<100 {
                let output = try await client.run("echo \(number)")
                #expect(output == "\(number)")
            }
            let last = try await client.request("GET", "/alive", headers: [("Connection", "close")])
            #expect(last.headers.single("connection") == "close")
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
            let old = try await fixture.connect()
            try await old.send("GET /alive HTTP/1.0\r\n\r\n")
            #expect(try await old.receive().status == 200)
            let oldIsAtEnd = try await old.isAtEnd()
            #expect(oldIsAtEnd)
        }
    }

    @Test("Pipelined requests are answered in order")
    func pipelining() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            var requests = ""
            for number in 0..<20 {
                requests += TestClient.encoded("POST", "/execute_action", body: TestClient.command("echo \(number)"))
                requests += TestClient.encoded("GET", "/alive")
            }
            try await client.send(requests)
            for number in 0..<20 {
                let response = try await client.receive()
                #expect(try response.json["content"]?.stringValue == "\(number)")
                #expect(try await client.receive().status == 200)
            }
        }
    }

    @Test("A chunked body is read, in whatever pieces it comes")
    func chunked() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send(
                "POST /execute_action HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for byte in TestClient.command("echo chunked").utf8 {
                try await client.send("1\r\n" + String(UnicodeScalar(byte)) + "\r\n")
            }
            try await client.send("0\r\n\r\n")
            #expect(try await client.receive().json["content"]?.stringValue == "chunked")
        }
    }

    @Test("A client that asks before it sends a body is told to go on, or refused before it sends")
    func expectation() async throws {
        try await withServer({ $0.sessionAPIKeyDigest = SHA256.digest("secret") }) { fixture in
            let body = TestClient.command("echo expected")
            let head =
                "POST /execute_action HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n"
            let client = try await fixture.connect()
            try await client.send(head + "X-Session-API-Key: secret\r\n\r\n")
            #expect(try await client.receive(includesInformational: true).status == 100)
            try await client.send(body)
            #expect(try await client.receive().json["content"]?.stringValue == "expected")
            let refused = try await fixture.connect()
            try await refused.send(head + "\r\n")
            #expect(try await refused.receive(includesInformational: true).status == 403)
        }
    }

    @Test("HEAD has the head of GET and no body")
    func head() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            for path in ["/alive", "/server_info", "/nothing"] {
                let get = try await client.request("GET", path)
                let head = try await client.request("HEAD", path)
                #expect(head.status == get.status)
                #expect(Int(head.headers.single("content-length") ?? "") ?? 0 > 0)
            }
            #expect(try await client.request("GET", "/alive").status == 200)
        }
    }

    @Test(
        "A malformed request is answered with its status, and the connection ends",
        arguments: [
            ("GET / HTTP/1.1\n\n", 400), ("GET /\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ]
    )
    func malformed(request: String, status: Int) async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send(request)
            let response = try await client.receive()
            #expect(response.status == status)
            #expect(response.detail?.isEmpty == false)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
    }

    @Test("A head that never ends is refused at its limit")
    func endlessHead() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 70_000))
            #expect(try await client.receive().status == 431)
        }
    }

    @Test("Two hundred connections at once all run commands")
    func many() async throws {
        try await withServer { fixture in
            let outputs = try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        let client = try await TestClient(number % 2 == 0 ? fixture.tcp : fixture.unix)
                        var output = ""
                        for round in 0..<2 {
                            guard try await client.request("GET", "/alive").status == 200 else { return "no" }
                            output = try await client.run("echo \(number) \(round)")
                        }
                        return output
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(outputs == Set((0..<200).map { "\($0) 1" }))
        }
    }

    @Test("Connections beyond the limit are refused, and served when others have ended")
    func limit() async throws {
        try await withServer({ $0.connectionLimit = 2 }) { fixture in
            var clients: [TestClient] = []
            for _ in 0..<2 {
                let client = try await fixture.connect()
                #expect(try await client.request("GET", "/alive").status == 200)
                clients.append(client)
            }
            let third = try await fixture.connect()
            try await third.send(TestClient.encoded("GET", "/alive"))
            #expect(try await third.receive().status == 503)
            clients.removeAll()
            while try await TestClient(fixture.tcp).request("GET", "/alive").status != 200 {
                try Task.checkCancellation()
            }
        }
    }

    @Test("A client that sends slowly holds nobody up")
    func slowClient() async throws {
        try await withServer { fixture in
            let slow = try await fixture.connect()
            let request = Array(
                TestClient.encoded("POST", "/execute_action", body: TestClient.command("echo slow")).utf8
            )
            for byte in request {
                try await slow.send([byte])
                #expect(try await fixture.connect().request("GET", "/alive").status == 200)
            }
            #expect(try await slow.receive().json["content"]?.stringValue == "slow")
        }
    }

    @Test("A client that doesn't read a large response holds nobody up")
    func slowReader() async throws {
        try await withServer { fixture in
            _ = try await fixture.connect().run("head -c 20000000 /dev/zero | tr '\\0' x >big")
            let slow = try await fixture.connect()
            try await slow.send(
                TestClient.encoded(
                    "POST",
                    "/execute_action",
                    body: #"{"action":{"action":"read","args":{"path":"big"}}}"#
                )
            )
            for _ in 0..<20 { #expect(try await fixture.connect().run("echo other") == "other") }
            #expect(try await slow.receive().json["content"]?.stringValue?.utf8.count == 20_000_000)
        }
    }

    @Test("A client that ends its side after the request gets its response")
    func halfClosed() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            try await client.send(TestClient.encoded("POST", "/execute_action", body: TestClient.command("echo half")))
            await client.finishSending()
            #expect(try await client.receive().json["content"]?.stringValue == "half")
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
    }

    @Test("A client that goes away at any byte of its request leaves the server well")
    func brokenOff() async throws {
        try await withServer { fixture in
            let request = Array(TestClient.encoded("POST", "/execute_action", body: TestClient.command("echo x")).utf8)
            for count in stride(from: 0, to: request.count, by: 7) {
                try await fixture.connect().send(Array(request[..<count]))
            }
            #expect(try await fixture.connect().run("echo well") == "well")
        }
    }

    @Test("A request that takes too long to arrive is answered with 408, and an idle connection is closed")
    func timeouts() async throws {
        func limits(_ change: (inout HTTPLimits) -> Void) -> HTTPLimits {
            var limits = HTTPLimits()
            limits.closingTime = .milliseconds(50)
            change(&limits)
            return limits
        }
        let answer: HTTPHandler = { _, _ throws(HTTPBodyError) in HTTPResponse(status: 200) }
        try await withConnection(answer, limits: limits { $0.headTime = .milliseconds(50) }) { client in
            try await client.send("GET / HT")
            #expect(try await client.receive().status == 408)
        }
        try await withConnection(answer, limits: limits { $0.idleTime = .milliseconds(50) }) { client in
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
        // The beginning of a second request that came with the first is not idleness.
        try await withConnection(answer, limits: limits { $0.headTime = .milliseconds(50) }) { client in
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET")
            #expect(try await client.receive().status == 200)
            #expect(try await client.receive().status == 408)
        }
    }
}
