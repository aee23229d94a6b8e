import CurlHTTP
import SocketTestServer
import Testing

@Suite("Ending early", .timeLimit(.minutes(1)))
struct CancellationTests {
    /// Answers `/body` with the beginning of a body and everything else not at all; tells what happens.
    struct Observed: Sendable {
        let requested = Signal()
        let closed = Signal()

        var script: TestServer.Script {
            { connection in
                guard let request = connection.readHead() else { return }
                requested.fire()
                if request.path == "/body" { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx") }
                connection.waitForClose()
                closed.fire()
            }
        }
    }

    @Test func cancellingWhileWaitingForTheHeadClosesTheConnection() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            let task = Task { try await client.execute(server.request()) }
            await observed.requested.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await observed.closed.wait()
        }
    }

    @Test func cancellingWhileReadingTheBodyClosesTheConnection() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            let firstChunk = Signal()
            let task = Task {
                for try await _ in try await client.execute(server.request("GET", "/body")).body { firstChunk.fire() }
            }
            await firstChunk.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await observed.closed.wait()
        }
    }

    @Test func cancellingLetsGoOfARequestBodyThatWaits() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            let (pulled, ended, never) = (Signal(), Signal(), Signal())
            let chunks = AsyncStream<[UInt8]> {
                pulled.fire()
                await never.wait()
                ended.fire()
                return nil
            }
            let task = Task { try await client.execute(server.request("PUT", "/", body: .stream(chunks))) }
            await observed.requested.wait()
            await pulled.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await ended.wait()
            await observed.closed.wait()
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withServer(script: { $0.serve() }) { client, server in
            let isCancelled = Signal()
            let task = Task {
                await isCancelled.wait()
                _ = try await client.execute(server.request())
            }
            task.cancel()
            isCancelled.fire()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(server.acceptedConnections == 0)
        }
    }

    @Test func droppingAResponseClosesTheConnection() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            do {
                let response = try await client.execute(server.request("GET", "/body"))
                #expect(response.status == 200)
            }
            await observed.closed.wait()
        }
    }

    @Test func droppingAnIteratorHalfWayClosesTheConnection() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            for try await chunk in try await client.execute(server.request("GET", "/body")).body {
                #expect(chunk == Array("x".utf8))
                break
            }
            await observed.closed.wait()
        }
    }

    @Test func cancellingAtAnyMomentNeitherHangsNorLeaks() async throws {
        try await withServer(.unix, script: { $0.serve() }) { client, server in
            for round in 0..<300 {
                let task = Task {
                    try await client.send(server.request("POST", "/", body: .text("x")), bodyLimit: 10).body
                }
                for _ in 0..<round % 30 { await Task.yield() }
                task.cancel()
                switch await task.result {
                case .success(let body): #expect(body == Array("x".utf8))
                case .failure(let error): #expect(error is CancellationError)
                }
            }
            let (head, _) = try await client.send(server.request(), bodyLimit: 10)
            #expect(head.status == 200)
        }
    }

    @Test func shutdownFailsWhatIsInFlightAndWhatComesLater() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            let response = try await client.execute(server.request("GET", "/body"))
            await observed.requested.wait()
            try await withThrowingTaskGroup(of: HTTPError?.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await httpError { try await client.execute(server.request()) } }
                }
                for _ in 0..<8 { await observed.requested.wait() }
                client.shutdown()
                client.shutdown()
                for try await error in group { #expect(error?.kind == .shutDown) }
            }
            let bodyError = try await httpError { try await response.body.collect(upTo: 100) }
            #expect(bodyError?.kind == .shutDown)
            #expect(try await httpError { try await client.execute(server.request()) }?.kind == .shutDown)
            for _ in 0..<9 { await observed.closed.wait() }
        }
    }

    @Test func releasingTheClientClosesItsConnections() async throws {
        let closed = Signal()
        let server = try TestServer { connection in
            connection.serve()
            closed.fire()
        }
        defer { server.stop() }
        do {
            let client = try HTTPClient()
            _ = try await client.send(server.request(), bodyLimit: 0)
        }
        await closed.wait()
    }

    @Test func aResponseKeepsItsClientAlive() async throws {
        let server = try TestServer { connection in
            _ = connection.readHead()
            connection.respond(body: bytes(1_000_000))
        }
        defer { server.stop() }
        let response = try await HTTPClient().execute(server.request())
        #expect(try await response.body.collect(upTo: 1_000_000).count == 1_000_000)
    }

    @Test func aSecondReaderAtTheSameTimeIsRefused() async throws {
        let observed = Observed()
        try await withServer(script: observed.script) { client, server in
            let body = try await client.execute(server.request("GET", "/body")).body
            var iterator = body.makeAsyncIterator()
            _ = try await iterator.next()
            let errors = try await withThrowingTaskGroup(of: HTTPError?.self) { group in
                for _ in 0..<2 {
                    group.addTask { try await httpError { for try await _ in body {} } }
                }
                let first = try await group.next()
                client.shutdown()
                return [first ?? nil, try await group.next() ?? nil]
            }
            #expect(errors.map(\.?.kind) == [.invalidRequest, .shutDown])
        }
    }
}
