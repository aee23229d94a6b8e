/// Makes random terminal output, the same for the same seed.
///
/// What it leaves out is where tmux is on its own: wide characters of which one half is written over, parameters that are
/// too large, and line feeds that no carriage return precedes (see `TerminalScreen`).
struct TerminalSequenceGenerator {
    private var random: SeededGenerator
    private let columns: Int
    private let rows: Int

    init(seed: UInt64, columns: Int, rows: Int) {
        random = SeededGenerator(seed: seed)
        self.columns = columns
        self.rows = rows
    }

    private enum Style: CaseIterable {
        /// Progress bars: what changes the last lines.
        case lines
        /// Text with wide characters.
        case wide
        /// What full-screen programs write.
        case screen
        /// Modes too.
        case all
    }

    mutating func next() -> [UInt8] {
        let style = Style.allCases.randomElement(using: &random) ?? .all
        return (0..<Int.random(in: 5...120, using: &random)).flatMap { _ in Array(part(style).utf8) }
    }

    private mutating func part(_ style: Style) -> String {
        let choice = Int.random(in: 0..<100, using: &random)
        switch choice {
        case ..<35:
            return pick(Self.words + (style == .wide ? Self.wideWords : []) + [String(repeating: "z", count: columns)])
        case ..<50: return pick(["\r\n", "\r\n", "\r", style == .wide ? "\r" : "\u{8}", "\t"])
        case _ where style == .wide:
            return pick([csi("\(2 * count)C"), csi("J"), csi("H"), csi("A"), csi("m"), "\r\n"])
        case ..<60: return lineControl()
        case _ where style == .lines: return lineControl()
        case ..<80: return screenControl()
        case _ where style == .all: return mode()
        default: return screenControl()
        }
    }

    private static let words = [
        "abc", "x", "hello world ", "é", "e\u{301}", "─", "lqqk", "012345678901234567890123456789",
    ]
    private static let wideWords = ["日本", "🙂", "👩\u{200d}💻", "全角文字"]

    private mutating func lineControl() -> String {
        let count = count
        return pick(
            ["\r", "\r\n", "\u{8}", "\t", "\u{1b}]0;t\u{7}"]
                + ["K", "1K", "2K", "31m", "J", "?25l"].map(csi)
                + "ABCDGXP@".map { csi("\(count)\($0)") }
        )
    }

    private mutating func screenControl() -> String {
        let (count, row, other) = (count, row, max(1, row))
        return pick(
            ["\u{1b}7", "\u{1b}8", "\u{1b}M", "\u{1b}D", "\u{1b}E"]
                + [
                    "\(row);\(count)H", "\(row)d", "J", "1J", "2J", "\(row)S", "\(row)T", "\(row);\(other)r", "r", "s",
                    "u", "H",
                ]
                .map(csi)
                + "LMEFb".map { csi("\(count)\($0)") }
        )
    }

    private mutating func mode() -> String {
        let modes = [
            "?7l", "?7h", "4h", "4l", "?6h", "?6l", "g", "3g", "\(count)Z", "?1049h", "?1049l", "?47h", "?47l", "3J",
            "?3h",
        ]
        return pick(
            ["\u{1b}H", "\u{1b}(0", "\u{1b}(B", "\u{1b})0", "\u{e}", "\u{f}", "\u{1b}c", "\u{1b}#8"] + modes.map(csi)
        )
    }

    private func csi(_ rest: String) -> String { "\u{1b}[" + rest }

    private var count: Int {
        mutating get { pick([0, 1, 1, 2, 3, 5, Int.random(in: 1...columns + 3, using: &random)]) }
    }

    private var row: Int {
        mutating get { pick([0, 1, 2, rows, Int.random(in: 1...rows + 2, using: &random)]) }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }
}
