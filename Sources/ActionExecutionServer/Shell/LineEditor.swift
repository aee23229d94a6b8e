/// The lines of a terminal that are being changed, as cells, with the cursor.
struct LineEditor {
    /// A column: a character, its continuation when it is wide, or nothing where the cursor only passed.
    private enum Cell: Equatable {
        case blank
        case character(Character)
        case continuation
    }

    /// Columns that a line can have at most: what is written beyond falls onto the last one, as on a terminal that
    /// doesn't wrap.
    ///
    /// More than the terminal's width, so that no program that minds it comes there.
    static let columnLimit = 4096
    /// Bytes of one character with its marks.
    private static let characterLimit = 64

    private var lines: [[Cell]]
    var row: Int
    var column: Int
    /// The beginning of a character in UTF-8 whose end has not arrived.
    private var incomplete: [UInt8] = []

    /// One line, with the cursor behind its last character.
    init(line: [UInt8]) {
        lines = [Self.cells(line)]
        row = 0
        column = lines[0].count
    }

    var lineCount: Int { lines.count }
    var isOnLastLine: Bool { row == lines.count - 1 }
    /// How many cells there are on all lines.
    var cellCount: Int { lines.reduce(0) { $0 + $1.count } }

    /// Adds lines above, and moves the cursor's row with the text.
    mutating func prepend(_ above: [[UInt8]]) {
        lines.insert(contentsOf: above.map(Self.cells), at: 0)
        row += above.count
    }

    /// Moves the cursor down, to the bottom of the screen at most.
    mutating func moveDown(_ count: Int) {
        row = min(row + count, max(TerminalScreen.height, lines.count) - 1)
        while lines.count <= row { lines.append([]) }
    }

    /// Moves the cursor to the next line; at the bottom of the screen the first one leaves it.
    mutating func lineFeed() {
        if row == TerminalScreen.height - 1 {
            lines.removeFirst()
            row -= 1
        }
        moveDown(1)
        column = 0
    }

    /// Puts text over what is there, from the cursor on.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        var pending = incomplete
        pending.append(contentsOf: bytes)
        let complete = Self.completePrefix(pending)
        incomplete = Array(pending[complete...])
        for scalar in String(decoding: pending[..<complete], as: UTF8.self).unicodeScalars { put(scalar) }
    }

    /// Shows what has arrived of a character that doesn't go on, since something else follows.
    mutating func endIncompleteCharacter() {
        guard !incomplete.isEmpty else { return }
        let bytes = incomplete
        incomplete = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { put(scalar) }
    }

    /// Forgets what has arrived of a character that isn't complete.
    mutating func dropIncompleteCharacter() {
        incomplete = []
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        let width = scalar.terminalWidth
        if width == 0 {
            combine(scalar)
            return
        }
        column = min(column, Self.columnLimit - width)
        pad(to: column + width)
        clearCharacter(at: column)
        if width == 2 { clearCharacter(at: column + 1) }
        lines[row][column] = .character(Character(scalar))
        if width == 2 { lines[row][column + 1] = .continuation }
        column += width
    }

    /// Adds a mark to the character before the cursor.
    private mutating func combine(_ mark: Unicode.Scalar) {
        var index = min(column, lines[row].count) - 1
        while index >= 0, lines[row][index] == .continuation { index -= 1 }
        guard index >= 0, case .character(let base) = lines[row][index],
            base.utf8.count < Self.characterLimit
        else { return }
        var text = String(base)
        text.unicodeScalars.append(mark)
        // Marks that don't join the character, such as a zero-width space, are dropped.
        if text.count == 1, let joined = text.first { lines[row][index] = .character(joined) }
    }

    /// A wide character or tab that loses one of its columns loses all.
    private mutating func clearCharacter(at index: Int) {
        var first = index
        while first > 0, lines[row][first] == .continuation { first -= 1 }
        var end = index + 1
        while end < lines[row].count, lines[row][end] == .continuation { end += 1 }
        if end - first > 1 || lines[row][index] == .continuation {
            for column in first..<end { lines[row][column] = .blank }
        }
    }

    private mutating func pad(to count: Int) {
        while lines[row].count < count { lines[row].append(.blank) }
    }

    // MARK: Erasing, deleting, inserting

    /// EL: 0 from the cursor to the end, 1 from the beginning to the cursor, 2 all.
    mutating func eraseLine(_ mode: Int) {
        switch mode {
        case 0: if column < lines[row].count { lines[row].removeSubrange(column...) }
        case 1: for index in 0..<min(column + 1, lines[row].count) { lines[row][index] = .blank }
        case 2: lines[row] = []
        default: break
        }
    }

    /// ED: 0 from the cursor to the end, 1 from the beginning to the cursor, 2 and 3 all.
    mutating func eraseDisplay(_ mode: Int) {
        switch mode {
        case 0:
            eraseLine(0)
            lines.removeSubrange((row + 1)...)
        case 1:
            for index in 0..<row { lines[index] = [] }
            eraseLine(1)
        case 2, 3:
            lines = Array(repeating: [], count: row + 1)
        default: break
        }
    }

    mutating func eraseCharacters(_ count: Int) {
        for index in column..<max(column, min(column + count, lines[row].count)) { lines[row][index] = .blank }
    }

    mutating func deleteCharacters(_ count: Int) {
        guard column < lines[row].count else { return }
        lines[row].removeSubrange(column..<min(column + count, lines[row].count))
    }

    mutating func insertBlanks(_ count: Int) {
        guard column < lines[row].count else { return }
        lines[row].insert(contentsOf: repeatElement(.blank, count: min(count, TerminalScreen.width)), at: column)
        lines[row].removeSubrange(min(lines[row].count, Self.columnLimit)...)
    }

    mutating func insertLines(_ count: Int) {
        lines.insert(contentsOf: repeatElement([], count: min(count, TerminalScreen.height)), at: row)
        lines.removeSubrange(max(row + 1, min(lines.count, TerminalScreen.height))...)
    }

    mutating func deleteLines(_ count: Int) {
        lines.removeSubrange(row..<min(row + count, lines.count))
        while lines.count <= row { lines.append([]) }
    }

    // MARK: Bytes

    /// Writes the lines as text, without blanks at their ends.
    func append(to text: inout [UInt8]) {
        for (index, line) in lines.enumerated() {
            if index > 0 { text.append(0x0a) }
            let end = line.lastIndex { $0 != .blank }.map { $0 + 1 } ?? 0
            for cell in line[..<end] {
                switch cell {
                case .blank: text.append(0x20)
                case .character(let character): text.append(contentsOf: character.utf8)
                case .continuation: break
                }
            }
        }
        text.append(contentsOf: incomplete)
    }

    private static func cells(_ line: [UInt8]) -> [Cell] {
        var cells: [Cell] = []
        for character in String(decoding: line, as: UTF8.self) {
            cells.append(.character(character))
            let width = character == "\t" ? 8 - (cells.count - 1) % 8 : character.terminalWidth
            cells.append(contentsOf: repeatElement(.continuation, count: max(0, width - 1)))
        }
        return cells
    }

    /// The length without a character at the end that has only begun.
    private static func completePrefix(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }
}

extension Character {
    /// The columns that a terminal gives the character.
    fileprivate var terminalWidth: Int {
        unicodeScalars.first.map { max(1, $0.terminalWidth) } ?? 1
    }
}

extension Unicode.Scalar {
    /// 0 for marks, 2 for East Asian wide characters and emoji (Unicode Standard Annex 11), else 1.
    fileprivate var terminalWidth: Int {
        guard value >= 0x300 else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
            0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f,
            0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
            return 2
        default:
            return properties.isEmojiPresentation ? 2 : 1
        }
    }
}
