import Testing

@testable import CurlHTTP

@Suite("The parser of server-sent events")
struct ServerSentEventParserTests {
    static let stream =
        "\u{FEFF}: comment\r\nretry: 250\r\n\r\ndata: one\n\nevent: add\rdata:two\rdata:  three\rid: 7\r\r"
        + "data\r\n\r\nid\ndata: ü\nunknown: x\nevent: ignored without data\n\nevent: e\n\ndata: cut off\n"
    static let events = [
        ServerSentEvent(data: "one"),
        ServerSentEvent(event: "add", data: "two\n three", lastEventID: "7"),
        ServerSentEvent(data: "", lastEventID: "7"),
        ServerSentEvent(event: "ignored without data", data: "ü"),
    ]

    @Test func readsTheSameHoweverTheStreamIsCut() throws {
        let bytes = Array(Self.stream.utf8)
        for split in 0...bytes.count {
            var parser = ServerSentEventParser(maximumEventSize: 100)
            let events = try parser.receive(bytes[..<split]) + parser.receive(bytes[split...])
            #expect(events == Self.events)
            #expect(parser.retryInterval == .milliseconds(250))
        }
        var parser = ServerSentEventParser(maximumEventSize: 100)
        var events: [ServerSentEvent] = []
        for byte in bytes { events += try parser.receive([byte]) }
        #expect(events == Self.events)
    }

    @Test func deliversAtTheBlankLineWithoutWaitingForMore() throws {
        var parser = ServerSentEventParser(maximumEventSize: 100)
        #expect(try parser.receive(Array("data: x\r\n\r".utf8)) == [ServerSentEvent(data: "x")])
        #expect(try parser.receive(Array("\ndata: y\r\n\r\n".utf8)) == [ServerSentEvent(data: "y")])
    }

    @Test(arguments: ["data: 12345678901", ":12345678901\n", "data: 12345\ndata: 12345\n\n"])
    func refusesWhatIsTooLarge(stream: String) {
        var parser = ServerSentEventParser(maximumEventSize: 10)
        #expect(throws: ServerSentEventParser.EventTooLarge(limit: 10)) { try parser.receive(Array(stream.utf8)) }
    }

    @Test func survivesGarbage() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var parser = ServerSentEventParser(maximumEventSize: 1000)
            for _ in 0..<20 {
                let alphabet: [UInt8] = [0, 10, 13, 32, 58, 100, 255]
                let garbage = (0..<40).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
                _ = try parser.receive(garbage)
            }
        }
    }
}

@Suite("The line splitter")
struct LineSplitterTests {
    @Test func cutsTheSameHoweverTheStreamIsCut() throws {
        let bytes = Array("one\n\ntwo\r\n\r\nth\rree\nrest".utf8)
        for split in 0...bytes.count {
            var splitter = LineSplitter(maximumLineLength: 6)
            let lines = try splitter.receive(bytes[..<split]) + splitter.receive(bytes[split...])
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["one", "", "two", "", "th\rree"])
            #expect(splitter.finish() == Array("rest".utf8))
            #expect(splitter.finish() == nil)
        }
    }

    @Test func allowsTheLimitAndNoMore() throws {
        var splitter = LineSplitter(maximumLineLength: 3)
        #expect(try splitter.receive(Array("123\r".utf8)) == [])
        #expect(try splitter.receive(Array("\n123\n".utf8)) == [Array("123".utf8), Array("123".utf8)])
        #expect(throws: LineSplitter.LineTooLong(limit: 3)) { try splitter.receive(Array("1234\n".utf8)) }
        var endless = LineSplitter(maximumLineLength: 3)
        #expect(throws: LineSplitter.LineTooLong(limit: 3)) { try endless.receive(Array("12345".utf8)) }
    }
}

@Suite("The parser of response heads")
struct ResponseHeadParserTests {
    private func parse(_ lines: [String], limit: Int = 1000) throws -> HTTPResponseHead? {
        var parser = ResponseHeadParser(limit: limit)
        var head: HTTPResponseHead?
        for line in lines { head = try parser.receive(line: Array(line.utf8)) }
        return head
    }

    @Test func readsStatusAndFields() throws {
        let head = try parse(["HTTP/1.0 204\r\n", "A: 1:2 \r\n", "no colon\r\n", "a:\t3\n", "\r\n"])
        #expect(
            head
                == HTTPResponseHead(
                    status: 204,
                    headers: HTTPHeaders([.init(name: "A", value: "1:2"), .init(name: "a", value: "3")])
                )
        )
    }

    @Test func forgetsInterimResponses() throws {
        let head = try parse(["HTTP/1.1 100 Continue\r\n", "X: 1\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n"])
        #expect(head == HTTPResponseHead(status: 200))
    }

    @Test(arguments: ["HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 abc", "HTTP/1.1 099 X"])
    func refusesBadStatusLines(line: String) {
        #expect(throws: ResponseHeadParser.Problem.malformedStatusLine(line.last == " " ? "HTTP/1.1" : line)) {
            try parse([line + "\r\n"])
        }
    }

    @Test func refusesHeadsOverTheLimit() {
        #expect(throws: ResponseHeadParser.Problem.tooLarge(limit: 20)) {
            try parse(["HTTP/1.1 200 OK\r\n", "X: 1\r\n"], limit: 20)
        }
    }
}

@Suite("The buffer of a request body")
struct RequestBufferTests {
    private func read(_ buffer: inout RequestBuffer, _ count: Int) -> (RequestBuffer.Read, [UInt8]) {
        var target = [UInt8](repeating: 0, count: count)
        let read = target.withUnsafeMutableBytes { buffer.read(into: $0) }
        guard case .bytes(let count) = read else { return (read, []) }
        return (read, Array(target.prefix(count)))
    }

    @Test func hasNoRoomBeforeItIsReadAndWhenFull() throws {
        var buffer = RequestBuffer(capacity: 4, length: nil)
        #expect(!buffer.hasRoom)
        #expect(read(&buffer, 10).0 == .pause)
        #expect(buffer.hasRoom)
        var resumes = try buffer.offer([1, 2, 3])
        #expect(resumes)
        #expect(buffer.hasRoom)
        resumes = try buffer.offer([4, 5])
        #expect(!resumes)
        #expect(!buffer.hasRoom)
        #expect(read(&buffer, 2).1 == [1, 2])
        #expect(buffer.hasRoom)
        #expect(read(&buffer, 10).1 == [3, 4, 5])
        #expect(read(&buffer, 10).0 == .pause)
        resumes = try buffer.finish()
        #expect(resumes)
        #expect(read(&buffer, 10).0 == .end)
    }

    @Test func resumesForBytesOnly() throws {
        var buffer = RequestBuffer(capacity: 4, length: nil)
        #expect(read(&buffer, 1).0 == .pause)
        var resumes = try buffer.offer([])
        #expect(!resumes)
        resumes = try buffer.offer([1])
        #expect(resumes)
    }

    @Test func holdsTheSourceToItsLength() throws {
        var short = RequestBuffer(capacity: 4, length: 3)
        _ = try short.offer([1, 2])
        #expect(throws: RequestBuffer.LengthMismatch(announced: 3, offered: 2)) { try short.finish() }
        var long = RequestBuffer(capacity: 4, length: 3)
        #expect(throws: RequestBuffer.LengthMismatch(announced: 3, offered: 4)) { try long.offer([1, 2, 3, 4]) }
    }

    @Test func keepsTheLastByteOfAnAnnouncedLengthUntilTheSourceEnds() throws {
        var buffer = RequestBuffer(capacity: 4, length: 3)
        _ = try buffer.offer([1, 2, 3])
        #expect(read(&buffer, 10).1 == [1, 2])
        #expect(read(&buffer, 10).0 == .pause)
        let resumes = try buffer.finish()
        #expect(resumes)
        #expect(read(&buffer, 10).1 == [3])
        #expect(read(&buffer, 10).0 == .end)
    }

    @Test func rewindsBytesButNotStreams() throws {
        var bytes = RequestBuffer(bytes: [1, 2, 3])
        #expect(read(&bytes, 10).1 == [1, 2, 3])
        #expect(read(&bytes, 10).0 == .end)
        let rewound = [bytes.rewind(to: 4), bytes.rewind(to: -1), bytes.rewind(to: 1)]
        #expect(rewound == [false, false, true])
        #expect(read(&bytes, 10).1 == [2, 3])
        var stream = RequestBuffer(capacity: 4, length: nil)
        _ = try stream.offer([1])
        let isRewound = stream.rewind(to: 0)
        #expect(!isRewound)
    }
}

@Suite("The buffer of a response")
struct ResponseBufferTests {
    struct Failure: Error {}

    private func receive(_ buffer: inout ResponseBuffer, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer.receive($0) }
    }

    private func chunk(_ buffer: inout ResponseBuffer) throws -> (bytes: [UInt8]?, resumes: Bool)? {
        switch buffer.takeChunk() {
        case .wait: nil
        case .value(let result): (try result.get(), false)
        case .valueAndResume(let result): (try result.get(), true)
        }
    }

    @Test func holdsBackWhenFullAndResumesWhenTaken() throws {
        var buffer = ResponseBuffer(capacity: 3)
        #expect(try chunk(&buffer) == nil)
        #expect(receive(&buffer, [1, 2]))
        #expect(receive(&buffer, [3, 4]))
        #expect(!receive(&buffer, [5]))
        let taken = try #require(try chunk(&buffer))
        #expect(taken.bytes == [1, 2, 3, 4])
        #expect(taken.resumes)
        #expect(receive(&buffer, [5]))
        #expect(try chunk(&buffer)?.resumes == false)
    }

    @Test func deliversBytesBeforeTheErrorAndTheErrorOnce() throws {
        var buffer = ResponseBuffer(capacity: 3)
        _ = receive(&buffer, [1])
        buffer.finish(.failure(Failure()))
        buffer.finish(.success(()))
        #expect(try chunk(&buffer)?.bytes == [1])
        #expect(throws: Failure.self) { try chunk(&buffer) }
        #expect(try #require(try chunk(&buffer)).bytes == nil)
    }

    @Test func forgetsEverythingWhenDiscarded() throws {
        var buffer = ResponseBuffer(capacity: 3)
        buffer.receiveHead(HTTPResponseHead(status: 200))
        _ = receive(&buffer, [1])
        buffer.discard(Failure())
        #expect(buffer.hasEnded)
        guard case .value(.failure) = buffer.takeHead() else {
            Issue.record("the head is still there")
            return
        }
        #expect(throws: Failure.self) { try chunk(&buffer) }
    }
}

@Suite("A prepared request")
struct PreparedRequestTests {
    @Test(
        "ignores the environment's proxy only for sockets and loopback",
        arguments: [
            (HTTPRequest(url: "http://localhost/"), true),
            (HTTPRequest(url: "https://127.0.0.1:8000/"), true),
            (HTTPRequest(url: "http://127.8.9.1/"), true),
            (HTTPRequest(url: "http://[::1]:80/"), true),
            (HTTPRequest(url: "http://engine.example/", unixSocketPath: "/run/x.sock"), true),
            (HTTPRequest(url: "http://127.0.0.1.example/"), false),
            (HTTPRequest(url: "http://engine.example/"), false),
            (HTTPRequest(url: "http://10.0.0.1/"), false),
        ]
    )
    func proxy(request: HTTPRequest, bypassesProxy: Bool) throws {
        #expect(try PreparedRequest(request).bypassesProxy == bypassesProxy)
    }
}
