import Testing

@testable import ActionExecutionServer

private func shown(_ pieces: [[UInt8]]) -> [UInt8] {
    var screen = TerminalScreen()
    for piece in pieces { piece.withUnsafeBytes { screen.feed($0) } }
    return screen.takeText()
}

private func shown(_ text: String) -> String {
    shown([text.onTerminal]).text
}

extension TerminalScreen {
    fileprivate mutating func feed(_ text: String) {
        text.onTerminal.withUnsafeBytes { feed($0) }
    }
}

extension String {
    /// The bytes after the terminal's output processing (ONLCR).
    fileprivate var onTerminal: [UInt8] {
        utf8.flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }
    }
}

/// What is written, and what a person sees then.
private let appearances: [(written: String, seen: String)] = [
    ("", ""),
    ("plain", "plain"),
    ("two\r\nlines\r\n", "two\nlines\n"),
    ("no carriage return\nhere\n", "no carriage return\nhere\n"),
    ("a\r\r\nb", "a\nb"),
    // Carriage return, backspace, tab.
    ("10%\r20%\r100%\n", "100%\n"),
    ("hello\rJ", "Jello"),
    ("hello\r", "hello"),
    ("hello\r\u{1b}[K", ""),
    ("abc\u{8}\u{8}X", "aXc"),
    ("\u{8}a", "a"),
    ("a\u{8}_", "_"),
    ("a\tb\tc", "a\tb\tc"),
    ("a\tb\rX", "X       b"),
    ("a\tb\u{8}\u{8}X", "a      Xb"),
    ("abc\r\tX", "abc     X"),
    ("bell\u{7} and nul\u{0}", "bell and nul"),
    // Erasing, deleting, inserting.
    ("hello\u{1b}[3D\u{1b}[K", "he"),
    ("hello\u{1b}[2D\u{1b}[1K", "    o"),
    ("hello\u{1b}[2K\rbye", "bye"),
    ("hello\r\u{1b}[2P", "llo"),
    ("hello\r\u{1b}[2@x", "x hello"),
    ("hello\r\u{1b}[3X", "   lo"),
    ("a\nb\nc\u{1b}[2A\u{1b}[J", "a"),
    ("a\nb\nc\u{1b}[2J\u{1b}[Hnew", "a\nb\nc\nnew"),
    ("a\nb\nc\u{1b}[H\u{1b}[2J\u{1b}[3Jnew", "new"),
    ("a\nb\u{1b}[A\u{1b}[Lnew", " new\na\nb"),
    ("a\nb\nc\u{1b}[A\u{1b}[M", "a\nc"),
    // Moving.
    ("layer 1: 0%\nlayer 2: 0%\n\u{1b}[2A\rlayer 1: 99%\u{1b}[2B\r", "layer 1: 99%\nlayer 2: 0%\n"),
    ("one\ntwo\n\u{1b}[1A\u{1b}[2KTWO\nthree\n", "one\nTWO\nthree\n"),
    ("x\u{1b}[3CY", "x   Y"),
    ("abcdef\u{1b}[2GX", "aXcdef"),
    ("a\nb\u{1b}[1;3HX", "a X\nb"),
    ("a\nb\u{1b}[FX", "X\nb"),
    ("a\nb\u{1b}[A\u{1b}[EX", "a\nX"),
    ("a\u{1b}7bc\u{1b}8X", "aXc"),
    ("a\u{1b}[sbc\u{1b}[uX", "aXc"),
    ("one\u{1b}7\ntwo\n\u{1b}8!\n\n", "one!\ntwo\n"),
    ("a\nb\u{1b}MX", "aX\nb"),
    // Sequences that show nothing.
    ("\u{1b}[1;31mred\u{1b}[0m \u{1b}[38;2;1;2;3mtrue\u{1b}[m", "red true"),
    ("\u{1b}]0;title\u{7}text", "text"),
    ("\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
    ("\u{1b}Pq#0\u{1b}\\after", "after"),
    ("\u{1b}(Btext\u{1b}=\u{1b}>", "text"),
    ("\u{1b}[?25lhidden\u{1b}[?25h", "hidden"),
    ("\u{1b}[?2004hx\u{1b}[>4;2my", "xy"),
    ("\u{1b}[!px\u{1b}[2 qy", "xy"),
    ("\u{1b}\u{1b}[31mx", "x"),
    ("\u{1b}[31\u{18}x", "x"),
    ("\u{1b}]0;ti\u{18}x", "x"),
    ("\u{1b}[3\r1mx", "x"),
    ("100%\u{1b}[99999999999999999999Cx", "100%" + String(repeating: " ", count: 995) + "x"),
    // Regions, insertion, tab stops, line drawing.
    ("1\n2\n3\n4\u{1b}[2;3r\u{1b}[3;1H\nnew\u{1b}[r", "2\n1\n3\nnew\n4"),
    ("ace\u{1b}[4h\u{1b}[2Gb\u{1b}[4l", "abce"),
    ("\u{1b}[3g\u{1b}[5G\u{1b}H\r\tx", "    x"),
    ("\u{1b}(0lqk\u{1b}(Bq", "┌─┐q"),
    ("\u{1b})0\u{e}x\u{f}x", "│x"),
    ("-\u{1b}[4b", "-----"),
    ("one\u{1b}c", "one\n"),
    // Controls of the second set.
    ("a\u{85}b\u{9b}c", "abc"),
    ("\ra\u{85}b", "ab"),
    ("\u{1b}ktitle\u{1b}\\text", "text"),
    // The alternate screen.
    ("before\n\u{1b}[?1049h\u{1b}[Hfull screen\u{1b}[?1049lafter", "before\nafter"),
    ("be\u{1b}[?1049h\u{1b}[5;5Hx\u{1b}[?1049lfore", "before"),
    ("before\n\u{1b}[?1049h\u{1b}[2;3Hinside", "before\n\n  inside"),
    ("a\nbc\u{8}\u{1b}[?1049hX", "a\nbc\n\n X"),
    ("a\nbc\u{8}\u{1b}[?1049hX\u{1b}[?1049lY", "a\nbY"),
    // Wide characters and marks.
    ("日本\u{8}\u{8}X", "日X"),
    ("日本\rab", "ab本"),
    ("日本\rX", "X 本"),
    ("日本\u{1b}[2GX", " X本"),
    ("\rx日本", "x日本"),
    ("e\u{301}x\u{8}\u{8}a", "ax"),
    ("ab\rxe\u{301}", "xe\u{301}"),
    ("👩‍💻\n", "👩‍💻\n"),
    ("x\r👩‍💻!", "👩‍💻!"),
]

/// Lines that are longer than the terminal is wide, and what moves there.
private let longLines: [(written: String, seen: String)] = [
    (String(repeating: "x", count: 1500), String(repeating: "x", count: 1500)),
    (
        String(repeating: "x", count: 1500) + "\rY",
        String(repeating: "x", count: 1000) + "Y" + String(repeating: "x", count: 499)
    ),
    (String(repeating: "x", count: 1001) + "\u{8}\u{8}Y", String(repeating: "x", count: 999) + "Yx"),
    ("\u{1b}[?7l" + String(repeating: "x", count: 1500) + "Y\u{1b}[?7h", String(repeating: "x", count: 999) + "Y"),
]

struct TerminalScreenTests {
    @Test("A line that doesn't fit goes on on the next row, and is one line all the same", arguments: longLines)
    func wrapping(written: String, seen: String) {
        #expect(shown(written) == seen)
        let bytes = written.onTerminal
        for split in 990..<min(1010, bytes.count) {
            #expect(shown([Array(bytes[..<split]), Array(bytes[split...])]).text == seen)
        }
    }

    @Test("A person sees what was written last at each place", arguments: appearances)
    func appearance(written: String, seen: String) {
        #expect(shown(written) == seen)
    }

    @Test("The same is seen however the bytes are split", arguments: appearances)
    func splits(written: String, seen: String) {
        let bytes = written.onTerminal
        let whole = shown([bytes])
        #expect(shown(bytes.map { [$0] }) == whole)
        for split in 0...bytes.count { #expect(shown([Array(bytes[..<split]), Array(bytes[split...])]) == whole) }
    }

    @Test(
        "Bytes that aren't UTF-8 neither vanish nor take others with them",
        arguments: [
            [0x61, 0xff, 0x62], [0x61, 0xc3], [0xe2, 0x82], [0x80, 0x81], [0xf0, 0x9f, 0x98, 0x0a, 0x61],
            [0x0d, 0x61, 0xe2, 0x82, 0x0a, 0x62], [0x0d, 0xc3, 0x61], [0x0d, 0xff, 0xff, 0x62],
            [0x0d, 0x61, 0xe2, 0x82, 0x1b, 0x5b, 0x41, 0x62],
        ] as [[UInt8]]
    )
    func invalid(_ bytes: [UInt8]) {
        let whole = shown([bytes])
        #expect(shown(bytes.map { [$0] }) == whole)
        #expect(String(decoding: whole, as: UTF8.self).contains("\u{fffd}"))
        for byte in bytes where (0x61...0x62).contains(byte) {
            #expect(whole.contains(byte))
        }
    }

    @Test("Random output shows the same in pieces, and takes bounded memory", arguments: 0..<10)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let parts =
            [
                "abc", "日本", "e\u{301}", "\r", "\n", "\u{8}", "\t", "\u{1b}[A", "\u{1b}[3B", "\u{1b}[2C", "\u{1b}[D",
                "\u{1b}[K",
                "\u{1b}[1K", "\u{1b}[J", "\u{1b}[1J", "\u{1b}[2J", "\u{1b}[H", "\u{1b}[3;4H", "\u{1b}7", "\u{1b}8",
                "\u{1b}[2L",
                "\u{1b}[M", "\u{1b}[2P", "\u{1b}[2@", "\u{1b}[4X", "\u{1b}[?1049h", "\u{1b}[?1049l", "\u{1b}[6n",
                "\u{1b}]0;t\u{7}",
                "\u{1b}[31m", "\u{1b}D", "\u{1b}M", "\u{1b}[99999B", "\u{1b}[1000L", "\u{1b}[1000@", "\u{1b}[999;999H",
            ].map { Array($0.utf8) } + [[0xff], [0xe2, 0x82], [0x1b], [0x1b, 0x5b]]
        for _ in 0..<10 {
            let bytes = (0..<60).flatMap { _ in parts.randomElement(using: &random) ?? [] }
            let whole = shown([bytes])
            #expect(shown(bytes.map { [$0] }) == whole)
        }
    }

    @Test("What is taken is gone, and what follows is shown alone")
    func taking() {
        var screen = TerminalScreen()
        screen.feed("one\ntw")
        #expect(screen.takeText().text == "one\ntw")
        screen.feed("o\nthree\r")
        #expect(screen.takeText().text == "o\nthree")
        #expect(screen.takeText().isEmpty)
    }

    @Test("A line is told again when what was told of it has changed, with all that is below, and not otherwise")
    func tellingAgain() {
        var screen = TerminalScreen()
        screen.feed("layer 1: 0%\nlayer 2: 0%\nname: ")
        #expect(screen.takeText().text == "layer 1: 0%\nlayer 2: 0%\nname: ")
        screen.feed("Bob")
        #expect(screen.takeText().text == "Bob")
        // The same again, as a line editor draws.
        screen.feed("\r\u{1b}[Kname: Bob!")
        #expect(screen.takeText().text == "!")
        screen.feed("\u{1b}[A\rlayer 2: 5%\n\rname: ")
        #expect(screen.takeText().text == "layer 2: 5%\nname: Bob!")
        screen.feed("\n\u{1b}[3A\rlayer 1: 7%\r\u{1b}[3Bdone\n")
        #expect(screen.takeText().text == "layer 1: 7%\nlayer 2: 5%\nname: Bob!\ndone\n")
        screen.feed("more\n")
        #expect(screen.takeText().text == "more\n")
    }

    @Test("A screen that a program clears and draws again on is seen as it is, whatever was taken before")
    func redrawing() {
        var screen = TerminalScreen()
        screen.feed("\u{1b}[H\u{1b}[Jload 1\n  cpu 10\n  cpu 20")
        #expect(screen.takeText().text == "load 1\n  cpu 10\n  cpu 20")
        // Only what differs is drawn.
        screen.feed("\u{1b}[2;7H15\u{1b}[3;7H25")
        #expect(screen.takeText().text == "  cpu 15\n  cpu 25")
    }

    @Test("A full-screen program is seen behind what was there, and then what replaces it")
    func takingFromAlternateScreen() {
        var screen = TerminalScreen()
        screen.feed("$ editor\n\u{1b}[?1049h\u{1b}[HFile")
        #expect(screen.takeText().text == "$ editor\nFile")
        // The program draws only what changes, but a person still sees all of it.
        screen.feed("\u{1b}[3;1Hstatus")
        #expect(screen.takeText().text == "File\n\nstatus")
        screen.feed("\u{1b}[?1049ldone")
        #expect(screen.takeText().text == "done")
    }

    @Test(
        "A question that programs wait for an answer to has one",
        arguments: [
            ("ab\u{1b}[6n", "\u{1b}[1;3R"), ("a\nb\u{1b}[?6n", "\u{1b}[?2;2R"), ("\u{1b}[5n", "\u{1b}[0n"),
            ("\u{1b}[c", "\u{1b}[?1;2c"), ("\u{1b}[0c", "\u{1b}[?1;2c"), ("\u{1b}[>c", "\u{1b}[>84;0;0c"),
            ("\u{1b}[18t", "\u{1b}[8;1000;1000t"), ("\u{1b}[?2026$p", "\u{1b}[?2026;0$y"),
            ("\u{1b}]11;?\u{7}\u{1b}[?u\u{1b}[=c\u{1b}P+q5443\u{1b}\\", ""),
        ]
    )
    func questions(asked: String, answered: String) {
        var screen = TerminalScreen()
        screen.feed(asked)
        #expect(screen.takeReplies().text == answered)
    }

    @Test("Questions about the cursor and the terminal are answered")
    func replies() {
        var screen = TerminalScreen()
        screen.feed("ab\u{1b}[6n")
        #expect(screen.takeReplies().text == "\u{1b}[1;3R")
        screen.feed("\u{1b}[5n\u{1b}[c")
        #expect(screen.takeReplies().text == "\u{1b}[0n\u{1b}[?1;2c")
        #expect(screen.takeReplies().isEmpty)
        #expect(screen.takeText().text == "ab")
    }

    @Test("Settled text is whole lines, oldest first, and nothing is lost or doubled")
    func settling() {
        var screen = TerminalScreen()
        var collected: [UInt8] = []
        var expected = ""
        for number in 0..<1000 {
            let line = "line \(number)\n"
            expected += line
            screen.feed(line)
            if number % 10 == 9 {
                let settled = screen.takeSettledText(keeping: 100)
                #expect(settled.isEmpty || settled.last == 0x0a)
                collected += settled
                #expect(screen.count <= 120)
            }
        }
        #expect((collected + screen.takeText()).text == expected)
    }

    @Test(
        "Endless output of any shape takes bounded memory",
        arguments: [
            "x", "é", "\rx", "\r\u{1b}[Ax", "x\u{8}xx", "\t", "\r\tx", "\u{1b}[99999B", "\u{1b}[1000Lx",
            "\u{1b}[1000@x",
            "\u{1b}[?1049hx\n", "\u{1b}[?1049hxxxxxxxxxxxxxxxx", "\u{1b}[9999;9999Hx", "\u{1b}[6n", "\u{1b}]0;t",
            "\u{1b}[5;8rx\n", "\u{1b}[2Jx", "\u{1b}(0x", "\u{1b}[9bx",
            "\u{1b}[A\n\n",
            "\u{1b}[1;", "e\r\u{301}", "\u{301}", "\u{1b}7\n\u{1b}8",
        ]
    )
    func endless(_ part: String) {
        // As much as on a large one is bounded too, only later.
        var screen = TerminalScreen(size: TerminalSize(columns: 100, rows: 50))
        let prefix = part.hasPrefix("\u{1b}[?1049h") ? "\u{1b}[?1049h" : ""
        let repeated = String(part.dropFirst(prefix.count))
        // Most of it is on the line that a carriage return made editable.
        screen.feed(prefix + "a\u{8}")
        let block = String(repeating: repeated, count: part.contains("1000") ? 10 : 400)
        for _ in 0..<60 {
            screen.feed(block)
            _ = screen.takeReplies()
            if screen.count > 1 << 12 { _ = screen.takeSettledText(keeping: 1 << 10) }
            #expect(screen.count <= 1 << 13)
        }
        #expect(screen.cellCount <= 1 << 14)
    }
}
