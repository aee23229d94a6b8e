import CurlHTTP
import SocketTestServer
import Synchronization
import Testing

@Suite("A stream", .timeLimit(.minutes(1)))
struct StreamingTests {
    /// Chunks of 64 KiB; counts how many were asked for.
    final class Source: AsyncSequence, Sendable {
        typealias Element = [UInt8]
        typealias Failure = any Error

        let count: Int
        let pulled = Atomic<Int>(0)
        let isReleased = Signal()
        static let chunkSize = 65_536

        init(count: Int) { self.count = count }

        struct Iterator: AsyncIteratorProtocol {
            let source: Source
            mutating func next() async throws -> [UInt8]? {
                try Task.checkCancellation()
                let index = source.pulled.load(ordering: .relaxed)
                guard index < source.count else { return nil }
                source.pulled.store(index + 1, ordering: .relaxed)
                return [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: Source.chunkSize)
            }
        }

        func makeAsyncIterator() -> Iterator { Iterator(source: self) }
    }

    @Test("goes up with and without a length", arguments: [true, false])
    func upload(hasLength: Bool) async throws {
        try await withServer(script: { $0.serve() }) { client, server in
            let source = Source(count: 20)
            let size = 20 * Source.chunkSize
            let (_, body) = try await client.send(
                server.request("POST", "/", body: .stream(source, length: hasLength ? size : nil)),
                bodyLimit: size
            )
            #expect(body.count == size)
            #expect(body.last == 19)
        }
    }

    @Test func goesBothWaysAtOnce() async throws {
        let script: TestServer.Script = { connection in
            guard connection.readHead() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            // One-byte chunks in libcurl's framing, each echoed before the next is read.
            while let size = connection.read(exactly: 3), size[0] == UInt8(ascii: "1") {
                guard let data = connection.read(exactly: 3) else { return }
                connection.send(size + data)
            }
            connection.send("0\r\n\r\n")
            connection.waitForClose()
        }
        try await withServer(script: script) { client, server in
            let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
            continuation.yield([0])
            let response = try await client.execute(server.request("POST", "/", body: .stream(chunks)))
            var received: [UInt8] = []
            for try await chunk in response.body {
                received += chunk
                // The next byte goes up only when the one before has come down.
                if let last = chunk.last, last < 9 { continuation.yield([last + 1]) } else { continuation.finish() }
            }
            #expect(received == Array(0...9))
        }
    }

    @Test func isNotPulledWhileTheServerDoesNotRead() async throws {
        let gate = try Gate()
        let script: TestServer.Script = { connection in
            while let request = connection.readHead() {
                if request.path == "/upload" { gate.wait() }
                guard let body = connection.readBody(of: request) else { return }
                connection.respond(body: Array("\(body.count)".utf8))
            }
        }
        try await withServer(.unix, script: script) { client, server in
            let source = Source(count: 512)
            async let answer = client.send(server.request("PUT", "/upload", body: .stream(source)), bodyLimit: 100)
            // Enough turns of the client's thread for an unchecked upload to run far ahead.
            for _ in 0..<500 { _ = try await client.send(server.request(), bodyLimit: 100) }
            // The client's buffer, the one libcurl has, and the socket's.
            #expect(source.pulled.load(ordering: .relaxed) < 32)
            gate.open()
            #expect(try await answer.body == Array("\(512 * Source.chunkSize)".utf8))
            #expect(source.pulled.load(ordering: .relaxed) == 512)
        }
    }

    @Test func isNotReceivedWhileNobodyReads() async throws {
        let sent = Atomic<Int>(0)
        let chunk = [UInt8](repeating: 7, count: 65_536)
        let script: TestServer.Script = { connection in
            while let request = connection.readHead() {
                guard request.path == "/download" else {
                    connection.respond()
                    continue
                }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(512 * chunk.count)\r\n\r\n")
                for _ in 0..<512 where connection.send(chunk) { sent.add(1, ordering: .relaxed) }
            }
        }
        try await withServer(.unix, script: script) { client, server in
            let response = try await client.execute(server.request("GET", "/download"))
            for _ in 0..<500 { _ = try await client.send(server.request(), bodyLimit: 100) }
            #expect(sent.load(ordering: .relaxed) < 32)
            var count = 0
            for try await piece in response.body { count += piece.count }
            #expect(count == 512 * chunk.count)
        }
    }

    @Test("must have the announced length", arguments: [1, 3])
    func wrongLength(chunks: Int) async throws {
        try await withServer(script: { $0.serve() }) { client, server in
            let body = HTTPRequest.Body.stream(Source(count: chunks), length: 2 * Source.chunkSize)
            let error = try await httpError {
                try await client.send(server.request("PUT", "/", body: body), bodyLimit: 0)
            }
            #expect(error?.kind == .invalidRequest)
            #expect(error?.message.contains("\(2 * Source.chunkSize)") == true)
        }
    }

    @Test func thatThrowsEndsTheExchangeWithItsError() async throws {
        struct SourceFailure: Error {}
        let closed = Signal()
        let script: TestServer.Script = { connection in
            connection.waitForClose()
            closed.fire()
        }
        try await withServer(script: script) { client, server in
            let source = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield([1])
                continuation.finish(throwing: SourceFailure())
            }
            await #expect(throws: SourceFailure.self) {
                try await client.execute(server.request("POST", "/", body: .stream(source)))
            }
            await closed.wait()
        }
    }

    @Test func isUntouchedWhenNoConnectionComesAbout() async throws {
        let client = try HTTPClient()
        defer { client.shutdown() }
        let source = Source(count: 1)
        let request = HTTPRequest(
            method: "PUT",
            url: "http://localhost/",
            body: .stream(source),
            unixSocketPath: "/nonexistent/x.sock"
        )
        #expect(try await httpError { try await client.execute(request) }?.kind == .couldNotConnect)
        #expect(source.pulled.load(ordering: .relaxed) == 0)
    }

    @Test("to a server that refuses it early ends with the answer", arguments: [true, false])
    func refused(isWaitingForItsSource: Bool) async throws {
        let gate = try Gate()
        let script: TestServer.Script = { connection in
            while let request = connection.readHead() {
                guard request.path == "/refused" else {
                    connection.respond()
                    continue
                }
                if isWaitingForItsSource { gate.wait() }
                connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
                return connection.waitForClose()
            }
        }
        try await withServer(.unix, script: script) { client, server in
            let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
            continuation.yield(bytes(1000))
            let ended = Signal()
            continuation.onTermination = { _ in ended.fire() }
            let body = HTTPRequest.Body.stream(chunks)
            async let answer = client.send(server.request("PUT", "/refused", body: body), bodyLimit: 10)
            // Rounds of the client's thread, after which the upload has nothing to send.
            for _ in 0..<50 { _ = try await client.send(server.request(), bodyLimit: 0) }
            gate.open()
            let (head, text) = try await answer
            #expect(head.status == 413)
            #expect(text == Array("big".utf8))
            // The source, which would never end by itself, is let go; one that was never begun has nothing to end.
            if isWaitingForItsSource { await ended.wait() }
        }
    }
}
