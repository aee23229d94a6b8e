import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

@Suite(.timeLimit(.minutes(5)))
struct MultipartParserTests {
    private static let contentType = "multipart/form-data; boundary=XyZ"

    /// Parses a body that comes in the given pieces, and joins the data of each part.
    private func events(
        _ pieces: [[UInt8]],
        contentType: String = contentType,
        limits: MultipartParser.Limits = .init()
    ) throws -> [MultipartParser.Event] {
        var parser = try MultipartParser(contentType: contentType, limits: limits)
        var events: [MultipartParser.Event] = []
        for piece in pieces {
            parser.append(piece)
            while let event = try parser.next() {
                if case .data(let more) = event, case .data(let before)? = events.last {
                    events[events.count - 1] = .data(before + more)
                } else {
                    events.append(event)
                }
            }
        }
        try parser.finish()
        return events
    }

    private func events(_ body: String, limits: MultipartParser.Limits = .init()) throws -> [MultipartParser.Event] {
        try events([Array(body.utf8)], limits: limits)
    }

    private static func part(_ name: String, filename: String? = nil) -> MultipartParser.Event {
        .part(MultipartPart(name: Array(name.utf8), filename: filename.map { Array($0.utf8) }))
    }

    private static func data(_ text: String) -> MultipartParser.Event { .data(Array(text.utf8)) }

    /// Content full of what looks like a delimiter, and isn't.
    private static let tricky = "\r\n--Xy\r\n-\r\r\n\r\n--Xyz\n--XyZ\r--XyZ\r\n-XyZ\r"

    private static let form =
        "preamble\r\n--XyZ\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n1\r\n"
        + "--XyZ \t\r\ncontent-disposition:form-data;filename=\"a b\" ; name=file\r\nContent-Type: text/plain\r\n\r\n"
        + tricky + "\r\n--XyZ\r\n\r\nno head\r\n--XyZ\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n"
        + "\r\n--XyZ--\r\nepilogue\r\n--XyZ\r\n"

    private static let formEvents: [MultipartParser.Event] = [
        part("one"), data("1"), .partEnd, part("file", filename: "a b"), data(tricky), .partEnd,
        .part(MultipartPart(name: nil, filename: nil)), data("no head"), .partEnd, part("empty"), .partEnd, .end,
    ]

    @Test("A form comes apart in the same way however it is split")
    func splits() throws {
        let body = Array(Self.form.utf8)
        #expect(try events([body]) == Self.formEvents)
        #expect(try events(body.map { [$0] }) == Self.formEvents)
        for split in 0...body.count {
            #expect(try events([Array(body[..<split]), Array(body[split...])]) == Self.formEvents, "at \(split)")
        }
        var random = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var pieces: [[UInt8]] = []
            var rest = body[...]
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...20, using: &random))
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try events(pieces) == Self.formEvents)
        }
    }

    @Test("Content is given on as soon as it can't be a delimiter any more")
    func noDelay() throws {
        var parser = try MultipartParser(contentType: Self.contentType)
        parser.append(Array("--XyZ\r\n\r\nabc".utf8))
        #expect(try parser.next() == .part(MultipartPart(name: nil, filename: nil)))
        #expect(try parser.next() == Self.data("abc"))
        parser.append(Array("d\r\n--Xy".utf8))
        #expect(try parser.next() == Self.data("d"))
        #expect(try parser.next() == nil)
        parser.append(Array("!".utf8))
        #expect(try parser.next() == Self.data("\r\n--Xy!"))
    }

    @Test("Every truncation is told, and no body of random bytes does harm")
    func damage() throws {
        let body = Array(Self.form.utf8)
        let end = try #require(Self.form.range(of: "--XyZ--")).upperBound
        let whole = Self.form.utf8.distance(from: Self.form.startIndex, to: end)
        for count in 0..<whole {
            #expect(throws: MultipartError.self, "at \(count)") { try events([Array(body[..<count])]) }
        }
        #expect(try events([Array(body[..<whole])]) == Self.formEvents)
        var random = SeededGenerator(seed: 4)
        for _ in 0..<2000 {
            var damaged = body
            for _ in 0..<3 {
                damaged[.random(in: 0..<body.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                _ = try events([damaged])
            } catch is MultipartError {
                continue
            }
        }
    }

    @Test(
        "File names are taken as clients write them",
        arguments: [
            (#"filename="plain.txt""#, "plain.txt"), (#"filename=token"#, "token"), (#"filename="a\"b\\c""#, #"a"b\c"#),
            (#"filename="a%22b%0D%0a%41""#, "a\"b\r\n%41"), (#"filename="C:\dir\x""#, #"C:\dir\x"#),
            (#"filename="a;b=c""#, "a;b=c"), (#"FileName = "x" "#, "x"), (#"filename="ä日""#, "ä日"),
            (#"filename="no"; filename*=UTF-8''a%20%C3%A4%2F%22"#, "a ä/\""), (#"filename*=utf-8'en'x"#, "x"),
            (#"filename="kept"; filename*=latin1''no"#, "kept"), (#"filename="""#, ""), (#"filename="open"#, "open"),
        ]
    )
    func filenames(_ parameter: String, _ name: String) throws {
        let body = "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; \(parameter)\r\n\r\n\r\n--XyZ--"
        #expect(try events(body) == [Self.part("file", filename: name), .partEnd, .end])
    }

    @Test("A file's name can have any bytes")
    func rawNames() throws {
        let name = (1...255).map { UInt8($0) }.filter { ![0x22, 0x5c, 0x0a, 0x0d].contains($0) }
        let head = Array("--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".utf8)
        let body = head + name + Array("\"\r\n\r\n\r\n--XyZ--".utf8)
        #expect(try events([body]).first == .part(MultipartPart(name: Array("file".utf8), filename: name)))
        let encoded = (0...255).map { PercentCoding.encode([UInt8($0)]) }.joined()
        let other = "--XyZ\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''\(encoded)\r\n\r\n\r\n--XyZ--"
        #expect(
            try events(other).first
                == .part(MultipartPart(name: Array("f".utf8), filename: (0...255).map { UInt8($0) }))
        )
    }

    @Test("The boundary is taken from the content type, in its forms")
    func boundaries() throws {
        func parse(_ type: String, _ boundary: String) throws {
            let body = Array("--\(boundary)\r\n\r\nx\r\n--\(boundary)--".utf8)
            #expect(try events([body], contentType: type).count == 4)
        }
        try parse("Multipart/Form-Data; charset=utf-8; Boundary=a", "a")
        try parse(#"multipart/form-data;boundary="a b'()+_,-./:=?""#, "a b'()+_,-./:=?")
        try parse(
            "multipart/form-data; boundary=\(String(repeating: "b", count: 70))",
            String(repeating: "b", count: 70)
        )
        for type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=ä"] {
            #expect(throws: MultipartError(detail: "The content type has no valid boundary")) {
                try MultipartParser(contentType: type)
            }
        }
        #expect(throws: MultipartError(detail: "The body must be multipart/form-data", status: 415)) {
            try MultipartParser(contentType: "application/json")
        }
    }

    @Test(
        "Malformed forms are refused",
        arguments: [
            ("--XyZ\r\nbad line\r\n\r\n", "A line of a part's head is malformed"),
            ("--XyZ\r\nName : x\r\n\r\n", "A line of a part's head is malformed"),
            ("--XyZ\r\nA: b\n\r\n", "A line of a part's head is malformed"),
            ("--XyZ\r\nA: b\r\n folded\r\n\r\n", "A line of a part's head is malformed"),
            ("--XyZa\r\n", "There are bytes behind a boundary of the form"),
            ("--XyZ-\r\n", "There are bytes behind a boundary of the form"),
            ("--XyZ\n", "There are bytes behind a boundary of the form"), ("nothing", "The form is cut off"),
            ("", "The form is cut off"),
        ]
    )
    func malformed(_ body: String, _ detail: String) {
        #expect(throws: MultipartError(detail: detail)) { try events(body) }
        #expect(throws: MultipartError(detail: detail)) { try events(body.utf8.map { [$0] }) }
    }

    @Test("Heads, parts, preambles and padding beyond the limits are refused, at once")
    func limits() throws {
        var limits = MultipartParser.Limits()
        limits.partHead = 50
        limits.partCount = 2
        limits.preamble = 20
        limits.padding = 5
        let long = String(repeating: "x", count: 60)
        #expect(throws: MultipartError(detail: "The head of a part is too large", status: 413)) {
            try events("--XyZ\r\nA: \(long)", limits: limits)
        }
        #expect(throws: MultipartError(detail: "There is no part where the form should begin")) {
            try events(long, limits: limits)
        }
        let part = "--XyZ\r\n\r\n\r\n"
        #expect(try events(part + part + "--XyZ--", limits: limits).count == 5)
        #expect(throws: MultipartError(detail: "The form has more than 2 parts", status: 413)) {
            try events(part + part + part + "--XyZ--", limits: limits)
        }
        #expect(throws: MultipartError(detail: "There are bytes behind a boundary of the form")) {
            try events("--XyZ" + String(repeating: " ", count: 6), limits: limits)
        }
    }
}

struct QueryParametersTests {
    @Test("Queries are taken apart as forms write them")
    func parameters() {
        let query = QueryParameters(target: "/x?path=%2Fa+b%2B%FF&mode=&path=last&lonely&a=b=c&%6Dore=1&=x")
        #expect(query["path"] == Array("last".utf8))
        #expect(query["mode"] == [])
        #expect(query["lonely"] == [])
        #expect(query["a"] == Array("b=c".utf8))
        #expect(query["more"] == Array("1".utf8))
        #expect(query["missing"] == nil)
        #expect(
            QueryParameters(target: "/x?p=/a+b%2B%ff%zz%4")["p"] == Array("/a b+".utf8) + [0xff] + Array("%zz%4".utf8)
        )
        #expect(QueryParameters(target: "/x")["p"] == nil)
    }
}
