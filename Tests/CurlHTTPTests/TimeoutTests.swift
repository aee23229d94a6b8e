import CurlHTTP
import SocketTestServer
import Testing

@Suite("A time limit", .timeLimit(.minutes(1)))
struct TimeoutTests {
    @Test func onConnectingCoversTheTLSHandshake() async throws {
        try await withServer(script: { $0.waitForClose() }) { client, server in
            let request = HTTPRequest(
                url: "https" + server.url.dropFirst(4),
                timeouts: HTTPRequest.Timeouts(connect: .milliseconds(50), total: .seconds(50))
            )
            let error = try await httpError { try await client.execute(request) }
            #expect(error?.kind == .timedOut(.connect))
            #expect(error?.curlCode == .operationTimedout)
        }
    }

    @Test func onTheWholeEndsAnExchangeWithoutAnAnswer() async throws {
        let closed = Signal()
        let script: TestServer.Script = { connection in
            connection.waitForClose()
            closed.fire()
        }
        try await withServer(script: script) { client, server in
            var request = server.request("POST", "/", body: .text("x"))
            request.timeouts = HTTPRequest.Timeouts(total: .milliseconds(50))
            let error = try await httpError { try await client.execute(request) }
            #expect(error?.kind == .timedOut(.total))
            await closed.wait()
        }
    }

    @Test func onTheWholeEndsABodyThatGoesOn() async throws {
        let script: TestServer.Script = { connection in
            _ = connection.readHead()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while connection.send("1\r\nx\r\n") {}
        }
        try await withServer(script: script) { client, server in
            var request = server.request()
            request.timeouts.total = .milliseconds(100)
            let response = try await client.execute(request)
            let error = try await httpError { for try await _ in response.body {} }
            #expect(error?.kind == .timedOut(.total))
        }
    }

    @Test(
        "on silence ends the exchange",
        arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
    )
    func idle(sent: String) async throws {
        let closed = Signal()
        let script: TestServer.Script = { connection in
            _ = connection.readHead()
            connection.send(sent)
            connection.waitForClose()
            closed.fire()
        }
        try await withServer(script: script) { client, server in
            var request = server.request()
            request.timeouts.idle = .milliseconds(50)
            let error = try await httpError { try await client.send(request, bodyLimit: 100) }
            #expect(error?.kind == .timedOut(.idle))
            await closed.wait()
        }
    }

    @Test func onSilenceDoesNotRunWhileTheReaderHoldsTheServerBack() async throws {
        let size = 4_000_000
        let large = bytes(size)
        let script: TestServer.Script = { connection in
            guard let request = connection.readHead() else { return }
            if request.path == "/silent" { return connection.waitForClose() }
            connection.respond(body: large)
        }
        try await withServer(.unix, script: script) { client, server in
            var held = server.request("GET", "/large")
            held.timeouts.idle = .milliseconds(500)
            let response = try await client.execute(held)
            // An exchange that ends by a longer limit of the same kind is the clock here.
            var silent = server.request("GET", "/silent")
            silent.timeouts.idle = .milliseconds(1500)
            let error = try await httpError { try await client.execute(silent) }
            #expect(error?.kind == .timedOut(.idle))
            #expect(try await response.body.collect(upTo: size).count == size)
        }
    }
}
