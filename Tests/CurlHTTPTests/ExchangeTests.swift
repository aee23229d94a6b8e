import CurlHTTP
import Foundation
import SocketTestServer
import Synchronization
import Testing

@Suite("An exchange", .timeLimit(.minutes(1)))
struct ExchangeTests {
    @Test("keeps its connection for the next one", arguments: TestServer.Transport.allCases)
    func reuse(transport: TestServer.Transport) async throws {
        try await withServer(transport, script: { $0.serve() }) { client, server in
            for index in 0..<100 {
                let (head, body) = try await client.send(
                    server.request("POST", "/", body: .text("\(index)")),
                    bodyLimit: 100
                )
                #expect(head.status == 200)
                #expect(head.attempts == 1)
                #expect(String(decoding: body, as: UTF8.self) == "\(index)")
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("runs on the client's thread for tasks that prefer it, which outlive the client")
    func taskExecutor() async throws {
        let (client, task) = try await withServer(script: { $0.serve() }) { client, server in
            let isShutDown = Signal()
            let task = Task(executorPreference: client.taskExecutor) {
                var threads: Set<UInt> = []
                for index in 0..<10 {
                    let body = try await client.send(
                        server.request("POST", "/", body: .text("\(index)")),
                        bodyLimit: 100
                    ).body
                    #expect(String(decoding: body, as: UTF8.self) == "\(index)")
                    threads.insert(currentThread())
                    await Task.yield()
                    threads.insert(currentThread())
                }
                #expect(threads.count == 1)
                await isShutDown.wait()
                await #expect(throws: HTTPError.self) { try await client.send(server.request(), bodyLimit: 0) }
                return threads
            }
            // Meanwhile, others' requests are answered too.
            for _ in 0..<10 { _ = try await client.send(server.request(), bodyLimit: 0) }
            client.shutdown()
            isShutDown.fire()
            return (client, task)
        }
        #expect(try await task.value != [currentThread()])
        // A new task of a client that has ended has somewhere to run, too.
        #expect(await Task(executorPreference: client.taskExecutor) { 5 }.value == 5)
    }

    @Test func opensANewConnectionWhenAskedTo() async throws {
        try await withServer(script: { $0.serve() }) { client, server in
            var request = server.request()
            request.reusesConnection = false
            for _ in 0..<3 { _ = try await client.send(request, bodyLimit: 0) }
            #expect(server.acceptedConnections == 3)
        }
    }

    @Test func keepsConnectionsToDifferentSocketsApart() async throws {
        let other = try TestServer(.unix) { $0.serve { _, _ in Array("other".utf8) } }
        defer { other.stop() }
        try await withServer(.unix, script: { $0.serve { _, _ in Array("one".utf8) } }) { client, server in
            for _ in 0..<3 {
                let one = try await client.send(server.request(), bodyLimit: 10)
                let two = try await client.send(other.request(), bodyLimit: 10)
                #expect(one.body == Array("one".utf8))
                #expect(two.body == Array("other".utf8))
            }
            #expect(server.acceptedConnections == 1)
            #expect(other.acceptedConnections == 1)
        }
    }

    @Test("runs beside 63 others", arguments: TestServer.Transport.allCases)
    func concurrent(transport: TestServer.Transport) async throws {
        try await withServer(transport, script: { $0.serve() }) { client, server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for task in 0..<64 {
                    group.addTask {
                        for round in 0..<10 {
                            let sent = Array("\(task)/\(round)".utf8)
                            let received = try await client.send(
                                server.request("POST", "/", body: .bytes(sent)),
                                bodyLimit: 100
                            )
                            guard received.body == sent else { return false }
                        }
                        return true
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(server.acceptedConnections <= 64)
        }
    }

    @Test func keepsDuplicateHeadersInOrderAndIgnoresInterimResponses() async throws {
        let script: TestServer.Script = { connection in
            _ = connection.readHead()
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n")
            connection.send(
                "HTTP/1.1 404\r\nSet-Cookie: a=1\r\nX: \t x \r\nset-cookie: b=2\r\nEmpty:\r\nContent-Length: 2\r\n\r\nno"
            )
        }
        try await withServer(script: script) { client, server in
            let response = try await client.execute(server.request())
            #expect(response.status == 404)
            #expect(response.headers.values(of: "SET-COOKIE") == ["a=1", "b=2"])
            #expect(response.headers["x"] == "x")
            #expect(response.headers["empty"] == "")
            #expect(response.headers["Link"] == nil)
            #expect(try await response.body.collect(upTo: 2) == Array("no".utf8))
        }
    }

    @Test func readsChunkedBodiesAndDropsTrailers() async throws {
        let script: TestServer.Script = { connection in
            while connection.readHead() != nil {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                connection.send("3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
            }
        }
        try await withServer(script: script) { client, server in
            for _ in 0..<2 {
                let (head, body) = try await client.send(server.request(), bodyLimit: 5)
                #expect(body == Array("abcde".utf8))
                #expect(head.headers["Trailer"] == nil)
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test func sendsWhatItWasGivenAndNothingElse() async throws {
        try await withServer(script: { $0.serve { request, _ in Array(request.head.utf8) } }) { client, server in
            func head(_ request: HTTPRequest) async throws -> [Substring] {
                let (_, body) = try await client.send(request, bodyLimit: 10_000)
                return String(decoding: body, as: UTF8.self).split(separator: "\r\n")
            }
            let host = "Host: \(server.url.dropFirst(7))"
            let get = try await head(server.request("GET", "/a/../b?c=%20"))
            #expect(get == ["GET /a/../b?c=%20 HTTP/1.1", "\(host)", "Accept: */*"])
            let post = try await head(server.request("POST", "/", body: .text("x")))
            #expect(post == ["POST / HTTP/1.1", "\(host)", "Accept: */*", "Content-Length: 1"])
            let delete = try await head(server.request("DELETE"))
            #expect(delete == ["DELETE / HTTP/1.1", "\(host)", "Accept: */*"])
            for method in ["POST", "PUT", "PATCH"] {
                let empty = try await head(server.request(method))
                #expect(empty == ["\(method) / HTTP/1.1", "\(host)", "Accept: */*", "Content-Length: 0"])
            }
            var request = server.request("PATCH", "/", body: .bytes(bytes(100_000)))
            request.headers = ["X-Empty": "", "Content-Type": "text/plain", "X": "1", "x": "2", "Accept": "text/html"]
            let patch = try await head(request)
            #expect(
                patch == [
                    "PATCH / HTTP/1.1", "\(host)", "X-Empty:", "Content-Type: text/plain", "X: 1", "x: 2",
                    "Accept: text/html", "Content-Length: 100000",
                ]
            )
        }
    }

    @Test func headHasNoBody() async throws {
        let script: TestServer.Script = { connection in
            while connection.readHead() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") }
        }
        try await withServer(script: script) { client, server in
            for _ in 0..<2 {
                let (head, body) = try await client.send(server.request("HEAD"), bodyLimit: 0)
                #expect(head.contentLength == 1000)
                #expect(body.isEmpty)
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test(
        "carries bodies of any size both ways",
        arguments: [0, 1, 65_535, 65_536, 65_537, 3_000_000],
        TestServer.Transport.allCases
    )
    func sizes(size: Int, transport: TestServer.Transport) async throws {
        try await withServer(transport, script: { $0.serve() }) { client, server in
            let sent = bytes(size)
            for method in ["POST", "PUT"] {
                let (_, received) = try await client.send(
                    server.request(method, "/", body: .bytes(sent)),
                    bodyLimit: size
                )
                #expect(received == sent)
            }
        }
    }

    @Test func refusesBodiesOverTheLimitAndEndsTheTransfer() async throws {
        let closed = Signal()
        let script: TestServer.Script = { connection in
            guard let request = connection.readHead() else { return }
            if request.path == "/announced" {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
            } else {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
            }
            connection.waitForClose()
            closed.fire()
        }
        try await withServer(script: script) { client, server in
            for path in ["/announced", "/chunked"] {
                let error = try await httpError { try await client.send(server.request("GET", path), bodyLimit: 9) }
                #expect(error?.kind == .bodyTooLarge(limit: 9))
                await closed.wait()
            }
        }
    }
}

private func currentThread() -> UInt {
    #if canImport(Darwin)
    UInt(bitPattern: pthread_self())
    #else
    UInt(pthread_self())
    #endif
}
