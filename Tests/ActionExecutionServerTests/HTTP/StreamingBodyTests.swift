import Synchronization
import Testing

@testable import ActionExecutionServer

/// Bodies that are read and written piece by piece, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct StreamingBodyTests {
    private static func streaming(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) -> HTTPHandler {
        { _, _ throws(HTTPBodyError) in HTTPResponse(status: 200, body: .stream(produce)) }
    }

    /// The request's body as the response's.
    private static let echo: HTTPHandler = { _, body throws(HTTPBodyError) in
        HTTPResponse(
            status: 200,
            body: .stream { writer in
                while let piece = try await body.next() { try await writer.write(piece) }
            }
        )
    }

    // MARK: Responses

    @Test("A streamed response arrives while it is made, and the connection is kept", arguments: [false, true])
    func stream(isUnix: Bool) async throws {
        let (steps, next) = AsyncStream.makeStream(of: String.self)
        let handler = Self.streaming { writer in
            try await writer.write(Array("begin".utf8))
            // Nothing to send is not the end.
            try await writer.write([])
            for await step in steps {
                if step.isEmpty { break }
                try await writer.write(Array(step.utf8))
            }
        }
        try await withConnection(handler, isUnix: isUnix) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            let head = try await client.receiveHead()
            #expect(head.status == 200)
            #expect(head.headers.single("transfer-encoding") == "chunked")
            #expect(head.headers.single("content-length") == nil)
            #expect(try await client.receiveChunk()?.text == "begin")
            for step in ["one", "two\r\n", String(repeating: "x", count: 200_000)] {
                next.yield(step)
                #expect(try await client.receiveChunk()?.text == step)
            }
            next.yield("")
            #expect(try await client.receiveChunk() == nil)
            next.yield("")
            #expect(try await client.request("GET", "/").body.text == "begin")
        }
    }

    @Test("A producer waits while the peer doesn't read, and goes on when it does")
    func backPressure() async throws {
        let written = Mutex(0)
        let piece = [UInt8](repeating: 0x78, count: 100_000)
        let handler = Self.streaming { writer in
            for _ in 0..<1000 {
                try await writer.write(piece)
                written.withLock { $0 += piece.count }
            }
        }
        try await withConnection(handler) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            _ = try await client.receiveHead()
            var received = 0
            while let chunk = try await client.receiveChunk() {
                received += chunk.count
                // The kernel has some megabytes of buffers; the rest is not made yet.
                #expect(written.withLock { $0 } - received < 30_000_000)
            }
            #expect(received == 100_000_000)
        }
    }

    @Test("A body that fails half-way is recognisably cut short")
    func failure() async throws {
        struct Failure: Error {}
        let handler = Self.streaming { writer in
            try await writer.write(Array("half".utf8))
            throw Failure()
        }
        try await withConnection(handler) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            _ = try await client.receiveHead()
            #expect(try await client.receiveToEnd().text == "4\r\nhalf\r\n")
        }
        try await withConnection(handler) { client in
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            let error = await #expect(throws: TestClient.Failure.self) { try await client.receiveToEnd() }
            guard case .broken = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("HTTP/1.0 has no chunks: the body ends with the connection")
    func oldVersion() async throws {
        let handler = Self.streaming { writer in
            try await writer.write(Array("one".utf8))
            try await writer.write(Array("two".utf8))
        }
        try await withConnection(handler) { client in
            try await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let head = try await client.receiveHead()
            #expect(head.headers.single("transfer-encoding") == nil)
            #expect(head.headers.single("connection") == "close")
            #expect(try await client.receiveToEnd().text == "onetwo")
        }
    }

    @Test("HEAD has the head of a streamed response, whose body isn't made")
    func head() async throws {
        let made = Mutex(0)
        let handler = Self.streaming { writer in
            made.withLock { $0 += 1 }
            try await writer.write(Array("body".utf8))
        }
        try await withConnection(handler) { client in
            let head = try await client.request("HEAD", "/")
            #expect(head.headers.single("transfer-encoding") == "chunked")
            #expect(try await client.request("GET", "/").body.text == "body")
            #expect(made.withLock { $0 } == 1)
        }
    }

    @Test("What several tasks write at once stays together")
    func concurrentWrites() async throws {
        let handler = Self.streaming { writer in
            try await withThrowingTaskGroup { group in
                for byte in UInt8(0x61)...0x70 {
                    group.addTask {
                        for _ in 0..<4 { try await writer.write([UInt8](repeating: byte, count: 70_000)) }
                    }
                }
                try await group.waitForAll()
            }
        }
        try await withConnection(handler) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            _ = try await client.receiveHead()
            var letters: [UInt8] = []
            while let chunk = try await client.receiveChunk() {
                #expect(chunk.count == 70_000)
                #expect(Set(chunk).count == 1)
                letters.append(chunk[0])
            }
            let expected = (UInt8(0x61)...0x70).flatMap { [UInt8](repeating: $0, count: 4) }
            #expect(letters.sorted() == expected)
        }
    }

    @Test("A writer that is kept writes nothing after the response")
    func lateWrite() async throws {
        let kept = Mutex<HTTPBodyWriter?>(nil)
        let handler = Self.streaming { writer in kept.withLock { $0 = writer } }
        try await withConnection(handler) { client in
            #expect(try await client.request("GET", "/").body.isEmpty)
            let writer = try #require(kept.withLock { $0 })
            await #expect(throws: HTTPBodyError.exchangeEnded) { try await writer.write([1]) }
            #expect(try await client.request("GET", "/").body.isEmpty)
        }
    }

    // MARK: Peers that go away

    @Test("A producer that waits is cancelled when the peer goes away", arguments: [false, true])
    func disconnect(isUnix: Bool) async throws {
        let (errors, report) = AsyncStream.makeStream(of: HTTPBodyError.self)
        let (never, _) = AsyncStream.makeStream(of: Void.self)
        let handler = Self.streaming { writer in
            for await _ in never {}
            #expect(Task.isCancelled)
            do throws(HTTPBodyError) {
                try await writer.write([1])
            } catch {
                report.yield(error)
                throw error
            }
        }
        try await withConnection(handler, isUnix: isUnix) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            _ = try await client.receiveHead()
            await client.close()
            var all = errors.makeAsyncIterator()
            #expect(await all.next() == .connectionLost)
        }
    }

    @Test("A peer that only ends its sending side gets the whole streamed response", arguments: [false, true])
    func halfClosed(isUnix: Bool) async throws {
        let (steps, next) = AsyncStream.makeStream(of: Void.self)
        let handler = Self.streaming { writer in
            for await _ in steps { break }
            try await writer.write(Array("whole".utf8))
        }
        try await withConnection(handler, isUnix: isUnix) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            _ = try await client.receiveHead()
            await client.finishSending()
            // The zero by which the server asks whether anybody is there.
            #expect(try await client.receiveBytes(1).text == "0")
            next.yield()
            #expect(try await client.receiveChunk()?.text == "whole")
            #expect(try await client.receiveChunk() == nil)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
    }

    @Test("A peer that doesn't read for too long loses its response")
    func stalledReader() async throws {
        let (errors, report) = AsyncStream.makeStream(of: HTTPBodyError.self)
        let handler = Self.streaming { writer in
            do throws(HTTPBodyError) {
                while true { try await writer.write([UInt8](repeating: 0, count: 1_000_000)) }
            } catch {
                report.yield(error)
            }
        }
        var limits = HTTPLimits()
        limits.stallTime = .milliseconds(50)
        limits.closingTime = .milliseconds(50)
        try await withConnection(handler, limits: limits) { client in
            try await client.send(TestClient.encoded("GET", "/"))
            var all = errors.makeAsyncIterator()
            #expect(await all.next() == .timedOut)
        }
    }

    // MARK: Requests

    @Test("A request's body is streamed back as it arrives")
    func echo() async throws {
        try await withConnection(Self.echo) { client in
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            _ = try await client.receiveHead()
            for piece in ["one", "two", String(repeating: "x", count: 5000)] {
                try await client.send(String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
                var received = ""
                while received.utf8.count < piece.utf8.count {
                    received += try #require(try await client.receiveChunk()).text
                }
                #expect(received == piece)
            }
            try await client.send("0\r\n\r\n")
            #expect(try await client.receiveChunk() == nil)
            #expect(try await client.request("POST", "/", body: "next").body.text == "next")
        }
    }

    @Test("A body is held up to the handler's limit and refused beyond, at once when its head tells")
    func readAll() async throws {
        let handler: HTTPHandler = { _, body throws(HTTPBodyError) in
            HTTPResponse(status: 200, body: try await body.readAll(limit: 10))
        }
        try await withConnection(handler) { client in
            #expect(try await client.request("POST", "/", body: "0123456789").body.text == "0123456789")
            #expect(try await client.request("POST", "/", body: "").body.isEmpty)
            #expect(try await client.request("POST", "/").body.isEmpty)
            try await client.send(
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"
            )
            let refused = try await client.receive(includesInformational: true)
            #expect(refused.status == 413)
            #expect(refused.detail?.contains("10 bytes") == true)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
        try await withConnection(handler) { client in
            try await client.send(
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n"
            )
            #expect(try await client.receive().status == 413)
        }
    }

    @Test("What a handler leaves of a body is passed over; the connection is closed when that isn't worth it")
    func unread() async throws {
        let handler: HTTPHandler = { head, body throws(HTTPBodyError) in
            if head.path == "/some" { _ = try await body.next() }
            return HTTPResponse(status: 200)
        }
        var limits = HTTPLimits()
        limits.drainedSize = 100_000
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        try await withConnection(handler, limits: limits) { client in
            for path in ["/none", "/some"] {
                for size in [1, 1000, 100_000] {
                    let body = String(repeating: "x", count: size)
                    #expect(try await client.request("POST", path, body: body).headers.single("connection") == nil)
                }
            }
            try await client.send(chunked + "5\r\nhello\r\n0\r\n\r\n")
            #expect(try await client.receive().status == 200)
            let large = String(repeating: "x", count: 100_001)
            #expect(try await client.request("POST", "/none", body: large).headers.single("connection") == "close")
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
        try await withConnection(handler, limits: limits) { client in
            try await client.send(chunked + "18700\r\n" + String(repeating: "x", count: 100_096) + "\r\n0\r\n\r\n")
            #expect(try await client.receive().status == 200)
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
        // Whoever waits to be asked for the body may send it or not: nothing that follows can be trusted.
        try await withConnection(handler, limits: limits) { client in
            try await client.send("POST /none HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            let response = try await client.receive(includesInformational: true)
            #expect(response.status == 200)
            #expect(response.headers.single("connection") == "close")
        }
    }

    @Test("A reader that is kept reads nothing of the next request")
    func lateRead() async throws {
        let kept = Mutex<HTTPBodyReader?>(nil)
        let errors = Mutex<[HTTPBodyError]>([])
        let handler: HTTPHandler = { head, body throws(HTTPBodyError) in
            if let old = kept.withLock({ $0 }) {
                do throws(HTTPBodyError) {
                    _ = try await old.next()
                } catch {
                    errors.withLock { $0.append(error) }
                }
            }
            kept.withLock { $0 = body }
            return HTTPResponse(status: 200, body: try await body.readAll(limit: 10))
        }
        try await withConnection(handler) { client in
            for body in ["one", "two"] {
                let response = try await client.request("POST", "/", body: body)
                #expect(response.body.text == body)
            }
            let all = errors.withLock { $0 }
            #expect(all == [.exchangeEnded])
        }
    }

    @Test("A body that breaks the grammar half-way ends in a refusal, one that stops in nothing")
    func brokenBody() async throws {
        let outcomes = Mutex<[HTTPBodyError]>([])
        let handler: HTTPHandler = { _, body throws(HTTPBodyError) in
            do throws(HTTPBodyError) {
                while try await body.next() != nil {}
            } catch {
                outcomes.withLock { $0.append(error) }
                throw error
            }
            return HTTPResponse(status: 200)
        }
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        try await withConnection(handler) { client in
            try await client.send(head + "1\r\na\r\nzz\r\n")
            #expect(try await client.receive().status == 400)
        }
        try await withConnection(handler) { client in
            try await client.send(head + "5\r\nab")
            await client.finishSending()
            let isAtEnd = try await client.isAtEnd()
            #expect(isAtEnd)
        }
        var limits = HTTPLimits()
        limits.stallTime = .milliseconds(50)
        try await withConnection(handler, limits: limits) { client in
            try await client.send(head + "5\r\nab")
            #expect(try await client.receive().status == 408)
        }
        let all = outcomes.withLock { $0 }
        #expect(all == [.refused(.malformed("a chunk size")), .connectionLost, .timedOut])
    }
}

struct TransferPatienceTests {
    @Test("Waiting uses patience up, and what comes fills it again, up to its measure")
    func patience() {
        var limits = HTTPLimits()
        limits.stallTime = .seconds(60)
        limits.minimumRate = 500
        var patience = TransferPatience(limits)
        patience.wait(.seconds(50))
        #expect(patience.left == .seconds(10))
        patience.transfer(1000)
        #expect(patience.left == .seconds(12))
        patience.transfer(Int.max / 1000)
        #expect(patience.left == .seconds(60))
        // A byte now and then doesn't make good for the waiting.
        for _ in 0..<6 {
            patience.wait(.seconds(10))
            patience.transfer(1)
        }
        #expect(patience.left < .milliseconds(20))
    }

    @Test("A rate of nothing is no division by zero")
    func noRate() {
        var limits = HTTPLimits()
        limits.minimumRate = 0
        var patience = TransferPatience(limits)
        patience.wait(.seconds(2))
        patience.transfer(1)
        #expect(patience.left == .seconds(59))
    }
}
