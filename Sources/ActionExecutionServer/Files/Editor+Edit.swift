import EventStream

/// The commands that change files.
extension Editor {
    func create(_ path: SystemPath, _ text: String) throws(EditorError) -> Result {
        let text = WireText.bytes(of: text)
        let bytes = try encode(path) { () throws(TextEncoding.EncodingFailure) in
            try TextEncoding.utf8(hasMark: false).encode(text)
        }
        try write(path, bytes)
        // The reference remembers what it made, so that the first undoing changes nothing.
        return Result(
            output: "File created successfully at: \(path)",
            change: ([], text),
            memory: .remember(EditHistory.Version(bytes: bytes, isVerbatim: true))
        )
    }

    func replace(_ path: SystemPath, _ old: String, with new: String) throws(EditorError) -> Result {
        let file = try text(path)
        var (old, new) = (WireText.bytes(of: old), WireText.bytes(of: new))
        var places = Self.places(of: old, in: file.text)
        if places.isEmpty {
            // White space around it that the file doesn't have.
            (old, new) = (UTF8Text.stripped(old), UTF8Text.stripped(new))
            places = Self.places(of: old, in: file.text)
        }
        guard let place = places.first else {
            throw EditorError(
                message: "No replacement was performed, old_str `\(WireText.text(of: old))` did not appear verbatim in"
                    + " \(path)."
            )
        }
        if places.count > 1 {
            let lines = EditorText.list(Self.lineNumbers(of: places, in: file.text))
            throw EditorError(
                message: "No replacement was performed. Multiple occurrences of old_str `\(WireText.text(of: old))` in"
                    + " lines \(lines). Please ensure it is unique."
            )
        }
        let range = place..<place + old.count
        try write(path, file, replacing: range, with: new)

        let changed = Array(file.text[..<place]) + new + file.text[range.upperBound...]
        let line = UTF8Text.count(in: file.text, before: place) + 1
        let start = max(0, line - EditorText.contextLines)
        let end = line + EditorText.contextLines + UTF8Text.count(in: new, before: new.count)
        let snippet = UTF8Text.lines(start..<end, of: UTF8Text.withUniversalNewlines(changed))
        return Result(
            output: "The file \(path) has been edited. "
                + EditorText.numbered(snippet, of: "a snippet of \(path)", firstLine: start + 1)
                + "Review the changes and make sure they are as expected. Edit the file again if necessary.",
            change: (file.text, changed),
            memory: .remember(EditHistory.Version(bytes: file.bytes))
        )
    }

    func insert(_ path: SystemPath, after line: Int, _ new: String) throws(EditorError) -> Result {
        let file = try text(path)
        let lineCount = UTF8Text.lineCount(file.text)
        guard (0...lineCount).contains(line) else {
            throw .invalid(
                "insert_line",
                "\(line)",
                "It should be within the range of allowed values: [0, \(lineCount)]"
            )
        }
        let feed = UInt8(ascii: "\n")
        var inserted = WireText.bytes(of: new) + [feed]
        let newLineCount = UTF8Text.count(in: inserted, before: inserted.count)
        let place = UTF8Text.start(ofLine: line, in: file.text)
        // The last line may have no end yet.
        if place == file.text.count, let last = file.text.last, last != feed { inserted.insert(feed, at: 0) }
        try write(path, file, replacing: place..<place, with: inserted)

        let changed = UTF8Text.withUniversalNewlines(Array(file.text[..<place]) + inserted + file.text[place...])
        let start = max(0, line - EditorText.contextLines)
        let end = min(lineCount + newLineCount, line + EditorText.contextLines + newLineCount)
        return Result(
            output: "The file \(path) has been edited. "
                + EditorText.numbered(
                    UTF8Text.lines(start..<end, of: changed),
                    of: "a snippet of the edited file",
                    firstLine: start + 1
                )
                + "Review the changes and make sure they are as expected (correct indentation, no duplicate lines, etc)."
                + " Edit the file again if necessary.",
            change: (file.text, changed),
            memory: .remember(EditHistory.Version(bytes: file.bytes))
        )
    }

    func undo(_ path: SystemPath, _ last: EditHistory.Version?) throws(EditorError) -> Result {
        let current = try text(path)
        guard let last else { throw EditorError(message: "No edit history found for \(path).") }
        let old: [UInt8]
        do throws(TextEncoding.DecodingFailure) {
            old = last.isVerbatim ? last.bytes : try TextFile(last.bytes).text
        } catch {
            throw .validation(path, "\(error)")
        }
        try write(path, last.bytes)
        return Result(
            output: "Last edit to \(path) undone successfully. \(EditorText.numbered(old, of: "\(path)"))",
            change: (current.text, old),
            memory: .forgetLast
        )
    }

    // MARK: Finding

    /// Where a text is, from the left and without overlap.
    ///
    /// One without characters is before every character, and at the end.
    private static func places(of pattern: [UInt8], in text: [UInt8]) -> [Int] {
        guard pattern.isEmpty else { return UTF8Text.occurrences(of: pattern, in: text) }
        return text.indices.filter { text[$0] & 0xC0 != 0x80 } + [text.count]
    }

    /// The lines of places in ascending order, counted from 1, each once.
    private static func lineNumbers(of places: [Int], in text: [UInt8]) -> [Int] {
        var numbers: [Int] = []
        var (line, position) = (1, 0)
        for place in places {
            line += text[position..<place].count { $0 == UInt8(ascii: "\n") }
            position = place
            if numbers.last != line { numbers.append(line) }
        }
        return numbers
    }

    // MARK: Writing

    private func write(
        _ path: SystemPath,
        _ file: TextFile,
        replacing range: Range<Int>,
        with new: [UInt8]
    ) throws(EditorError) {
        let bytes = try encode(path) { () throws(TextEncoding.EncodingFailure) in
            try file.bytes(replacing: range, with: new)
        }
        try write(path, bytes)
    }

    private func write(_ path: SystemPath, _ bytes: [UInt8]) throws(EditorError) {
        try access(path, to: "write to") { () throws(FileAccess.Failure) in
            try FileReplacement.replace(path, with: bytes, creation: .inDirectory)
        }
    }

    private func encode(
        _ path: SystemPath,
        _ body: () throws(TextEncoding.EncodingFailure) -> [UInt8]
    ) throws(EditorError) -> [UInt8] {
        do throws(TextEncoding.EncodingFailure) {
            return try body()
        } catch {
            throw EditorError(message: "Ran into \(error) while trying to write to \(path)")
        }
    }
}
