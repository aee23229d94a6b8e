import Testing

@testable import ActionExecutionServer

struct PromptFilterTests {
    private static func filter(_ pieces: [[UInt8]]) -> (text: String, found: [Int]) {
        var filter = PromptFilter(token: "aes-7")
        var passed: [UInt8] = []
        var found: [Int] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in filter.feed(bytes) { passed.append(contentsOf: $0) } }
            found += filter.takeFound()
        }
        return (passed.text, found)
    }

    @Test(
        "Every prompt is taken out and told, and everything else stays, wherever the bytes are split",
        arguments: [
            ("", "", []),
            ("abc", "abc", []),
            ("\u{2}aes-7-3\u{3}", "", [3]),
            ("a\u{2}aes-7-3\u{3}b\u{2}aes-7-41\u{3}\u{2}aes-7-41\u{3}c", "abc", [3, 41, 41]),
            ("\u{2}\u{2}aes-7-3\u{3}\u{3}", "\u{2}\u{3}", [3]),
            ("\u{2}aes-7-\u{2}aes-7-3\u{3}", "\u{2}aes-7-", [3]),
            ("\u{2}aes-7-\u{3}\u{2}aes-8-3\u{3}!", "\u{2}aes-7-\u{3}\u{2}aes-8-3\u{3}!", []),
            ("\u{2}aes-7-3x\u{3}\u{2}aes-7-3 \u{3}", "\u{2}aes-7-3x\u{3}\u{2}aes-7-3 \u{3}", []),
            ("\u{2}aes-7-99999999999999999999\u{3}", "\u{2}aes-7-99999999999999999999\u{3}", []),
        ] as [(String, String, [Int])]
    )
    func removal(input: String, output: String, found: [Int]) {
        let bytes = Array(input.utf8)
        for split in 0...bytes.count {
            let result = Self.filter([Array(bytes[..<split]), Array(bytes[split...])])
            #expect(result.text == output)
            #expect(result.found == found)
        }
        #expect(Self.filter(bytes.map { [$0] }).text == output)
    }

    @Test("What may be the beginning of a prompt is held back, and no more than that")
    func holding() {
        #expect(Self.filter([Array("abc\u{2}aes-7-12".utf8)]).text == "abc")
        #expect(Self.filter([Array("abc\u{2}aes-7-12".utf8), Array("x".utf8)]).text == "abc\u{2}aes-7-12x")
    }

    @Test("Random streams lose exactly their prompts", arguments: 0..<10)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var (bytes, expected, numbers): ([UInt8], String, [Int]) = ([], "", [])
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                if Bool.random(using: &random) {
                    let number = Int.random(in: 0..<1000, using: &random)
                    numbers.append(number)
                    bytes += Array("\u{2}aes-7-\(number)\u{3}".utf8)
                } else {
                    // None of these makes a prompt with what comes next.
                    let text =
                        ["\u{2}", "\u{2}aes-7-", "\u{2}aes-7-5", "x", "\u{3}", "5"].randomElement(using: &random) ?? ""
                    expected += text + "!"
                    bytes += Array((text + "!").utf8)
                }
            }
            var pieces: [[UInt8]] = []
            while !bytes.isEmpty {
                let count = Int.random(in: 1...6, using: &random)
                pieces.append(Array(bytes.prefix(count)))
                bytes = Array(bytes.dropFirst(count))
            }
            let result = Self.filter(pieces)
            #expect(result.text == expected)
            #expect(result.found == numbers)
        }
    }
}
