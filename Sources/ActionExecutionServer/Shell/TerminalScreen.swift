/// A model of the terminal that a shell writes to, so that an agent reads what a person would see.
///
/// Text is kept as bytes for as long as output only goes forwards, which is nearly always. When the cursor moves (a
/// carriage return that no line feed follows, a backspace, a cursor sequence) the lines concerned become cells of a
/// ``TerminalGrid``, and bytes again when output goes forwards for a while. Lines that leave the screen stay readable,
/// and those that the terminal wrapped are one line; colours, titles and other sequences that show nothing are dropped.
///
/// In text that only goes forwards a line feed begins a line at the left, as if a carriage return came before: the stairs
/// that lines make on a terminal whose modes a program has left raw tell nothing. Elsewhere it keeps its column.
///
/// What was taken is remembered as long as it is on the screen, since the program draws over it. It isn't told again,
/// but for lines that have changed since, with all that is below them.
struct TerminalScreen {
    /// The width and height that the terminal is given: the reference's, so that programs lay out their output alike.
    static let width = 1000
    static let height = 1000

    let size: TerminalSize
    /// Bytes of the lines that weren't taken and aren't cells.
    ///
    /// The last line has no line feed yet unless it is empty.
    private(set) var text: [UInt8] = []
    /// Bytes at the beginning of the text that are what they were at the last call of ``markUnchanged()``.
    private(set) var unchangedCount = 0
    /// Bytes of lines before the text that were taken.
    private var toldText: [UInt8] = []
    /// What is kept of that, at least.
    private static let toldLimit = 1 << 16
    /// Bytes of the told text and the text, from the beginning, that have left the screen: nothing brings them back.
    private var historyCount = 0
    /// The last lines as cells while something on them is changed, else nil.
    private var grid: TerminalGrid?
    /// The ordinary screen, all of it, while a program shows the alternate one, which is the grid then.
    private var ordinaryGrid: TerminalGrid?
    private var parser = EscapeSequenceParser()
    /// Whether the cursor is at the beginning of the last line while that has become no cells.
    private var hasPendingReturn = false
    /// Character sets that were chosen and are not in use, while there are no cells.
    private var characterSets = TerminalModes.CharacterSets()
    private var savedCursor = SavedCursor()
    /// Where the cursor was when the alternate screen was shown last.
    private var cursorBeforeAlternate: (row: Int, column: Int)?
    /// The character written last, if nothing else came since.
    private var lastWritten: UInt8?

    /// What DECSC saves.
    private struct SavedCursor {
        var row = 0
        var column = 0
        var characterSets = TerminalModes.CharacterSets()
        var isRelativeToRegion = false
    }

    /// What the terminal itself has to say to the program, in answer to its questions; the caller types it.
    private(set) var replies: [UInt8] = []

    init(size: TerminalSize = TerminalSize(columns: width, rows: height)) {
        self.size = size
    }

    /// Bytes held as text that wasn't taken.
    var count: Int { text.count }
    /// Cells held on lines that are being changed.
    var cellCount: Int { (grid?.cellCount ?? 0) + (ordinaryGrid?.cellCount ?? 0) }

    /// Shows output.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if parser.isInGround {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
                let count = grid == nil && !hasPendingReturn ? appendPlainText(rest) : writeText(rest)
                if count > 0 {
                    let last = rest[count - 1]
                    lastWritten = (0x20..<0x7f).contains(last) ? last : nil
                    index += count
                    continue
                }
            }
            if let control = parser.consume(bytes[index]) {
                apply(control)
                lastWritten = nil
            }
            index += 1
        }
    }

    // MARK: Taking

    /// Everything that is new on the screen; a full-screen program's screen is taken as a whole each time.
    ///
    /// A sequence that is not complete yet stays open.
    mutating func takeText() -> [UInt8] {
        let taken = text + tail(isEnd: true)
        toldText.append(contentsOf: text)
        shortenToldText()
        text = []
        unchangedCount = 0
        if ordinaryGrid == nil { grid?.markTold() } else { ordinaryGrid?.markTold() }
        return taken
    }

    /// What is shown behind the text: lines that are being changed, and a full-screen program's screen.
    ///
    /// - Parameter isEnd: whether a character that has begun will not be completed, and so is shown as broken.
    func tail(isEnd: Bool) -> [UInt8] {
        var tail: [UInt8] = []
        var grid = grid
        if isEnd { grid?.endIncompleteCharacter() }
        guard let ordinaryGrid else {
            grid?.appendNews(to: &tail, hasBegun: !text.isEmpty)
            return tail
        }
        ordinaryGrid.appendNews(to: &tail, hasBegun: !text.isEmpty)
        if let last = tail.last ?? text.last, last != 0x0a { tail.append(0x0a) }
        grid?.appendNews(to: &tail, hasBegun: true)
        return tail
    }

    /// Takes all of the text for unchanged until it is shortened.
    mutating func markUnchanged() {
        unchangedCount = text.count
    }

    /// What the terminal has to say to the program since the last call.
    mutating func takeReplies() -> [UInt8] {
        defer { replies = [] }
        return replies
    }

    /// Takes lines away that can hardly change any more: all but the last `kept` bytes, or somewhat more.
    ///
    /// A line that is longer than that is taken in parts.
    mutating func takeSettledText(keeping kept: Int) -> [UInt8] {
        guard text.count > kept else { return [] }
        var end = text.count - kept
        if let feed = text[..<end].lastIndex(of: 0x0a) {
            end = feed + 1
        } else {
            // Not within a character.
            while end > 0, end > text.count - kept - 3, text[end] & 0xc0 == 0x80 { end -= 1 }
        }
        let settled = Array(text[..<end])
        text.removeSubrange(..<end)
        unchangedCount = max(0, unchangedCount - end)
        // What was taken stands before what is settled.
        historyCount = max(0, historyCount - end - toldText.count)
        toldText = []
        return settled
    }

    private mutating func shortenToldText() {
        guard toldText.count > 2 * Self.toldLimit else { return }
        let line = toldText[..<(toldText.count - Self.toldLimit)].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        let start = max(line, toldText.count - 2 * Self.toldLimit)
        toldText.removeSubrange(..<start)
        historyCount = max(0, historyCount - start)
    }

    /// Bytes that are on the screen and are no cells.
    private var recallableCount: Int { toldText.count + text.count - historyCount }

    // MARK: Plain text

    /// Appends text that only goes forwards.
    ///
    /// - Returns: how many bytes that were, up to one that does something else.
    private mutating func appendPlainText(_ bytes: UnsafeRawBufferPointer) -> Int {
        withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 1) { plain in
            var index = 0
            var count = 0
            // Controls of the second set (ISO 6429) show nothing.
            if text.last == 0xc2, let first = bytes.first, (0x80...0x9f).contains(first) {
                text.removeLast()
                index = 1
            }
            loop: while index < bytes.count {
                let byte = bytes[index]
                switch byte {
                case 0x20...0x7e, 0x80...0xc1, 0xc3...0xff, 0x09, 0x0a:
                    plain[count] = byte
                    count += 1
                    index += 1
                case 0x0d:
                    guard index + 1 < bytes.count, bytes[index + 1] == 0x0a else { break loop }
                    index += 1
                case 0xc2:
                    if index + 1 < bytes.count, (0x80...0x9f).contains(bytes[index + 1]) {
                        index += 2
                    } else {
                        plain[count] = byte
                        count += 1
                        index += 1
                    }
                default:
                    break loop
                }
            }
            text.append(contentsOf: UnsafeRawBufferPointer(rebasing: plain[..<count]))
            return index
        }
    }

    private var isAtLineStart: Bool { (text.last ?? toldText.last ?? 0x0a) == 0x0a }

    /// Writes text to the cells.
    private mutating func writeText(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.firstIndex { $0 < 0x20 || $0 == 0x7f } ?? bytes.count
        guard count > 0 else { return 0 }
        if grid == nil { makeGrid() }
        var index = 0
        while index < count {
            // In pieces, so that output that goes forwards again becomes bytes before there are too many cells.
            let piece = bytes[index..<min(index + 4096, count)]
            write(UnsafeRawBufferPointer(rebasing: piece))
            index = piece.endIndex
            if grid == nil { break }
        }
        return index
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard var changed = grid.take() else { return }
        changed.write(bytes)
        settle(&changed)
        grid = changed
        foldIfQuiet()
    }

    // MARK: Between bytes and cells

    /// Changes the screen, of which the last lines become cells if they are not.
    mutating func edit(isChange: Bool = true, _ change: (inout TerminalGrid) -> Void) {
        if grid == nil { makeGrid() }
        guard var changed = grid.take() else { return }
        if isChange { changed.noteChange() }
        changed.endIncompleteCharacter()
        change(&changed)
        settle(&changed)
        grid = changed
    }

    /// Changes the screen, all of whose lines become cells.
    mutating func editAll(_ change: (inout TerminalGrid) -> Void) {
        recall(size.rows)
        edit(change)
    }

    private mutating func makeGrid() {
        var made = TerminalGrid(size: size)
        made.modes.characterSets = characterSets
        made.write(takeOpenLine())
        if hasPendingReturn {
            made.endIncompleteCharacter()
            made.carriageReturn()
        }
        hasPendingReturn = false
        settle(&made)
        grid = made
    }

    /// Makes up to `count` lines above the first row editable too.
    mutating func recall(_ count: Int) {
        if grid == nil { makeGrid() }
        guard grid?.isWhole == false, var changed = grid.take() else { return }
        var above: [[TerminalRow]] = []
        var found = 0
        while found < count, changed.rows.count + found < size.rows, recallableCount > 0 {
            let isOpen = !isAtLineStart
            if !isOpen { removeLineFeed() }
            var rows = TerminalGrid.rows(of: takeOpenLine(), columns: size.columns)
            if isOpen { rows[rows.count - 1].isWrapped = true }
            found += rows.count
            above.append(rows)
        }
        if found > 0 { changed.prepend(above.reversed().flatMap(\.self)) }
        changed.isWhole = recallableCount == 0 || changed.rows.count == size.rows
        settle(&changed)
        grid = changed
    }

    private mutating func removeLineFeed() {
        if text.isEmpty { toldText.removeLast() } else { text.removeLast() }
        unchangedCount = min(unchangedCount, text.count)
    }

    /// What stands behind the last line feed, as far as it was taken and as far as it wasn't.
    private mutating func takeOpenLine() -> TerminalGrid.Line {
        let new = text.removeLastLine(atMost: recallableCount)
        unchangedCount = min(unchangedCount, text.count)
        let isTold = text.isEmpty && !toldText.isEmpty
        return TerminalGrid.Line(told: isTold ? toldText.removeLastLine(atMost: recallableCount) : nil, new: new)
    }

    /// Makes text of the rows that have left the screen.
    private mutating func settle(_ changed: inout TerminalGrid) {
        for row in changed.takeScrolledOff() { store(row, endsLine: !row.isWrapped) }
        if changed.takeBeginsLine(), changed.keepsLines, !isAtLineStart {
            if text.isEmpty { toldText.append(0x0a) } else { text.append(0x0a) }
        }
    }

    private mutating func store(_ row: TerminalRow, endsLine: Bool, atLeast count: Int = 0) {
        let end = max(row.shownCount, count)
        switch text.isEmpty ? row.news : .all {
        case .none:
            row.append(0..<end, to: &toldText)
            if endsLine { toldText.append(0x0a) }
            shortenToldText()
            return
        case .suffix(let start):
            row.append(0..<start, to: &toldText)
            row.append(start..<end, to: &text)
        case .all:
            row.append(0..<end, to: &text)
        }
        if endsLine { text.append(0x0a) }
    }

    /// Makes text of the cells when output goes forwards again, for as many lines as there are.
    private mutating func foldIfQuiet() {
        guard ordinaryGrid == nil, let folded = grid, folded.isAtEnd, 2 * folded.quietFeeds >= folded.rows.count,
            folded.modes.isOrdinary(height: size.rows),
            folded.rows.allSatisfy({ !$0.isWrapped || $0.cells.count == size.columns })
        else { return }
        if folded.isWhole { historyCount = toldText.count + text.count }
        for row in folded.rows.dropLast() { store(row, endsLine: !row.isWrapped) }
        if let last = folded.rows.last { store(last, endsLine: false, atLeast: folded.column) }
        characterSets = folded.modes.characterSets
        grid = nil
    }
}

// MARK: - Controls

extension TerminalScreen {
    private mutating func apply(_ control: EscapeSequenceParser.Control) {
        switch control {
        case .lineFeed: lineFeed()
        case .carriageReturn:
            if grid == nil { hasPendingReturn = true } else { edit(isChange: false) { $0.carriageReturn() } }
        case .backspace:
            edit { _ in }
            if grid?.row == 0, grid?.column == 0 { recall(1) }
            edit { $0.backspace() }
        case .tab: edit(isChange: false) { $0.tab() }
        case .shift(let set): changeCharacterSets { $0.current = set }
        case .escape(let final, let intermediate): apply(escape: final, intermediate)
        case .sequence(let sequence):
            switch (sequence.prefix, sequence.intermediate) {
            case (nil, nil): apply(sequence)
            case (UInt8(ascii: "?"), nil): applyPrivate(sequence)
            default: replies.append(contentsOf: TerminalReply.reply(to: sequence))
            }
        }
    }

    private mutating func lineFeed() {
        if grid == nil {
            hasPendingReturn = false
            text.append(0x0a)
            return
        }
        edit(isChange: false) { $0.lineFeed() }
        foldIfQuiet()
    }

    private mutating func apply(escape final: UInt8, _ intermediate: UInt8?) {
        switch (final, intermediate) {
        case (UInt8(ascii: "M"), nil): reverseLineFeed()
        case (UInt8(ascii: "D"), nil): edit { $0.lineFeed() }
        case (UInt8(ascii: "E"), nil):
            edit {
                $0.carriageReturn()
                $0.lineFeed()
            }
        case (UInt8(ascii: "H"), nil):
            edit { $0.modes.setTabStop($0.column, isSet: true, width: $0.size.columns) }
        case (UInt8(ascii: "7"), nil): saveCursor()
        case (UInt8(ascii: "8"), nil): restoreCursor()
        case (UInt8(ascii: "c"), nil): reset()
        case (UInt8(ascii: "8"), UInt8(ascii: "#")): editAll { $0.fill(with: "E") }
        case (_, UInt8(ascii: "(")): changeCharacterSets { $0.isGraphics[0] = final == UInt8(ascii: "0") }
        case (_, UInt8(ascii: ")")): changeCharacterSets { $0.isGraphics[1] = final == UInt8(ascii: "0") }
        default: break
        }
    }

    private mutating func apply(_ sequence: EscapeSequenceParser.Sequence) {
        let count = sequence.count
        switch sequence.final {
        case UInt8(ascii: "A"): moveUp(count)
        case UInt8(ascii: "B"), UInt8(ascii: "e"): moveDown(count)
        case UInt8(ascii: "C"), UInt8(ascii: "a"): edit { $0.moveRight(count) }
        case UInt8(ascii: "D"): edit { $0.moveLeft(count) }
        case UInt8(ascii: "E"):
            edit { $0.carriageReturn() }
            moveDown(count)
        case UInt8(ascii: "F"):
            edit { $0.carriageReturn() }
            moveUp(count)
        case UInt8(ascii: "G"), UInt8(ascii: "`"): edit { $0.setColumn(count - 1) }
        case UInt8(ascii: "d"): editAll { $0.setRow(count - 1) }
        case UInt8(ascii: "H"), UInt8(ascii: "f"):
            editAll {
                $0.setRow(count - 1)
                $0.setColumn(max(1, sequence.parameter(1)) - 1)
            }
        case UInt8(ascii: "I"): edit { for _ in 0..<min(count, $0.size.columns) { $0.tab() } }
        case UInt8(ascii: "Z"): edit { $0.tabBack(count) }
        case UInt8(ascii: "J"): eraseDisplay(sequence.parameter(0))
        case UInt8(ascii: "K"): edit { $0.eraseLine(sequence.parameter(0)) }
        case UInt8(ascii: "X"): edit { $0.eraseCharacters(count) }
        case UInt8(ascii: "P"): edit { $0.deleteCharacters(count) }
        case UInt8(ascii: "@"): edit { $0.insertBlanks(count) }
        case UInt8(ascii: "L"): editAll { $0.insertLines(count) }
        case UInt8(ascii: "M"): editAll { $0.deleteLines(count) }
        case UInt8(ascii: "S"): editAll { for _ in 0..<min(count, $0.size.rows) { $0.scrollUp() } }
        case UInt8(ascii: "T"): editAll { for _ in 0..<min(count, $0.size.rows) { $0.scrollDown() } }
        case UInt8(ascii: "b"): if let lastWritten { edit { $0.repeat(lastWritten, count) } }
        case UInt8(ascii: "g"): clearTabStops(sequence.parameter(0))
        case UInt8(ascii: "r"): setScrollRegion(sequence)
        case UInt8(ascii: "s"): saveCursor()
        case UInt8(ascii: "u"): restoreCursor()
        case UInt8(ascii: "h"): if sequence.parameters.contains(4) { edit { $0.modes.inserts = true } }
        case UInt8(ascii: "l"): if sequence.parameters.contains(4) { edit { $0.modes.inserts = false } }
        case UInt8(ascii: "n") where sequence.parameter(0) == 6: reportCursor(prefix: "")
        case UInt8(ascii: "t") where sequence.parameter(0) == 18:
            replies.append(contentsOf: "\u{1b}[8;\(size.rows);\(size.columns)t".utf8)
        default: replies.append(contentsOf: TerminalReply.reply(to: sequence))
        }
    }

    private mutating func applyPrivate(_ sequence: EscapeSequenceParser.Sequence) {
        let isSet = sequence.final == UInt8(ascii: "h")
        guard isSet || sequence.final == UInt8(ascii: "l") else {
            if sequence.final == UInt8(ascii: "n"), sequence.parameter(0) == 6 { reportCursor(prefix: "?") }
            return
        }
        for mode in sequence.parameters {
            switch mode {
            case 3:
                eraseDisplay(2)
                editAll {
                    $0.setRow(0); $0.setColumn(0)
                }
            case 6:
                editAll {
                    $0.modes.isRelativeToRegion = isSet
                    $0.setRow(0)
                    $0.setColumn(0)
                }
            case 7: edit { $0.modes.wraps = isSet }
            case 47, 1047, 1049:
                if isSet {
                    enterAlternateScreen(savesCursor: mode == 1049)
                } else {
                    leaveAlternateScreen(restoresCursor: mode == 1049)
                }
            default: break
            }
        }
    }

    private mutating func moveUp(_ count: Int) {
        edit { _ in }
        if let row = grid?.row, row < count { recall(count - row) }
        edit { $0.moveUp(count) }
    }

    private mutating func moveDown(_ count: Int) {
        edit { _ in }
        if let grid, grid.row + count >= grid.rows.count { recall(size.rows) }
        edit { $0.moveDown(count) }
    }

    private mutating func reverseLineFeed() {
        edit { _ in }
        if grid?.row == 0 { recall(1) }
        edit { $0.reverseLineFeed() }
    }

    private mutating func eraseDisplay(_ mode: Int) {
        switch mode {
        case 0:
            edit { _ in }
            if grid?.row == 0, grid?.column == 0 { recall(size.rows) }
            edit {
                // As when the whole screen is cleared.
                if $0.row == 0, $0.column == 0, $0.keepsLines { $0.scrollAllOff() } else { $0.eraseDisplay(0) }
            }
        case 1: editAll { $0.eraseDisplay(1) }
        case 2: editAll { if $0.keepsLines { $0.scrollAllOff() } else { $0.eraseAll() } }
        case 3:
            // The lines that have left the screen.
            editAll { _ in }
            text = []
            toldText = []
            unchangedCount = 0
            historyCount = 0
        default: break
        }
    }

    private mutating func setScrollRegion(_ sequence: EscapeSequenceParser.Sequence) {
        let height = size.rows
        let top = min(sequence.count, height) - 1
        let bottom = sequence.parameter(1) == 0 ? height - 1 : min(sequence.parameter(1), height) - 1
        guard top < bottom else { return }
        editAll {
            ($0.modes.top, $0.modes.bottom) = (top, bottom)
            $0.restoreCursor(row: 0, column: 0)
        }
    }

    private mutating func clearTabStops(_ mode: Int) {
        switch mode {
        case 0: edit { $0.modes.setTabStop($0.column, isSet: false, width: $0.size.columns) }
        case 3: edit { $0.modes.tabStops = [] }
        default: break
        }
    }

    private mutating func changeCharacterSets(_ change: (inout TerminalModes.CharacterSets) -> Void) {
        var changed = grid?.modes.characterSets ?? characterSets
        change(&changed)
        if grid != nil || changed.drawsLines {
            edit { $0.modes.characterSets = changed }
        } else {
            characterSets = changed
        }
    }

    private mutating func saveCursor() {
        editAll { _ in }
        guard let grid else { return }
        savedCursor = SavedCursor(
            row: grid.row,
            column: grid.column,
            characterSets: grid.modes.characterSets,
            isRelativeToRegion: grid.modes.isRelativeToRegion
        )
    }

    private mutating func restoreCursor() {
        let saved = savedCursor
        editAll {
            $0.modes.characterSets = saved.characterSets
            $0.modes.isRelativeToRegion = saved.isRelativeToRegion
            $0.restoreCursor(row: saved.row, column: saved.column)
        }
    }

    private mutating func reportCursor(prefix: String) {
        editAll { _ in }
        guard let grid else { return }
        let column = min(grid.column, size.columns - 1)
        replies.append(contentsOf: "\u{1b}[\(prefix)\(grid.row + 1);\(column + 1)R".utf8)
    }

    private mutating func reset() {
        savedCursor = SavedCursor()
        eraseDisplay(2)
        edit {
            $0.modes = TerminalModes(height: $0.size.rows)
            $0.restoreCursor(row: 0, column: 0)
        }
    }

    private mutating func enterAlternateScreen(savesCursor: Bool) {
        guard ordinaryGrid == nil else { return }
        editAll { _ in }
        guard let ordinary = grid else { return }
        if savesCursor { cursorBeforeAlternate = (ordinary.row, ordinary.column) }
        var alternate = TerminalGrid(size: size, modes: ordinary.modes, keepsLines: false)
        alternate.restoreCursor(row: ordinary.row, column: ordinary.column)
        ordinaryGrid = ordinary
        grid = alternate
    }

    private mutating func leaveAlternateScreen(restoresCursor: Bool) {
        let alternate = grid
        var place = grid.map { (row: $0.row, column: $0.column) }
        if restoresCursor, let before = cursorBeforeAlternate { place = before }
        if let ordinary = ordinaryGrid.take() {
            grid = ordinary
        } else if !restoresCursor || cursorBeforeAlternate == nil {
            return
        }
        editAll {
            if let alternate { $0.modes = alternate.modes }
            if let place { $0.restoreCursor(row: place.row, column: place.column) }
        }
    }
}

extension [UInt8] {
    /// Removes and returns what stands behind the last line feed, or some of it.
    fileprivate mutating func removeLastLine(atMost limit: Int) -> [UInt8] {
        let start = suffix(limit).lastIndex(of: 0x0a).map { $0 + 1 } ?? Swift.max(0, count - limit)
        defer { removeSubrange(start...) }
        return Array(self[start...])
    }
}
