import EventStream
import Testing

@testable import ActionExecutionServer

/// Updates, put together, are what the observation says.
struct OutputFollowerTests {
    private static func feed(_ bytes: some Collection<UInt8>, to output: inout CommandOutput) {
        Array(bytes).withUnsafeBytes { output.feed($0) }
    }

    private static let pieces: [String] = [
        "line\r\n", "word ", "10%", "\r", "\r50% done", "\u{8}\u{8}", "\u{1b}[A", "\u{1b}[2A\r", "\u{1b}[K",
        "\u{1b}[2J", "\u{1b}[3;5H",
        "é", "日本", "🙂", "\u{1b}[31mred\u{1b}[0m", "\t", "\n", "\u{1b}[B", "\u{1b}[1G", "\u{1b}[?1049h", "\u{1b}[?1049l",
        "\u{1b}7", "\u{1b}8", "\u{1b}[2P", "\u{1b}[3@",
    ]

    @Test("Random output in random pieces", arguments: 1...24 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            Self.feed("before\r\n".utf8, to: &output)
            output.follow()
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1..<120, using: &generator) {
                bytes += Self.pieces[Int.random(in: Self.pieces.indices, using: &generator)].utf8
                if Int.random(in: 0..<20, using: &generator) == 0 {
                    bytes.append(UInt8.random(in: 0x80...0xff, using: &generator))
                }
            }
            var shown = ""
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1..<40, using: &generator))
                rest = rest.dropFirst(piece.count)
                Self.feed(piece, to: &output)
                if Bool.random(using: &generator) { output.takeUpdate()?.apply(to: &shown) }
            }
            output.endFollowing()?.apply(to: &shown)
            let content = output.take(isCut: false)
            #expect(shown.trimmedAtEnd == content)
        }
    }

    @Test("An output that is far too long for memory comes whole to whoever keeps up")
    func long() throws {
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            output.follow()
            var (shown, expected) = ("", "")
            for number in 0..<400 {
                let text = String(repeating: "\(number) é\r\n", count: 1_000)
                expected += String(repeating: "\(number) é\n", count: 1_000)
                Self.feed(text.utf8, to: &output)
                output.takeUpdate()?.apply(to: &shown)
            }
            output.endFollowing()?.apply(to: &shown)
            #expect(shown == expected)
        }
    }

    @Test("What comes faster than it is taken is left out in the middle, and counted")
    func slow() throws {
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            output.follow()
            Self.feed("first\r\n".utf8, to: &output)
            var shown = ""
            output.takeUpdate()?.apply(to: &shown)
            #expect(shown == "first\n")
            let line = String(repeating: "é", count: 99)
            for _ in 0..<50_000 { Self.feed((line + "\r\n").utf8, to: &output) }
            let last = output.endFollowing()
            let update = try #require(last)
            #expect(update.removedCount == 0)
            #expect(update.omittedCount > 0)
            #expect(update.omittedCount + update.text.unicodeScalars.count == 5_000_000)
            #expect(update.text.hasSuffix(line + "\n"))
        }
    }

    @Test("A character whose bytes come apart is shown once it is complete")
    func splitCharacter() throws {
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            output.follow()
            Self.feed([0x61, 0xf0, 0x9f], to: &output)
            var update = output.takeUpdate()
            #expect(update == OutputUpdate(text: "a"))
            Self.feed([0x99, 0x82], to: &output)
            update = output.takeUpdate()
            #expect(update == OutputUpdate(text: "🙂"))
            update = output.takeUpdate()
            #expect(update == nil)
        }
    }

    @Test("A progress bar is drawn anew")
    func progress() throws {
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            output.follow()
            Self.feed("get\r\n10%".utf8, to: &output)
            var update = output.takeUpdate()
            #expect(update == OutputUpdate(text: "get\n10%"))
            Self.feed("\r20%".utf8, to: &output)
            update = output.takeUpdate()
            #expect(update == OutputUpdate(removedCount: 3, text: "20%"))
            Self.feed("\r25%".utf8, to: &output)
            update = output.takeUpdate()
            #expect(update == OutputUpdate(removedCount: 2, text: "5%"))
        }
    }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        var scalars = unicodeScalars
        while let last = scalars.last, last.value <= 0x20 { scalars.removeLast() }
        return String(scalars)
    }
}
