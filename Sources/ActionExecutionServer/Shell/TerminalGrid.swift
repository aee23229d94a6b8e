/// The rows of a terminal's screen as cells, with the cursor: what they show follows ECMA-48 and xterm, and where those
/// leave it open, tmux.
///
/// As long as nobody asks for the whole screen it may hold only its last rows; the first one is then not the screen's first.
/// Rows below the last one are empty.
struct TerminalGrid {
    let size: TerminalSize
    /// Never empty, and never more than the screen has.
    private(set) var rows = [TerminalRow()]
    private(set) var row = 0
    /// The cursor's column; the width itself when the row is full and the next character goes to the next one.
    private(set) var column = 0
    var modes: TerminalModes
    /// Whether the first row is the screen's first.
    var isWhole: Bool
    /// Rows that have left the screen at its top.
    private var scrolledOff: [TerminalRow] = []
    /// Whether the screen is an ordinary one, whose lines stay readable when they leave it.
    let keepsLines: Bool
    /// Whether the row above the first, which isn't here, has to end its line now.
    private var beginsLine = false
    /// Line feeds since anything else than text came.
    private(set) var quietFeeds = 0
    /// The beginning of a character in UTF-8 whose end has not arrived.
    private var incomplete: [UInt8] = []
    /// Whether the next character joins the one before (ZERO WIDTH JOINER).
    private var joinsNext = false

    init(size: TerminalSize, modes: TerminalModes? = nil, keepsLines: Bool = true) {
        self.size = size
        self.modes = modes ?? TerminalModes(height: size.rows)
        self.keepsLines = keepsLines
        isWhole = !keepsLines
    }

    var isOnLastRow: Bool { row == rows.count - 1 }
    /// Whether the cursor stands where text that only goes forwards would have left it.
    var isAtEnd: Bool { isOnLastRow && column == rows[row].cells.count && incomplete.isEmpty && !joinsNext }
    /// How many cells there are on all rows.
    var cellCount: Int { rows.reduce(0) { $0 + $1.cells.count } }

    /// Notes that a program did something else than write lines.
    mutating func noteChange() {
        quietFeeds = 0
    }

    // MARK: Rows that come and go at the top

    /// Adds rows above the first one.
    mutating func prepend(_ above: [TerminalRow]) {
        rows.insert(contentsOf: above, at: 0)
        row += above.count
        beginsLine = false
        while rows.count > size.rows { removeFirstRow() }
    }

    /// The rows that have left the screen since the last call, first those that left it first.
    mutating func takeScrolledOff() -> [TerminalRow] {
        defer { scrolledOff = [] }
        return scrolledOff
    }

    /// Whether the line that the first row may have continued ended since the last call.
    mutating func takeBeginsLine() -> Bool {
        defer { beginsLine = false }
        return beginsLine
    }

    private mutating func removeFirstRow() {
        leave(rows.removeFirst())
        row = max(0, row - 1)
        if rows.isEmpty { rows = [TerminalRow()] }
    }

    private mutating func leave(_ gone: TerminalRow) {
        if keepsLines { scrolledOff.append(gone) }
    }

    /// All rows leave the screen, as when it is cleared; the cursor stays where it is.
    mutating func scrollAllOff() {
        let used = rows.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0
        if used > 0 { rows[used - 1].isWrapped = false }
        for gone in rows[..<used] { leave(gone) }
        if used == 0 { beginsLine = true }
        rows = Array(repeating: TerminalRow(), count: row + 1)
        isWhole = true
    }

    // MARK: Telling

    mutating func markTold() {
        for index in rows.indices { rows[index].markTold() }
    }

    /// Appends the text of the first row that has changed since it was told, and of all below.
    ///
    /// - Parameter hasBegun: whether all rows are to be told.
    func appendNews(to text: inout [UInt8], hasBegun: Bool) {
        guard var first = hasBegun ? 0 : rows.firstIndex(where: { $0.news != .none }) else { return }
        var column = 0
        if !hasBegun {
            if case .suffix(let start) = rows[first].news { column = start }
            // A line is told as a whole.
            while column == 0, first > 0, rows[first - 1].isWrapped { first -= 1 }
        }
        // Empty rows below both text and cursor are nothing to see.
        let last = max(row, rows.lastIndex { $0.shownCount > 0 } ?? 0)
        guard first <= last else { return }
        for index in first...last {
            rows[index].append(column..<rows[index].shownCount, to: &text)
            if index < last, !rows[index].isWrapped { text.append(0x0a) }
            column = 0
        }
    }

    /// The rows of a line, as far as it was told and as far as it wasn't.
    static func rows(of line: Line, columns: Int) -> [TerminalRow] {
        var grid = TerminalGrid(size: TerminalSize(columns: columns, rows: .max))
        grid.write(line)
        grid.endIncompleteCharacter()
        return grid.rows
    }

    /// A line that was kept as bytes.
    struct Line {
        /// What was told of it; nil when it wasn't.
        var told: [UInt8]?
        var new: [UInt8]
    }

    mutating func write(_ line: Line) {
        if let told = line.told {
            told.withUnsafeBytes { write($0) }
            markTold()
        }
        line.new.withUnsafeBytes { write($0) }
    }

    // MARK: The cursor

    mutating func setColumn(_ wanted: Int) {
        column = max(0, min(wanted, size.columns - 1))
    }

    /// Goes to a row of the screen, or of the scroll region when rows are counted from it.
    mutating func setRow(_ wanted: Int) {
        var wanted = max(0, wanted)
        if modes.isRelativeToRegion {
            wanted = wanted > modes.bottom - modes.top ? modes.bottom : wanted + modes.top
        }
        goTo(row: wanted)
    }

    /// Goes to a row, which becomes one of ``rows``.
    mutating func goTo(row wanted: Int) {
        row = max(0, min(wanted, size.rows - 1))
        while rows.count <= row { rows.append(TerminalRow()) }
    }

    /// Puts the cursor where it was saved.
    mutating func restoreCursor(row: Int, column: Int) {
        goTo(row: row)
        setColumn(column)
    }

    mutating func carriageReturn() {
        column = 0
    }

    /// Goes left, at the beginning of a wrapped row to the end of the one above.
    mutating func backspace() {
        if column > 0 {
            column -= 1
        } else if row > 0, rows[row - 1].isWrapped {
            row -= 1
            column = size.columns - 1
        }
    }

    mutating func moveLeft(_ count: Int) {
        column = max(0, column - count)
    }

    mutating func moveRight(_ count: Int) {
        setColumn(column + count)
    }

    mutating func moveUp(_ count: Int) {
        let limit = row < modes.top ? 0 : modes.top
        setColumn(column)
        row = max(limit, row - count)
    }

    mutating func moveDown(_ count: Int) {
        let limit = row > modes.bottom ? size.rows - 1 : modes.bottom
        setColumn(column)
        goTo(row: min(limit, row + count))
    }

    mutating func tab() {
        column = modes.tabStop(after: column, width: size.columns)
    }

    mutating func tabBack(_ count: Int) {
        column = min(column, size.columns - 1)
        for _ in 0..<min(count, size.columns) { column = modes.tabStop(before: column) }
    }

    mutating func lineFeed(isWrap: Bool = false) {
        quietFeeds += 1
        if isWrap { rows[row].isWrapped = true }
        if row == modes.bottom {
            scrollUp()
        } else {
            goTo(row: row + 1)
        }
    }

    /// Goes up; at the top of the scroll region its rows go down.
    mutating func reverseLineFeed() {
        if row == modes.top {
            scrollDown()
        } else {
            row = max(0, row - 1)
        }
    }

    // MARK: Writing

    /// Puts text over what is there, from the cursor on; tabs only move the cursor.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let first = rest.first {
            if incomplete.isEmpty, (0x20..<0x7f).contains(first) {
                let run = rest.prefix { (0x20..<0x7f).contains($0) }
                writeASCII(run)
                rest = rest[run.endIndex...]
            } else if first == 0x09 {
                endIncompleteCharacter()
                tab()
                rest = rest.dropFirst()
            } else {
                let run = rest.prefix { $0 >= 0x80 || ($0 >= 0x20 && !incomplete.isEmpty) }
                writeEncoded(run)
                rest = rest[(run.isEmpty ? rest.startIndex + 1 : run.endIndex)...]
            }
        }
    }

    /// Shows what has arrived of a character that doesn't go on, since something else follows.
    mutating func endIncompleteCharacter() {
        guard !incomplete.isEmpty else { return }
        let bytes = incomplete
        incomplete = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { put(scalar) }
    }

    private mutating func writeEncoded(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let pending = incomplete + bytes
        let complete = pending.count - pending[...].incompleteSuffixCount
        incomplete = Array(pending[complete...])
        for scalar in String(decoding: pending[..<complete], as: UTF8.self).unicodeScalars { put(scalar) }
    }

    private mutating func writeASCII(_ bytes: Slice<UnsafeRawBufferPointer>) {
        // Nothing joins these.
        joinsNext = false
        guard modes.wraps, !modes.inserts, !modes.characterSets.drawsLines else {
            for byte in bytes { put(graphic(byte)) }
            return
        }
        var rest = bytes
        while !rest.isEmpty {
            if column >= size.columns { wrap() }
            let run = rest.prefix(size.columns - column)
            rows[row].put(ascii: run, at: column)
            column += run.count
            rest = rest.dropFirst(run.count)
        }
    }

    private func graphic(_ byte: UInt8) -> Unicode.Scalar {
        guard modes.characterSets.drawsLines, (0x60..<0x7f).contains(byte) else { return Unicode.Scalar(byte) }
        return TerminalModes.graphics[Int(byte) - 0x5f]
    }

    /// Writes an ASCII character several times, on this row only.
    mutating func `repeat`(_ byte: UInt8, _ count: Int) {
        for _ in 0..<max(0, min(count, size.columns - column)) { put(graphic(byte)) }
    }

    private mutating func wrap() {
        lineFeed(isWrap: true)
        column = 0
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        // Controls of the second set (ISO 6429) show nothing.
        if (0x80...0x9f).contains(scalar.value) { return }
        if scalar == "\u{200d}" {
            joinsNext = true
            return
        }
        if joinsNext { rows[row].combine("\u{200d}", before: column) }
        let width = scalar.terminalWidth
        if width == 0 || joinsNext {
            joinsNext = false
            if column > 0 { rows[row].combine(scalar, before: column) }
            return
        }
        if !modes.wraps, width > 1, column != size.columns, column > size.columns - width { return }
        if modes.inserts, column < size.columns {
            rows[row].insertBlanks(width, at: column, width: size.columns)
        }
        if modes.wraps, column > size.columns - width { wrap() }
        guard column <= size.columns - width else { return }
        rows[row].put(scalar, width: width, at: column)
        // Without wrapping the last column is written again and again.
        column = min(column + width, modes.wraps ? size.columns : size.columns - 1)
    }
}

// MARK: - Erasing, inserting, deleting, scrolling

extension TerminalGrid {
    /// EL: 0 from the cursor to the end, 1 from the beginning to the cursor, 2 all.
    mutating func eraseLine(_ mode: Int) {
        switch mode {
        case 0 where column == 0: eraseRow()
        case 0: rows[row].erase(column..<size.columns)
        case 1 where column >= size.columns - 1: eraseRow()
        case 1: rows[row].erase(0..<column + 1)
        case 2: eraseRow()
        default: break
        }
    }

    private mutating func eraseRow() {
        if !rows[row].isEmpty { clearRows(row..<row + 1) }
    }

    /// The rows become empty, and the line above ends there.
    private mutating func clearRows(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        for index in range.clamped(to: rows.indices) {
            rows[index].cells = []
            rows[index].isWrapped = false
        }
        endLine(before: range.lowerBound)
    }

    private mutating func endLine(before index: Int) {
        if index == 0 {
            beginsLine = true
        } else if rows.indices.contains(index - 1) {
            rows[index - 1].isWrapped = false
        }
    }

    /// ED: 0 from the cursor to the end, 1 from the beginning to the cursor.
    ///
    /// The whole screen is cleared by ``scrollAllOff()`` or ``eraseAll()``.
    mutating func eraseDisplay(_ mode: Int) {
        switch mode {
        case 0:
            if column == 0 { clearRows(row..<row + 1) } else { rows[row].erase(column..<size.columns) }
            if row + 1 < size.rows { clearRows(row + 1..<size.rows) }
        case 1:
            clearRows(0..<row)
            if column >= size.columns - 1 { clearRows(row..<row + 1) } else { rows[row].erase(0..<column + 1) }
        default: break
        }
    }

    mutating func eraseAll() {
        clearRows(0..<size.rows)
    }

    /// DECALN: fills the screen.
    mutating func fill(with scalar: Unicode.Scalar) {
        var full = TerminalRow()
        full.cells = Array(repeating: .scalar(scalar), count: size.columns)
        let wrapped = rows.map(\.isWrapped)
        rows = Array(repeating: full, count: size.rows)
        for (index, isWrapped) in wrapped.enumerated() { rows[index].isWrapped = isWrapped }
        (row, column) = (0, 0)
        (modes.top, modes.bottom) = (0, size.rows - 1)
    }

    mutating func eraseCharacters(_ count: Int) {
        rows[row].erase(column..<column + count)
    }

    mutating func deleteCharacters(_ count: Int) {
        rows[row].deleteCells(count, at: column, width: size.columns)
    }

    mutating func insertBlanks(_ count: Int) {
        guard column < size.columns else { return }
        rows[row].insertBlanks(count, at: column, width: size.columns)
    }

    private var lastRowOfRegion: Int { (modes.top...modes.bottom).contains(row) ? modes.bottom : size.rows - 1 }

    mutating func insertLines(_ count: Int) {
        let end = lastRowOfRegion + 1
        let count = min(count, end - row)
        withAllRows { grid in
            let kept = end - grid.row - count
            grid.moveRows(from: grid.row, to: grid.row + count, count: kept)
            grid.clearRest(count, kept)
        }
    }

    mutating func deleteLines(_ count: Int) {
        let end = lastRowOfRegion + 1
        let count = min(count, end - row)
        withAllRows { grid in
            let kept = end - grid.row - count
            grid.moveRows(from: grid.row + count, to: grid.row, count: kept)
            grid.clearRest(count, kept)
        }
    }

    /// Clears what moving `kept` rows by `count` left; where nothing is left, tmux ends a line all the same.
    private mutating func clearRest(_ count: Int, _ kept: Int) {
        if count > kept {
            clearRows(row + kept..<row + count)
        } else if count < kept {
            endLine(before: row + kept)
        }
    }

    /// The rows of the region go up by one, and the first leaves the screen.
    mutating func scrollUp() {
        guard keepsLines else {
            return withAllRows { grid in
                grid.moveRows(from: grid.modes.top + 1, to: grid.modes.top, count: grid.modes.bottom - grid.modes.top)
            }
        }
        leave(modes.top < rows.count ? rows.remove(at: modes.top) : TerminalRow())
        if modes.bottom <= rows.count { rows.insert(TerminalRow(), at: modes.bottom) }
        goTo(row: row)
    }

    mutating func scrollDown() {
        withAllRows { grid in
            grid.moveRows(from: grid.modes.top, to: grid.modes.top + 1, count: grid.modes.bottom - grid.modes.top)
        }
    }

    /// Moves rows over others; where they were and aren't any more there are empty ones.
    ///
    /// As in tmux, the rows above both places end their lines.
    private mutating func moveRows(from source: Int, to destination: Int, count: Int) {
        guard count > 0, source != destination else { return }
        endLine(before: destination)
        let moved = Array(rows[source..<source + count])
        for index in source..<source + count { rows[index] = TerminalRow() }
        rows.replaceSubrange(destination..<destination + count, with: moved)
        if source < destination || source >= destination + count { endLine(before: source) }
    }

    /// Lets something use all rows of the screen, also those below the last.
    private mutating func withAllRows(_ change: (inout TerminalGrid) -> Void) {
        while rows.count < size.rows { rows.append(TerminalRow()) }
        change(&self)
        let used = rows.lastIndex { !$0.isEmpty || $0.isWrapped }.map { $0 + 1 } ?? 0
        rows.removeSubrange(max(used, row + 1)...)
    }
}

/// How many columns and rows a terminal has.
struct TerminalSize: Equatable, Sendable {
    var columns: Int
    var rows: Int
}
