import Testing

@testable import ActionExecutionServer

/// What a parser makes of bytes: requests as head and whole body, and the error that ended it.
private struct Outcome: Equatable {
    var heads: [HTTPRequestHead] = []
    var bodies: [[UInt8]] = []
    var error: HTTPParseError?
    /// Whether a request is left that isn't complete.
    var isWithinRequest = false
}

private func parse(_ pieces: [[UInt8]], limits: HTTPRequestParser.Limits = .init()) -> Outcome {
    var parser = HTTPRequestParser(limits: limits)
    var outcome = Outcome()
    var body: [UInt8] = []
    do throws(HTTPParseError) {
        for piece in pieces {
            parser.append(piece)
            while let part = try parser.next() {
                switch part {
                case .head(let head): outcome.heads.append(head)
                case .body(let bytes):
                    #expect(!bytes.isEmpty)
                    body += bytes
                case .end:
                    outcome.bodies.append(body)
                    body = []
                }
            }
        }
        outcome.isWithinRequest = parser.isWithinRequest
    } catch {
        outcome.error = error
    }
    return outcome
}

private func parse(_ text: String, limits: HTTPRequestParser.Limits = .init()) -> Outcome {
    parse([Array(text.utf8)], limits: limits)
}

private let chunked = """
    POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n\
    4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n
    """

struct HTTPRequestParserTests {
    struct WellFormed: CustomTestStringConvertible {
        var text: String
        var method = "GET"
        var target = "/"
        var minorVersion = 1
        var framing = HTTPRequestHead.BodyFraming.none
        var body = ""
        var keepsConnection = true
        var testDescription: String { text.debugDescription }
    }

    @Test(
        "A well-formed request is read as what it says",
        arguments: [
            WellFormed(text: "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            WellFormed(text: "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            WellFormed(text: "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            WellFormed(text: "GET /a/b?c=d&e HTTP/1.1\r\nHost:h\r\n\r\n", target: "/a/b?c=d&e"),
            WellFormed(text: "GET / HTTP/1.1\r\nHost: \t h \t \r\n\r\n"),
            WellFormed(text: "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
            WellFormed(text: "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", method: "OPTIONS", target: "*"),
            WellFormed(text: "GET http://h:1/a?b HTTP/1.1\r\nHost: H:1\r\n\r\n", target: "/a?b"),
            WellFormed(text: "GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n"),
            WellFormed(text: "GET http://h?b HTTP/1.1\r\nHost: h\r\n\r\n", target: "/?b"),
            WellFormed(
                text: "GET http://h/ HTTP/1.0\r\n\r\n",
                minorVersion: 0,
                keepsConnection: false
            ),
            WellFormed(text: "OPTIONS /x HTTP/1.1\r\nhOST: h\r\n\r\n", method: "OPTIONS", target: "/x"),
            WellFormed(text: "M-SEARCH /x HTTP/1.1\r\nHost: h\r\n\r\n", method: "M-SEARCH", target: "/x"),
            WellFormed(text: "GET /%00%zz HTTP/1.1\r\nHost: h\r\n\r\n", target: "/%00%zz"),
            WellFormed(text: "GET /é HTTP/1.1\r\nHost: h\r\nX: ü\r\n\r\n", target: "/é"),
            WellFormed(text: "GET / HTTP/1.0\r\n\r\n", minorVersion: 0, keepsConnection: false),
            WellFormed(text: "GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", minorVersion: 0),
            WellFormed(text: "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade, Close\r\n\r\n", keepsConnection: false),
            WellFormed(
                text: "GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n",
                keepsConnection: false
            ),
            WellFormed(
                text: "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
                method: "POST",
                target: "/p",
                framing: .length(5),
                body: "hello"
            ),
            WellFormed(
                text: "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                method: "POST",
                target: "/p",
                framing: .length(0)
            ),
            WellFormed(
                text: chunked,
                method: "POST",
                target: "/c",
                framing: .chunked,
                body: "Wikipedia in \r\n\r\nchunks."
            ),
        ]
    )
    func wellFormed(_ expected: WellFormed) throws {
        let outcome = parse(expected.text)
        #expect(outcome.error == nil)
        #expect(!outcome.isWithinRequest)
        let head = try #require(outcome.heads.first)
        #expect(head.method == expected.method)
        #expect(head.target == expected.target)
        #expect(head.minorVersion == expected.minorVersion)
        #expect(head.body == expected.framing)
        #expect(head.keepsConnection == expected.keepsConnection)
        #expect(outcome.bodies.map(\.text) == [expected.body])
    }

    @Test("Field names compare without case, values keep theirs, and repeated fields keep their order")
    func fields() throws {
        let head = try #require(parse("GET /p?q HTTP/1.1\r\nHost: h\r\nX-A: One\r\nx-a: two \r\n\r\n").heads.first)
        #expect(head.headers.values(for: "x-a") == ["One", "two"])
        #expect(head.headers.single("x-a") == nil)
        #expect(head.headers.single("host") == "h")
        #expect(head.headers.single("missing") == nil)
        #expect(head.path == "/p")
    }

    private static let stream =
        "GET /1 HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
        + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n\r\nbody\n"
        + chunked
        + "\r\nGET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    @Test("Requests read the same however their bytes are split, at any two places")
    func splits() {
        let bytes = Array(Self.stream.utf8)
        let whole = parse([bytes])
        #expect(whole.error == nil)
        #expect(whole.heads.map(\.target) == ["/1", "/2", "/c", "/4"])
        #expect(whole.bodies.map(\.text) == ["", "\r\nbody\n", "Wikipedia in \r\n\r\nchunks.", ""])
        #expect(parse(bytes.map { [$0] }) == whole)
        for first in 0...bytes.count {
            #expect(parse([Array(bytes[..<first]), Array(bytes[first...])]) == whole)
            let second = min(bytes.count, first + 1 + first % 7)
            #expect(parse([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]) == whole)
        }
    }

    @Test("A request that has begun and not ended says so, at every byte")
    func withinRequest() {
        let bytes = Array("POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody".utf8)
        #expect(!parse([]).isWithinRequest)
        for count in 1..<bytes.count { #expect(parse([Array(bytes[..<count])]).isWithinRequest) }
        #expect(!parse([bytes]).isWithinRequest)
    }

    @Test("A long stream of pipelined requests is read in order, in a buffer that doesn't grow with it")
    func pipelining() {
        var parser = HTTPRequestParser()
        var next = 0
        for round in 0..<2000 {
            let body = String(repeating: "x", count: round % 97)
            parser.append(
                "POST /\(round) HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n\(body)GET /".utf8
            )
            parser.append("x HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            while let part = try? parser.next() {
                if case .head(let head) = part, head.method == "POST" {
                    #expect(head.target == "/\(next)")
                    next += 1
                }
            }
        }
        #expect(next == 2000)
    }

    struct Refused: CustomTestStringConvertible {
        var text: String
        var status = 400
        var testDescription: String { text.debugDescription }

        init(_ text: String, status: Int = 400) {
            self.text = text
            self.status = status
        }

        /// A request with these header lines.
        static func fields(_ lines: String, status: Int = 400) -> Refused {
            Refused("POST / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n\r\n", status: status)
        }

        /// The body of a chunked request.
        static func chunks(_ body: String, status: Int = 400) -> Refused {
            Refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", status: status)
        }
    }

    @Test(
        "What breaks the grammar, or two servers could read in two ways, is refused at once",
        arguments: [
            // Length of the body.
            Refused.fields("Content-Length: 1\r\nTransfer-Encoding: chunked"),
            .fields("Content-Length: 1\r\nContent-Length: 1"),
            .fields("Content-Length: 1, 1"),
            .fields("Content-Length: +1"),
            .fields("Content-Length: -1"),
            .fields("Content-Length: 0x1"),
            .fields("Content-Length: 1 1"),
            .fields("Content-Length:"),
            .fields("Content-Length: ١"),
            .fields("Content-Length: 9999999999999999999999"),
            .fields("Content-Length: 999999999999999999", status: 413),
            .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            .fields("Transfer-Encoding: chunked, chunked", status: 501),
            .fields("Transfer-Encoding: gzip, chunked", status: 501),
            .fields("Transfer-Encoding: identity", status: 501),
            .fields("Transfer-Encoding: xchunked", status: 501),
            .fields("Transfer-Encoding: chunked, identity", status: 501),
            .fields("Transfer-Encoding:", status: 501),
            Refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            // Lines.
            .fields("X : y"),
            .fields(": y"),
            .fields("X"),
            .fields("X: a\r\n b"),
            .fields("X: a\r\n\tb"),
            .fields("X\u{0}: y"),
            .fields("X: a\u{0}b"),
            .fields("X: a\rb"),
            .fields("X: a\u{7f}b"),
            .fields("X: a\nY: b"),
            .fields("É: y"),
            Refused(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            // Bare line feeds are refused where they are, not when the head ends.
            Refused("GET / HTTP/1.1\n"),
            Refused("GET / HTTP/1.1\nHost: h\n\n"),
            Refused("GET / HTTP/1.1\r\nHost: h\n"),
            Refused("\n"),
            // Request line.
            Refused("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET /\r\nHost: h\r\n\r\n"),
            Refused("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
            Refused("GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET /a\u{1}b HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET http:// HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET h HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET / http/1.1\r\nHost: h\r\n\r\n"),
            Refused("GET / HTTP/2.0\r\nHost: h\r\n\r\n", status: 505),
            Refused("GET / HTTP/1.2\r\nHost: h\r\n\r\n", status: 505),
            Refused("GET / HTTP/0.9\r\nHost: h\r\n\r\n", status: 505),
            // Other protocols: HTTP/2, and TLS at its first byte.
            Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
            Refused("\u{16}"),
            Refused("\u{0}"),
            Refused("\rG"),
            // Host.
            Refused("GET / HTTP/1.1\r\nX: y\r\n\r\n"),
            .fields("Host: other"),
            Refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
            // Chunks.
            .chunks("\r\n"),
            .chunks("x\r\n"),
            .chunks("0x1\r\na\r\n"),
            .chunks("-1\r\n"),
            .chunks("+1\r\na\r\n"),
            .chunks("1 \r\na\r\n"),
            .chunks("1 1\r\na\r\n"),
            .chunks("1;\u{7f}\r\na\r\n"),
            .chunks("1000000000000000\r\n"),
            .chunks("FFFFFFFFFFFFFFF\r\n", status: 413),
            .chunks("1\r\nab\r\n"),
            .chunks("1\r\na\n"),
            .chunks("1\na\r\n"),
            .chunks("0\r\nX: y\n\r\n"),
            .chunks("1;a\rb\r\na\r\n"),
            .chunks("0\r\nX : y\r\n\r\n"),
            .chunks("0\r\n x\r\n\r\n"),
        ]
    )
    func refused(_ refused: Refused) throws {
        let bytes = Array(refused.text.utf8)
        let error = try #require(parse([bytes]).error)
        #expect(error.status == refused.status)
        #expect(!error.detail.isEmpty)
        #expect(parse(bytes.map { [$0] }).error == error)
    }

    @Test("After a refusal the same error comes again, whatever follows")
    func refusalLasts() {
        var parser = HTTPRequestParser()
        parser.append("BAD\r\n\r\n".utf8)
        let first = #expect(throws: HTTPParseError.self) { try parser.next() }
        parser.append("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        let second = #expect(throws: HTTPParseError.self) { try parser.next() }
        #expect(first == second)
    }

    @Test("A head, a body and a number of fields are taken up to their limit and refused beyond")
    func limits() {
        func request(fields: Int, padding: Int, body: Int) -> String {
            "POST / HTTP/1.1\r\nHost: \(String(repeating: "h", count: padding))\r\n"
                + String(repeating: "X: y\r\n", count: fields)
                + "Content-Length: \(body)\r\n\r\n" + String(repeating: "b", count: body)
        }
        func status(_ text: String, _ limits: HTTPRequestParser.Limits) -> Int? {
            parse(text, limits: limits).error?.status
        }
        let head = request(fields: 0, padding: 500, body: 0).utf8.count
        #expect(status(request(fields: 0, padding: 500, body: 0), .init(head: head)) == nil)
        #expect(status(request(fields: 0, padding: 501, body: 0), .init(head: head)) == 431)
        #expect(status(String(repeating: "x", count: 101), .init(head: 100)) == 431)
        #expect(status(request(fields: 8, padding: 1, body: 0), .init(fieldCount: 10)) == nil)
        #expect(status(request(fields: 9, padding: 1, body: 0), .init(fieldCount: 10)) == 431)
        #expect(status(request(fields: 0, padding: 1, body: 10), .init(body: 10)) == nil)
        #expect(status(request(fields: 0, padding: 1, body: 11), .init(body: 10)) == 413)

        let chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        #expect(status(chunks + "5\r\nworld\r\n0\r\n\r\n", .init(body: 10)) == nil)
        #expect(status(chunks + "6\r\n", .init(body: 10)) == 413)
        #expect(status(chunks + "1;" + String(repeating: "x", count: 200), .init(head: 100)) == 431)
        #expect(status(chunks + "1;" + String(repeating: "x", count: 200) + "\r\n", .init(head: 100)) == 431)
        let trailers = String(repeating: "X: y\r\n", count: 1000)
        #expect(status(chunks + "0\r\n" + trailers, .init(head: 1000)) == 431)
    }

    @Test("Expect: 100-continue is known in any case, and only in HTTP/1.1")
    func expectations() {
        func expects(_ text: String) -> Bool? { parse(text).heads.first?.expectsContinue }
        #expect(expects("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n") == true)
        #expect(expects("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") == false)
        #expect(expects("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n") == false)
    }

    @Test("Extensions of chunks are bounded for all chunks together")
    func chunkExtensions() {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunk = "1;" + String(repeating: "x", count: 49) + "\r\na\r\n"
        let limits = HTTPRequestParser.Limits(head: 200)
        #expect(parse(head + String(repeating: chunk, count: 4) + "0\r\n\r\n", limits: limits).error == nil)
        #expect(parse(head + String(repeating: chunk, count: 5), limits: limits).error == .headTooLarge(limit: 200))
    }

    @Test(
        "A path is percent-decoded, and stays as it is where that can't be",
        arguments: [
            ("/%61live", "/alive"), ("/%61LIVE?%61", "/aLIVE"), ("/a%2Fb", "/a/b"), ("/%zz%4", "/%zz%4"),
            ("/%", "/%"), ("/%+1", "/%+1"), ("/%c3%a9", "/é"), ("*", "*"), ("/a?b?c", "/a"),
        ]
    )
    func paths(target: String, path: String) {
        let head = HTTPRequestHead(method: "GET", target: target, minorVersion: 1, headers: [:], body: .none)
        #expect(head.path == path)
    }

    @Test("The host of a whole URL stands for a missing Host field")
    func hostOfTarget() throws {
        let head = try #require(parse("GET http://evil.example/ HTTP/1.0\r\n\r\n").heads.first)
        #expect(head.headers.single("host") == "evil.example")
    }

    @Test(
        "Expectations that nobody knows are told apart from the known one",
        arguments: [
            ("Expect: 100-continue", false), ("Expect: 100-CONTINUE", false), ("Expect: 200-ok", true),
            ("Expect: 100-continue, x=y", true), ("X: y", false), ("Expect:", false),
        ]
    )
    func unknownExpectations(field: String, isUnknown: Bool) throws {
        let head = try #require(parse("GET / HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n").heads.first)
        #expect(head.hasUnknownExpectation == isUnknown)
        let old = try #require(parse("GET / HTTP/1.0\r\n\(field)\r\n\r\n").heads.first)
        #expect(!old.hasUnknownExpectation)
    }
}
