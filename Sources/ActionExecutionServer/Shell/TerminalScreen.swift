/// A model of the terminal that a shell writes to, so that an agent reads what a person would see.
///
/// Text is kept as bytes for as long as output only goes forwards, which is nearly always. When the cursor moves back (a
/// carriage return that no line feed follows, a backspace, a cursor sequence) the lines concerned become cells, and
/// become bytes again with the line feed that leaves them. Lines don't wrap: the terminal is told to be very wide.
/// Colours, titles and other sequences that show nothing are dropped.
struct TerminalScreen {
    /// Bytes of the lines that are not being edited.
    ///
    /// The last line has no line feed yet unless it is empty.
    private(set) var text: [UInt8] = []
    /// Bytes at the beginning of the text that are what they were at the last call of ``markUnchanged()``.
    private(set) var unchangedCount = 0
    /// The last lines as cells while something on them is changed, else nil.
    private var editor: LineEditor?
    /// The ordinary screen while a program shows the alternate one.
    private var ordinaryEditor: LineEditor??
    private var parser = EscapeSequenceParser()
    private var hasPendingReturn = false
    /// Line feeds in the text that was there since the beginning, also in what was taken.
    private var lineFeedCount = 0
    /// The line counts from the beginning, except on the alternate screen.
    private var savedCursor = (line: 0, column: 0)

    /// What the terminal itself has to say to the program, in answer to its questions; the caller types it.
    private(set) var replies: [UInt8] = []

    init() {}

    /// Shows output.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if parser.isInGround {
                let end = Self.endOfPlainText(bytes, from: index)
                if end > index {
                    write(UnsafeRawBufferPointer(rebasing: bytes[index..<end]))
                    index = end
                    continue
                }
                // The commonest case by far: a line ends, and nothing on it was changed.
                if editor == nil, bytes[index] == 0x0a {
                    hasPendingReturn = false
                    endLine()
                    index += 1
                    continue
                }
            }
            if let control = parser.consume(bytes[index]) { apply(control) }
            index += 1
        }
    }

    /// Everything that is shown, and an empty screen from now on.
    ///
    /// A sequence that is not complete yet stays open, and a full-screen program's screen stays what it is.
    mutating func takeText() -> [UInt8] {
        hasPendingReturn = false
        unchangedCount = 0
        editor?.endIncompleteCharacter()
        guard let ordinary = ordinaryEditor else {
            fold()
            defer { text = [] }
            return text
        }
        let alternate = editor
        editor = ordinary
        fold()
        if !text.isEmpty, text.last != 0x0a { text.append(0x0a) }
        alternate?.append(to: &text)
        editor = alternate
        ordinaryEditor = .some(nil)
        defer { text = [] }
        return text
    }

    /// What is shown behind the text: lines that are being changed, and a full-screen program's screen.
    ///
    /// - Parameter isEnd: whether a character that has begun will not be completed, and so is shown as broken.
    func tail(isEnd: Bool) -> [UInt8] {
        var tail: [UInt8] = []
        var editor = editor
        if isEnd { editor?.endIncompleteCharacter() } else { editor?.dropIncompleteCharacter() }
        guard let ordinary = ordinaryEditor else {
            editor?.append(to: &tail)
            return tail
        }
        ordinary?.append(to: &tail)
        if let last = tail.last ?? text.last, last != 0x0a { tail.append(0x0a) }
        editor?.append(to: &tail)
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
        guard ordinaryEditor == nil, text.count > kept else { return [] }
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
        return settled
    }

    /// Bytes held as text.
    var count: Int { text.count }
    /// Cells held on lines that are being changed.
    var cellCount: Int { (editor?.cellCount ?? 0) + ((ordinaryEditor ?? nil)?.cellCount ?? 0) }

    // MARK: Plain text

    /// Printable bytes, including those of UTF-8, and tabs that stand in unedited lines.
    private static func endOfPlainText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x7f { index += 1 }
        return index
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) {
        if hasPendingReturn {
            hasPendingReturn = false
            edit { $0.column = 0 }
        }
        guard editor != nil else {
            text.append(contentsOf: bytes)
            return
        }
        // In pieces, so that a line that has become too long is noticed before it is longer still.
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.editedLength)
            rest = rest.dropFirst(piece.count)
            editor?.write(UnsafeRawBufferPointer(rebasing: piece))
            if let edited = editor, ordinaryEditor == nil, edited.isOnLastLine, edited.column >= Self.foldedColumn {
                fold()
                text.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest))
                return
            }
        }
    }

    /// Bytes of a very long line that are made cells when it is changed: the cursor doesn't come to what is before, since
    /// a terminal of this width would have wrapped the line.
    private static let editedLength = 1024
    /// Where a line has become too long to be kept as cells.
    private static let foldedColumn = 3072

    // MARK: Controls

    private mutating func apply(_ control: EscapeSequenceParser.Control) {
        editor?.endIncompleteCharacter()
        switch control {
        case .lineFeed:
            hasPendingReturn = false
            lineFeed()
            return
        case .carriageReturn:
            if editor == nil { hasPendingReturn = true } else { editor?.column = 0 }
            return
        case .sequence(final: UInt8(ascii: "m"), _, _):
            return
        case .tab where editor == nil && !hasPendingReturn:
            text.append(0x09)
            return
        default:
            break
        }
        if hasPendingReturn {
            hasPendingReturn = false
            edit { $0.column = 0 }
        }
        switch control {
        case .backspace: edit { $0.column = max(0, $0.column - 1) }
        case .tab: edit { $0.column = min(($0.column / 8 + 1) * 8, LineEditor.columnLimit) }
        case .sequence(let final, let prefix, let parameters): apply(final, prefix, parameters)
        case .escape(UInt8(ascii: "M")): moveUp(1)
        case .escape(UInt8(ascii: "E")), .escape(UInt8(ascii: "D")): lineFeed()
        case .escape(UInt8(ascii: "7")): saveCursor()
        case .escape(UInt8(ascii: "8")): restoreCursor()
        case .lineFeed, .carriageReturn, .escape: break
        }
    }

    private mutating func apply(_ final: UInt8, _ prefix: UInt8?, _ parameters: [Int]) {
        let first = parameters.first ?? 0
        let count = max(1, first)
        switch (final, prefix) {
        case (UInt8(ascii: "A"), nil): moveUp(count)
        case (UInt8(ascii: "B"), nil), (UInt8(ascii: "e"), nil): edit { $0.moveDown(count) }
        case (UInt8(ascii: "C"), nil), (UInt8(ascii: "a"), nil): edit { $0.column = min($0.column + count, Self.width) }
        case (UInt8(ascii: "D"), nil): edit { $0.column = max(0, $0.column - count) }
        case (UInt8(ascii: "E"), nil):
            edit {
                $0.moveDown(count); $0.column = 0
            }
        case (UInt8(ascii: "F"), nil):
            moveUp(count)
            edit { $0.column = 0 }
        case (UInt8(ascii: "G"), nil), (UInt8(ascii: "`"), nil): edit { $0.column = min(count - 1, Self.width) }
        case (UInt8(ascii: "d"), nil): moveTo(row: count - 1, column: nil)
        case (UInt8(ascii: "H"), nil), (UInt8(ascii: "f"), nil):
            moveTo(row: count - 1, column: min(max(1, parameters.count > 1 ? parameters[1] : 1) - 1, Self.width))
        case (UInt8(ascii: "J"), nil): eraseDisplay(first)
        case (UInt8(ascii: "K"), nil): edit { $0.eraseLine(first) }
        case (UInt8(ascii: "X"), nil): edit { $0.eraseCharacters(count) }
        case (UInt8(ascii: "P"), nil): edit { $0.deleteCharacters(count) }
        case (UInt8(ascii: "@"), nil): edit { $0.insertBlanks(count) }
        case (UInt8(ascii: "L"), nil): edit { $0.insertLines(count) }
        case (UInt8(ascii: "M"), nil): edit { $0.deleteLines(count) }
        case (UInt8(ascii: "s"), nil): saveCursor()
        case (UInt8(ascii: "u"), nil): restoreCursor()
        case (UInt8(ascii: "n"), nil): reportStatus(first)
        case (UInt8(ascii: "c"), nil): replies.append(contentsOf: "\u{1b}[?1;2c".utf8)
        case (UInt8(ascii: "h"), UInt8(ascii: "?")): if isAlternateScreen(parameters) { enterAlternateScreen() }
        case (UInt8(ascii: "l"), UInt8(ascii: "?")): if isAlternateScreen(parameters) { leaveAlternateScreen() }
        default: break
        }
    }

    /// The width and height that the terminal is given: the reference's, so that programs lay out their output alike.
    static let width = 1000
    static let height = 1000

    private mutating func lineFeed() {
        guard editor == nil || (ordinaryEditor == nil && editor?.isOnLastLine == true) else {
            editor?.lineFeed()
            return
        }
        // Leaving the last line: nothing is being edited any more.
        fold()
        endLine()
    }

    private mutating func endLine() {
        text.append(0x0a)
        lineFeedCount += 1
    }

    private mutating func moveUp(_ count: Int) {
        edit { _ in }
        let missing = count - (editor?.row ?? 0)
        if missing > 0, ordinaryEditor == nil { recall(missing) }
        edit { $0.row = max(0, $0.row - count) }
    }

    private mutating func moveTo(row: Int, column: Int?) {
        edit { _ in }
        if ordinaryEditor == nil { recall(Self.height) }
        edit { editor in
            editor.row = 0
            editor.moveDown(min(row, Self.height - 1))
            if let column { editor.column = column }
        }
    }

    private mutating func eraseDisplay(_ mode: Int) {
        edit { _ in }
        if mode != 0, ordinaryEditor == nil { recall(Self.height) }
        edit { $0.eraseDisplay(mode) }
    }

    /// The line that the first edited one is, counted from the beginning.
    private var firstEditedLine: Int { ordinaryEditor == nil ? lineFeedCount : 0 }

    private mutating func saveCursor() {
        edit { _ in }
        savedCursor = (firstEditedLine + (editor?.row ?? 0), editor?.column ?? 0)
    }

    private mutating func restoreCursor() {
        edit { _ in }
        if ordinaryEditor == nil { recall(lineFeedCount - savedCursor.line) }
        let row = max(0, savedCursor.line - firstEditedLine)
        let column = savedCursor.column
        edit { editor in
            editor.row = 0
            editor.moveDown(row)
            editor.column = column
        }
    }

    private mutating func reportStatus(_ question: Int) {
        switch question {
        case 5: replies.append(contentsOf: "\u{1b}[0n".utf8)
        case 6:
            edit { _ in }
            replies.append(contentsOf: "\u{1b}[\((editor?.row ?? 0) + 1);\((editor?.column ?? 0) + 1)R".utf8)
        default: break
        }
    }

    private func isAlternateScreen(_ parameters: [Int]) -> Bool {
        parameters.contains { $0 == 1049 || $0 == 1047 || $0 == 47 }
    }

    private mutating func enterAlternateScreen() {
        guard ordinaryEditor == nil else { return }
        ordinaryEditor = .some(editor)
        editor = LineEditor(line: [])
    }

    private mutating func leaveAlternateScreen() {
        guard let ordinary = ordinaryEditor else { return }
        editor = ordinary
        ordinaryEditor = nil
    }

    // MARK: Between bytes and cells

    /// Changes the last lines, which become cells if they are not.
    private mutating func edit(_ change: (inout LineEditor) -> Void) {
        if editor == nil { editor = LineEditor(line: takeLastLine()) }
        if var changed = editor.take() {
            change(&changed)
            editor = changed
        }
    }

    /// Makes up to `count` lines above the edited ones editable too.
    private mutating func recall(_ count: Int) {
        guard count > 0, var changed = editor.take() else { return }
        var lines: [[UInt8]] = []
        while lines.count < count, text.last == 0x0a, changed.lineCount + lines.count < Self.height {
            text.removeLast()
            lines.append(takeLastLine())
            lineFeedCount -= 1
        }
        changed.prepend(lines.reversed())
        editor = changed
    }

    /// What stands behind the last line feed, or the end of it.
    private mutating func takeLastLine() -> [UInt8] {
        var start = text.count
        while start > 0, text[start - 1] != 0x0a, text.count - start < Self.editedLength { start -= 1 }
        // Not within a character.
        while start < text.count, text[start] & 0xc0 == 0x80, start > 0, text[start - 1] != 0x0a { start += 1 }
        defer { text.removeSubrange(start...) }
        unchangedCount = min(unchangedCount, start)
        return Array(text[start...])
    }

    /// Makes the edited lines text again.
    private mutating func fold() {
        guard let edited = editor.take() else { return }
        edited.append(to: &text)
        lineFeedCount += edited.lineCount - 1
    }
}
