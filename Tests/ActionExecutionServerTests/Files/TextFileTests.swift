import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

struct TextEncodingTests {
    private static let utf8Mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    static func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
        ([0xFEFF] + Array(text.utf16)).flatMap { unit in
            let bytes = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
            return isBigEndian ? bytes : bytes.reversed()
        }
    }

    @Test("Text is read in its encoding, and written back as it was")
    func roundTrips() throws {
        let text = "Zwölf Boxkämpfer\r\njagen 日本語 👩‍💻\n"
        let samples: [(bytes: [UInt8], encoding: TextEncoding, text: String)] = [
            ([], .utf8(hasMark: false), ""),
            (Array(text.utf8), .utf8(hasMark: false), text),
            (Self.utf8Mark, .utf8(hasMark: true), ""),
            (Self.utf8Mark + Array(text.utf8), .utf8(hasMark: true), text),
            (Self.utf16(text, isBigEndian: false), .utf16(isBigEndian: false), text),
            (Self.utf16(text, isBigEndian: true), .utf16(isBigEndian: true), text),
            (Self.utf16("", isBigEndian: true), .utf16(isBigEndian: true), ""),
            (Array("caf".utf8) + [0xE9, 0x20, 0x96, 0x20, 0x35, 0x20, 0x80, 0x0A], .windows1252, "café – 5 €\n"),
        ]
        for sample in samples {
            let (encoding, decoded) = try TextEncoding.decode(sample.bytes)
            #expect(encoding == sample.encoding)
            #expect(decoded == Array(sample.text.utf8))
            #expect(try encoding.encode(decoded) == sample.bytes)
        }
    }

    @Test("Every byte that Windows-1252 has comes back as it was")
    func windows1252() throws {
        let undefined: Set<UInt8> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
        let bytes = (UInt8.min...UInt8.max).filter { !undefined.contains($0) }
        #expect(try Windows1252.encode(Windows1252.decode(bytes)) == bytes)
        #expect(Windows1252.decode([0x80, 0x9F, 0xA0, 0xFF]).text == "€Ÿ\u{A0}ÿ")
    }

    @Test("What is in no encoding that is known here is refused, not misread")
    func refused() {
        // "привет мир" in Windows-1251, "こんにちは" and "テスト" in Shift JIS, "你好世界" in GBK.
        let cyrillic: [UInt8] = [0xEF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2, 0x20, 0xEC, 0xE8, 0xF0]
        let hiragana: [UInt8] = [0x82, 0xB1, 0x82, 0xF1, 0x82, 0xC9, 0x82, 0xBF, 0x82, 0xCD]
        let katakana: [UInt8] = [0x83, 0x65, 0x83, 0x58, 0x83, 0x67]
        let chinese: [UInt8] = [0xC4, 0xE3, 0xBA, 0xC3, 0xCA, 0xC0, 0xBD, 0xE7]
        let samples: [(bytes: [UInt8], failure: TextEncoding.DecodingFailure)] = [
            (cyrillic, .unknown), (hiragana, .unknown), (katakana, .unknown), (chinese, .unknown),
            ([0x61, 0x81], .unknown),
            (Array("日本語".utf8) + [0x0A, 0xFF, 0x0A], .damagedUTF8(offset: 10)),
            (Array("naïve caf".utf8) + [0xE9], .damagedUTF8(offset: 10)),
            (Self.utf8Mark + [0x61, 0xE9], .damagedUTF8(offset: 4)),
            ([0xFF, 0xFE, 0x61], .invalidUTF16), ([0xFE, 0xFF, 0xD8, 0x00, 0x00, 0x61], .invalidUTF16),
            ([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0], .utf32), ([0, 0, 0xFE, 0xFF, 0, 0, 0, 0x61], .utf32),
        ]
        for sample in samples {
            #expect(throws: sample.failure) { try TextEncoding.decode(sample.bytes) }
        }
    }

    @Test("A character that the encoding doesn't have is named, and so is a lone surrogate")
    func unencodable() {
        #expect(throws: TextEncoding.EncodingFailure(encoding: .windows1252, codePoint: 0x65E5)) {
            try TextEncoding.windows1252.encode(Array("日".utf8))
        }
        #expect(throws: TextEncoding.EncodingFailure(encoding: .utf8(hasMark: false), codePoint: 0xD801)) {
            try TextEncoding.utf8(hasMark: false).encode([0x61, 0xED, 0xA0, 0x81])
        }
        let failure = TextEncoding.EncodingFailure(encoding: .windows1252, codePoint: 0x1F600)
        #expect("\(failure)" == "the character U+1F600, which the file's encoding (Windows-1252) does not have,")
    }
}

struct TextFileTests {
    @Test("A change leaves every byte beside it, whatever lines end with", arguments: 0..<200 as Range<UInt64>)
    func unchangedParts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pieces = ["a", "é", "日本", "x y", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "end"]
        let raw = (0..<Int.random(in: 0..<20, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
        let file = try TextFile(Array(raw.utf8))
        // Not as characters, of which \r\n is one.
        let lines = raw.replacingOccurrences(of: "\r\n", with: "\n", options: .literal)
            .replacingOccurrences(of: "\r", with: "\n", options: .literal)
        #expect(file.text == Array(lines.utf8))
        // Between characters.
        let places = file.text.indices.filter { file.text[$0] & 0xC0 != 0x80 } + [file.text.count]
        let (one, other) = (places.randomElement(using: &random) ?? 0, places.randomElement(using: &random) ?? 0)
        let range = min(one, other)..<max(one, other)
        for new in ["", "x", "\n", "\nx", "x\n", "x\ny"] {
            let changed = UTF8Text.withUniversalNewlines(try file.bytes(replacing: range, with: Array(new.utf8)))
            let expected = Array(file.text[..<range.lowerBound]) + Array(new.utf8) + file.text[range.upperBound...]
            #expect(changed == expected, "\(raw.debugDescription) \(range) \(new.debugDescription)")
        }
        let changed = try file.bytes(replacing: range, with: Array("<new>".utf8))
        let marker = try #require(changed.firstRange(of: Array("<new>".utf8)))
        let (before, after) = (changed[..<marker.lowerBound], changed[marker.upperBound...])
        #expect(Array(raw.utf8).starts(with: before) && Array(raw.utf8.reversed()).starts(with: after.reversed()))
        #expect(UTF8Text.withUniversalNewlines(Array(before)) == Array(file.text[..<range.lowerBound]))
        // A line end whose halves were parted would be two.
        #expect(UTF8Text.withUniversalNewlines(Array(after)) == Array(file.text[range.upperBound...]))
    }

    @Test(
        "New lines end as the lines around them do",
        arguments: [
            ("a\r\nb\r\n", 2..<3, "x\ny", "a\r\nx\r\ny\r\n"), ("a\r\nb\n", 0..<1, "x\ny", "x\r\ny\r\nb\n"),
            ("a\r\nb\n", 2..<3, "x\ny", "a\r\nx\ny\n"), ("a\r\nb", 2..<3, "x\ny", "a\r\nx\r\ny"),
            ("a\nb", 0..<1, "x\r\ny", "x\r\ny\nb"), ("a\r\nb\r\n", 0..<1, "x\r\ny", "x\r\ny\r\nb\r\n"),
            ("a\rb\r", 0..<1, "x\ny", "x\ry\rb\r"), ("a\rb\n", 0..<1, "x\ny", "x\ny\rb\n"),
            ("a", 0..<1, "x\ny", "x\ny"), ("", 0..<0, "x\r\ny\n", "x\r\ny\n"),
        ]
    )
    func lineEnds(raw: String, range: Range<Int>, new: String, expected: String) throws {
        let file = try TextFile(Array(raw.utf8))
        #expect(try file.bytes(replacing: range, with: Array(new.utf8)).text == expected)
    }
}

struct UTF8TextTests {
    @Test(
        "Lines are split where Python's splitlines does",
        arguments: [
            ("", ""), ("a", "a"), ("a\n", "a"), ("a\n\n", "a\n"),
            ("a\u{B}b\u{C}c\u{1C}d\u{85}e\u{2028}f\u{2029}", "a\nb\nc\nd\ne\nf"),
            ("a\r\nb\rc", "a\nb\nc"), ("\u{2027}é", "\u{2027}é"),
        ]
    )
    func splitLines(text: String, joined: String) {
        #expect(UTF8Text.joiningSplitLines(Array(text.utf8)).text == joined)
    }

    @Test("White space is what Python takes for it")
    func whiteSpace() {
        for value in 0...0x3100 as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            // Python adds the separators of ASCII to what Unicode says.
            let isSpace = scalar.properties.isWhitespace || (0x1C...0x1F).contains(value)
            let text = "\(scalar)a\(scalar)\(scalar)b\(scalar)"
            let expected = isSpace ? "a\(scalar)\(scalar)b" : text
            #expect(UTF8Text.stripped(Array(text.utf8)) == Array(expected.utf8), "U+\(String(value, radix: 16))")
        }
        #expect(UTF8Text.stripped(Array(" \n\u{3000}".utf8)) == [])
    }

    @Test("A scanner finds lines whatever pieces it is fed", arguments: 0..<100 as Range<UInt64>)
    func scanner(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pieces = ["a", "é", "bc", "\n", "\r\n", "\r", "\r\r\n"]
        let raw = Array(
            (0..<Int.random(in: 0..<20, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined().utf8
        )
        let text = UTF8Text.withUniversalNewlines(raw)
        let first = Int.random(in: 0..<6, using: &random)
        let range = first..<first + Int.random(in: 0..<6, using: &random)
        for keepsLineEnds in [true, false] {
            var scanner = LineScanner(keeping: range, byteLimit: 1000, keepsLineEnds: keepsLineEnds)
            var rest = raw[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...4, using: &random))
                piece.withUnsafeBytes { scanner.feed($0) }
                rest = rest.dropFirst(piece.count)
            }
            #expect(scanner.lineCount == UTF8Text.lineCount(text))
            #expect(UTF8Text.withUniversalNewlines(scanner.kept) == UTF8Text.lines(range, of: text))
            if range.contains(0), range.upperBound >= scanner.lineCount, keepsLineEnds { #expect(scanner.kept == raw) }
        }
    }

    @Test("What a scanner keeps is cut at its limit, and not inside of a character")
    func scannerLimit() {
        for limit in 0...9 {
            var scanner = LineScanner(keeping: 0..<9, byteLimit: limit, keepsLineEnds: false)
            Array("aé日😀".utf8).withUnsafeBytes { scanner.feed($0) }
            #expect(scanner.kept.count == limit)
            #expect(scanner.isOverLimit)
            #expect("aé日😀".hasPrefix(String(validating: scanner.keptCharacters, as: UTF8.self) ?? "?"))
        }
    }
}

struct WireTextTests {
    @Test("Any text of an event survives as bytes, lone surrogates and what stands for them too")
    func roundTrip() throws {
        for json in [#""a""#, #""é\ud800x\udcff""#, "\"\u{10F7FF}\u{10F800}\u{10FFFF}\"", #""\ud83d\ude00""#] {
            let text = try #require(try JSONValue(parsing: Array(json.utf8)).stringValue)
            let bytes = WireText.bytes(of: text)
            #expect(WireText.text(of: bytes) == text)
            if !json.contains("\\") { #expect(bytes == Array(json.utf8.dropFirst().dropLast())) }
        }
        let surrogate = try #require(JSONValue(parsing: Array(#""\ud801""#.utf8)).stringValue)
        #expect(WireText.bytes(of: surrogate) == [0xED, 0xA0, 0x81])
    }

    @Test("A path of any bytes survives as text")
    func paths() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                UInt8.random(in: Bool.random(using: &random) ? 0x80...0xFF : 1...0x7F, using: &random)
            }
            let path = SystemPath(bytes: bytes)
            #expect(SystemPath(path.description).bytes == bytes)
            // Through JSON as well.
            let json = JSONValue.string(path.description).description
            #expect(SystemPath(try #require(JSONValue(parsing: Array(json.utf8)).stringValue)).bytes == bytes)
        }
        #expect(JSONValue.string(SystemPath(bytes: [0x61, 0xFF]).description).description == #""a\udcff""#)
    }

    @Test(
        "Paths are spelled as pathlib does",
        arguments: [
            ("/a/b", "/a/b"), ("/a//b/./c/", "/a/b/c"), ("//a", "//a"), ("///a", "/a"), ("", "."), (".", "."),
            ("./a/..", "a/.."),
            ("/", "/"), ("a/", "a"),
        ]
    )
    func normalized(path: String, expected: String) {
        #expect(SystemPath(path).normalized.description == expected)
    }

    @Test(
        "So are suffixes",
        arguments: [
            ("/a/b.txt", ".txt"), ("/a.b/c", ""), (".hidden", ""), ("a.", ""), ("a.tar.gz", ".gz"), ("..a", ".a"),
        ]
    )
    func suffixes(path: String, expected: String) {
        #expect(SystemPath(path).suffix == expected)
    }
}
