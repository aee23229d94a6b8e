import CurlHTTP
import SocketTestServer
import Synchronization
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

@Suite("A failure", .timeLimit(.minutes(1)))
struct FailureTests {
    struct Cut: Sendable, CustomTestStringConvertible {
        var name: String
        var sends: String
        var resets = false
        var kind: HTTPError.Kind
        var testDescription: String { name }
    }

    @Test(
        "of the connection is told by where it happened",
        arguments: [
            Cut(name: "before the response", sends: "", kind: .connectionLostBeforeResponse),
            Cut(name: "reset before the response", sends: "", resets: true, kind: .connectionLostBeforeResponse),
            Cut(name: "after the status line", sends: "HTTP/1.1 200 OK\r\n", kind: .connectionLostDuringResponse),
            Cut(
                name: "within the body",
                sends: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
                kind: .connectionLostDuringResponse
            ),
            Cut(
                name: "within a chunk",
                sends: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
                kind: .connectionLostDuringResponse
            ),
            Cut(
                name: "between chunks",
                sends: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n",
                kind: .connectionLostDuringResponse
            ),
            Cut(name: "not HTTP", sends: "SSH-2.0-x\r\n", kind: .invalidResponse),
            Cut(name: "bad status", sends: "HTTP/1.1 2x0 OK\r\n\r\n", kind: .invalidResponse),
        ]
    )
    func cut(cut: Cut) async throws {
        let requests = Atomic<Int>(0)
        let script: TestServer.Script = { connection in
            guard let request = connection.readHead() else { return }
            _ = connection.readBody(of: request)
            requests.add(1, ordering: .relaxed)
            connection.send(cut.sends)
            if cut.resets { connection.reset() }
        }
        try await withServer(script: script) { client, server in
            for method in ["GET", "POST"] {
                let error = try await httpError {
                    try await client.send(server.request(method, "/x", body: .text("body")), bodyLimit: 100)
                }
                #expect(error?.kind == cut.kind, "\(error.map(String.init(describing:)) ?? "no error")")
                #expect(error?.method == method)
                #expect(error?.url == server.url + "/x")
                #expect(error?.connectionWasReused == false)
            }
            // A fresh connection that breaks is never tried again.
            #expect(requests.load(ordering: .relaxed) == 2)
        }
    }

    @Test func bytesBeforeACutAreDelivered() async throws {
        let script: TestServer.Script = { connection in
            _ = connection.readHead()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        }
        try await withServer(script: script) { client, server in
            let response = try await client.execute(server.request())
            var received: [UInt8] = []
            let error = try await httpError {
                for try await chunk in response.body { received += chunk }
            }
            #expect(received == Array("12345".utf8))
            #expect(error?.kind == .connectionLostDuringResponse)
            #expect(error?.curlCode == .partialFile)
        }
    }

    struct Resend: Sendable {
        var method: String
        var policy: HTTPRequest.ResendPolicy
        var attempts: Int?
    }

    /// The server answers a connection's first request and drops the second one after reading it.
    @Test(
        "of a kept-alive connection re-sends only what may be re-sent, and tells",
        arguments: [
            Resend(method: "GET", policy: .idempotentMethods, attempts: 2),
            Resend(method: "PUT", policy: .idempotentMethods, attempts: 2),
            Resend(method: "POST", policy: .idempotentMethods, attempts: nil),
            Resend(method: "POST", policy: .always, attempts: 2),
            Resend(method: "GET", policy: .never, attempts: nil),
        ],
        [0, 10, 200_000]
    )
    func resend(resend: Resend, bodySize: Int) async throws {
        let requests = Atomic<Int>(0)
        let script: TestServer.Script = { connection in
            var isFirst = true
            while let request = connection.readHead(), let body = connection.readBody(of: request) {
                requests.add(1, ordering: .relaxed)
                guard isFirst else { return }
                isFirst = false
                connection.respond(body: Array("\(body.count)".utf8))
            }
        }
        try await withServer(script: script) { client, server in
            var request = server.request(resend.method, "/", body: .bytes(bytes(bodySize)))
            request.resend = resend.policy
            #expect(try await client.send(request, bodyLimit: 10).head.attempts == 1)
            let expected = Array("\(bodySize)".utf8)
            if let attempts = resend.attempts {
                let (head, body) = try await client.send(request, bodyLimit: 10)
                #expect(head.attempts == attempts)
                #expect(body == expected)
                #expect(requests.load(ordering: .relaxed) == 3)
                #expect(server.acceptedConnections == 2)
            } else {
                let error = try await httpError { try await client.send(request, bodyLimit: 10) }
                #expect(error?.kind == .connectionLostBeforeResponse)
                #expect(error?.connectionWasReused == true)
                #expect(requests.load(ordering: .relaxed) == 2)
            }
        }
    }

    @Test func streamedBodiesAreNeverSentTwice() async throws {
        let script: TestServer.Script = { connection in
            var isFirst = true
            while let request = connection.readHead(), connection.readBody(of: request) != nil, isFirst {
                isFirst = false
                connection.respond()
            }
        }
        try await withServer(script: script) { client, server in
            let chunks = AsyncStream<[UInt8]> { continuation in
                continuation.yield([1, 2, 3])
                continuation.finish()
            }
            _ = try await client.send(server.request(), bodyLimit: 0)
            var request = server.request("PUT", "/", body: .stream(chunks))
            request.resend = .always
            let error = try await httpError { try await client.send(request, bodyLimit: 0) }
            #expect(error?.kind == .connectionLostBeforeResponse)
        }
    }

    @Test(arguments: TestServer.Transport.allCases)
    func aConnectionThatTheServerHasClosedIsNotUsed(transport: TestServer.Transport) async throws {
        let closed = Signal()
        let script: TestServer.Script = { connection in
            guard let request = connection.readHead(), connection.readBody(of: request) != nil else { return }
            connection.respond()
            connection.close()
            closed.fire()
        }
        try await withServer(transport, script: script) { client, server in
            for _ in 0..<5 {
                let (head, _) = try await client.send(server.request("POST", "/", body: .text("x")), bodyLimit: 0)
                #expect(head.attempts == 1)
                await closed.wait()
            }
            #expect(server.acceptedConnections == 5)
        }
    }

    @Test func refusedConnectionsAndMissingSocketsSaySo() async throws {
        let client = try HTTPClient()
        defer { client.shutdown() }
        let (descriptor, port) = try Socket.boundToLoopback()
        defer { Socket.close(descriptor) }
        let refused = try await httpError {
            try await client.execute(HTTPRequest(url: "http://127.0.0.1:\(port)/"))
        }
        #expect(refused?.kind == .couldNotConnect)
        #expect(refused?.curlCode == .couldntConnect)
        #expect(refused?.systemErrorNumber == ECONNREFUSED)

        let missing = try await httpError {
            try await client.execute(HTTPRequest(url: "http://localhost/", unixSocketPath: "/nonexistent/x.sock"))
        }
        #expect(missing?.kind == .couldNotConnect)
        #expect(missing?.systemErrorNumber == ENOENT)
        #expect(missing?.description.contains("/nonexistent/x.sock") == true)
    }

    @Test func tlsToAPlainPortIsATLSError() async throws {
        let script: TestServer.Script = { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForClose()
        }
        try await withServer(script: script) { client, server in
            let error = try await httpError {
                try await client.execute(HTTPRequest(url: "https" + server.url.dropFirst(4)))
            }
            #expect(error?.kind == .tls)
            #expect(error?.curlCode == .sslConnectError)
        }
    }

    @Test func unreadableCertificatesAreATLSError() async throws {
        try await withServer(script: { $0.waitForClose() }) { client, server in
            let tls = TLSConfiguration(authorityFile: "/nonexistent/ca.pem")
            let error = try await httpError {
                try await client.execute(HTTPRequest(url: "https" + server.url.dropFirst(4), tls: tls))
            }
            #expect(error?.kind == .tls)
            #expect(error?.message.contains("/nonexistent/ca.pem") == true)
        }
    }

    @Test func headsOverTheLimitAreRefused() async throws {
        var configuration = HTTPClientConfiguration()
        configuration.maximumResponseHeadSize = 1000
        let script: TestServer.Script = { connection in
            _ = connection.readHead()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X: 0123456789\r\n") {}
        }
        try await withServer(configuration: configuration, script: script) { client, server in
            let error = try await httpError { try await client.execute(server.request()) }
            #expect(error?.kind == .invalidResponse)
        }
    }

    @Test(arguments: [
        HTTPRequest(url: ""),
        HTTPRequest(url: "/path"),
        HTTPRequest(url: "localhost/path"),
        HTTPRequest(url: "ftp://localhost/"),
        HTTPRequest(url: "file:///etc/passwd"),
        HTTPRequest(url: "http://"),
        HTTPRequest(url: "http://localhost:99999/"),
        HTTPRequest(url: "http://localhost/a b"),
        HTTPRequest(url: "http://localhost/\r\nX: y"),
        HTTPRequest(method: "", url: "http://localhost/"),
        HTTPRequest(method: "GET /x HTTP/1.1\r\nX:", url: "http://localhost/"),
        HTTPRequest(url: "http://localhost/", headers: ["X": "a\r\nY: b"]),
        HTTPRequest(url: "http://localhost/", headers: ["X": "a\nb"]),
        HTTPRequest(url: "http://localhost/", headers: ["X": "a\0b"]),
        HTTPRequest(url: "http://localhost/", headers: ["X: a\r\nY": "b"]),
        HTTPRequest(url: "http://localhost/", headers: ["": "b"]),
        HTTPRequest(url: "http://localhost/", headers: ["content-length": "5"]),
        HTTPRequest(url: "http://localhost/", headers: ["Transfer-Encoding": "chunked"]),
        HTTPRequest(url: "http://localhost/", unixSocketPath: ""),
        HTTPRequest(url: "http://localhost/", unixSocketPath: "/" + String(repeating: "x", count: 200)),
    ])
    func requestsThatCannotBeSentAreRefusedFirst(request: HTTPRequest) async throws {
        let client = try HTTPClient()
        defer { client.shutdown() }
        let error = try await httpError { try await client.execute(request) }
        #expect(error?.kind == .invalidRequest, "\(error.map(String.init(describing:)) ?? "no error")")
    }

    @Test func credentialsInTheURLStayOutOfErrors() async throws {
        let (descriptor, port) = try Socket.boundToLoopback()
        defer { Socket.close(descriptor) }
        let client = try HTTPClient()
        defer { client.shutdown() }
        let error = try await httpError {
            try await client.execute(HTTPRequest(url: "http://user:hunter2@127.0.0.1:\(port)/"))
        }
        #expect(error.map { "\($0)".contains("hunter2") } == false)
    }
}
