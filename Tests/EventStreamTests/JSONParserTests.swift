import EventStream
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    static func roundTrip(_ text: String) throws -> String {
        try String(decoding: JSONValue(parsing: text).serialized(), as: UTF8.self)
    }

    @Test(
        "What is compact already comes back as it was",
        arguments: [
            "null", "true", "false", "0", "-1", "1.0", "20.0", "1e3", "1E+3", "-0", "-0.0", "1.50",
            "9223372036854775807",
            "-9223372036854775808", "9223372036854775808", "123456789012345678901234567890", "1e999", "NaN", "Infinity",
            "-Infinity", #""""#, #""a""#, #""\"\\\b\f\n\r\t\u0000\u001f""#, #""é✓😀""#, "[]", "{}", "[1,[2,[3,{}]]]",
            #"{"b":1,"a":2,"b":3}"#, #"{"":{"":""}}"#, #""\ud800""#, #""\udfff\ud800""#, #""\ud83dx\ude00""#,
            "\"\u{10F7FF}\"", "\"\u{10F800}\u{10FFFF}\"", "\"\u{10F7FF}\u{10F7FF}\u{10F800}\"",
        ]
    )
    func verbatim(text: String) throws {
        #expect(try Self.roundTrip(text) == text)
    }

    @Test(
        "Other spellings of a string mean the same",
        arguments: [
            (#""\u00e9\u2713\ud83d\ude00\/""#, #""é✓😀/""#), (#""\uD83D\uDE00""#, #""😀""#), (#""\u0041""#, #""A""#),
            (#""\ud800\ud800\udc00""#, "\"\\ud800\u{10000}\""), (#""\udbfe\udc00""#, "\"\u{10F800}\""),
        ]
    )
    func spellings(text: String, canonical: String) throws {
        #expect(try Self.roundTrip(text) == canonical)
    }

    @Test("White space is allowed between all tokens and nowhere else")
    func whiteSpace() throws {
        #expect(try Self.roundTrip(" \t\r\n{ \"a\" : [ 1 , true ] , \"b\" : { } } \n") == #"{"a":[1,true],"b":{}}"#)
        #expect(throws: JSONError.self) { try JSONValue(parsing: "1 2") }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "t rue") }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "\u{00A0}1") }
    }

    @Test(
        "An error names the byte where the text stops being JSON and what was expected there",
        arguments: [
            ("", 0, "a value"), ("  ", 2, "a value"), ("nul", 3, "the rest of \"null\""), ("[1,]", 3, "a value"),
            ("[1 2]", 3, "\",\" or \"]\""), ("{\"a\" 1}", 5, "\":\" after a member's name"),
            ("{a:1}", 1, "a member's name in quotes"), ("{\"a\":1,}", 7, "a member's name in quotes"),
            ("01", 1, "no digit after a leading zero"), ("1.", 2, "a digit"), ("-", 1, "a digit"), ("1e", 2, "a digit"),
            ("\"abc", 4, "the closing quote of a string"), ("\"a\nb\"", 2, "a control character as an escape"),
            ("\"\\x\"", 2, "one of \"\\/bfnrtu after a backslash"), ("\"\\u12g4\"", 5, "a hexadecimal digit"),
            ("\"\\ud800\\u00\"", 11, "a hexadecimal digit"), ("1x", 1, "the end of the text"), ("+1", 0, "a value"),
        ]
    )
    func errors(text: String, offset: Int, expected: String) throws {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.offset == offset)
        #expect(error?.expected == expected)
    }

    @Test(
        "Bytes that aren't UTF-8 are an error at the first of them",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80], [0x80]]
            as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) throws {
        for prefix in ["", "abcdefghijk", "é", #"\n"#] {
            let text = [UInt8(ascii: "\"")] + Array(prefix.utf8) + bytes + [UInt8(ascii: "\"")]
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
            #expect(error?.expected == "UTF-8")
            #expect(error?.offset == 1 + prefix.utf8.count)
        }
    }

    @Test("Nesting goes as deep as allowed and no deeper")
    func depth() throws {
        let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        #expect(try Self.roundTrip(deep) == deep)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "[\(deep)]") }
        #expect(error?.offset == 512)
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[[]]", maximumDepth: 1) }
        #expect(throws: Never.self) { try JSONValue(parsing: "[]", maximumDepth: 1) }
    }

    @Test("Every beginning of a document is refused, at its end")
    func truncation() throws {
        for bytes in try Fixtures.eventFiles() {
            for length in bytes.indices {
                let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<length])) }
                #expect(error?.offset == length)
                #expect(error?.found == "the end of the text")
            }
        }
    }

    @Test("A document with any byte changed is refused or read to something that reads back the same")
    func flippedBytes() throws {
        var generator = SeededGenerator(seed: 1)
        for bytes in try Fixtures.eventFiles() {
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] =
                    generator.next() & 1 == 0 ? bytes[index] ^ 1 << UInt8.random(in: 0..<8, using: &generator) : 0x22
                guard let value = try? JSONValue(parsing: damaged) else { continue }
                #expect(try JSONValue(parsing: value.serialized()) == value)
                _ = try? Event(json: value)
            }
        }
    }

    @Test("Generated documents come back as they were in every layout", arguments: 1...8 as ClosedRange<UInt64>)
    func generated(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let value = Self.value(&generator, depth: 0)
            let layouts = [.compact, .python, JSONLayout(isSpaced: true, indentation: 2), JSONLayout(isASCII: true)]
            for layout in layouts {
                let bytes = value.serialized(layout)
                let read = try JSONValue(parsing: bytes)
                #expect(read == value)
                #expect(read.serialized(layout) == bytes)
            }
        }
    }

    @Test("Generated garbage never crashes the parser", arguments: 1...4 as ClosedRange<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let tokens = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "u", "d8", "1", "-", "e", ".", "null", "\u{10F7FF}", " ", "N",
        ]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<24, using: &generator) {
                if generator.next() % 8 == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                } else {
                    bytes.append(contentsOf: tokens[Int.random(in: 0..<tokens.count, using: &generator)].utf8)
                }
            }
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect((try? JSONValue(parsing: value.serialized())) == value)
        }
    }

    private static func value(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        switch generator.next() % (depth < 5 ? 8 : 5) {
        case 0: .null
        case 1: .bool(generator.next() & 1 == 0)
        case 2: .number(JSONNumber(Int(truncatingIfNeeded: generator.next())))
        case 3: .number(JSONNumber(Double.random(in: -1e18...1e18, using: &generator)))
        case 4: .string(string(&generator))
        case 5: .array((0..<generator.next() % 5).map { _ in value(&generator, depth: depth + 1) })
        default:
            .object(
                JSONObject(
                    (0..<generator.next() % 5).map { _ in (string(&generator), value(&generator, depth: depth + 1)) }
                )
            )
        }
    }

    private static func string(_ generator: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\0", "é", "✓", "😀", "\u{7F}", "\u{10F7FE}", " ", "z"]
        var string = String.UnicodeScalarView()
        for _ in 0..<generator.next() % 20 { string.append(scalars[Int(generator.next() % UInt64(scalars.count))]) }
        return String(string)
    }
}
