import Testing

@testable import ActionExecutionServer

struct MarkerFilterTests {
    private static func filter(
        _ pieces: [[UInt8]],
        marker: String,
        _ place: MarkerFilter.Place = .anywhere
    ) -> (text: String, found: Bool) {
        var filter = MarkerFilter(marker, place)
        var passed: [UInt8] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                filter.feed(bytes) { passed.append(contentsOf: $0) }
            }
        }
        return (passed.text, filter.hasFoundMarker)
    }

    @Test(
        "The first marker is taken out, and everything else stays, wherever the bytes are split",
        arguments: [
            ("", "", false),
            ("abc", "abc", false),
            ("<mark>", "", true),
            ("a<mark>b", "ab", true),
            ("<mark><mark>", "<mark>", true),
            ("a<b<mar<mark>c<mar", "a<b<marc<mar", true),
            ("<<<mark>>>", "<<>>", true),
            ("<m<ma<mar<markx<mark>", "<m<ma<mar<markx", true),
            ("é<mark>é", "éé", true),
        ]
    )
    func removal(input: String, output: String, found: Bool) {
        let bytes = Array(input.utf8)
        for split in 0...bytes.count {
            let result = Self.filter([Array(bytes[..<split]), Array(bytes[split...])], marker: "<mark>")
            #expect(result.text == output)
            #expect(result.found == found)
        }
        #expect(Self.filter(bytes.map { [$0] }, marker: "<mark>").text == output)
    }

    @Test("What may be the beginning of a marker is held back, and no more than that")
    func holding() {
        #expect(Self.filter([Array("abc<mar".utf8)], marker: "<mark>").text == "abc")
        #expect(Self.filter([Array("abc<mar".utf8), Array("x".utf8)], marker: "<mark>").text == "abc<marx")
    }

    @Test(
        "An anchored marker is taken out at the beginning only",
        arguments: [
            ("<mark>a<mark>", "a<mark>", true), ("a<mark>", "a<mark>", false), ("<ma<mark>", "<ma<mark>", false),
        ]
    )
    func anchored(input: String, output: String, found: Bool) {
        let bytes = Array(input.utf8)
        for split in 0...bytes.count {
            let result = Self.filter(
                [Array(bytes[..<split]), Array(bytes[split...])],
                marker: "<mark>",
                .beginning
            )
            #expect(result.text == output)
            #expect(result.found == found)
        }
    }

    @Test(
        "What comes before the marker is dropped if asked",
        arguments: [("<mark>a<mark>", "a<mark>"), ("a<mar<mark>b", "b"), ("<m<ma<mark>", ""), ("abc<mark", "")]
    )
    func dropping(input: String, output: String) {
        let bytes = Array(input.utf8)
        for split in 0...bytes.count {
            let pieces = [Array(bytes[..<split]), Array(bytes[split...])]
            #expect(Self.filter(pieces, marker: "<mark>", .droppingWhatPrecedes).text == output)
        }
    }

    @Test("An empty marker is never found, and nothing is held back")
    func empty() {
        let result = Self.filter([Array("a".utf8), Array("b".utf8)], marker: "")
        #expect(result.text == "ab")
        #expect(!result.found)
    }

    @Test("Random streams lose exactly the first marker", arguments: 0..<10)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let marker = "\u{1}aes-7\u{2}"
        for _ in 0..<200 {
            let count = Int.random(in: 0..<20, using: &random)
            let text = (0..<count).map { _ in
                [marker, "\u{1}", "\u{1}aes", "x", "\u{2}"].randomElement(using: &random) ?? ""
            }
            .joined()
            var bytes = Array(text.utf8)[...]
            var pieces: [[UInt8]] = []
            while !bytes.isEmpty {
                pieces.append(Array(bytes.prefix(Int.random(in: 1...6, using: &random))))
                bytes = bytes.dropFirst(pieces[pieces.count - 1].count)
            }
            // A byte that can't begin a marker lets go of what is held back.
            pieces.append(Array("!".utf8))
            var expected = text + "!"
            if let range = expected.firstRange(of: marker) { expected.removeSubrange(range) }
            #expect(Self.filter(pieces, marker: marker).text == expected)
        }
    }
}
