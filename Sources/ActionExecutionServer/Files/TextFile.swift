/// The text of a file, with what it takes to write it back as it was.
///
/// Agents see and name text with `\n` as the only end of a line, as the reference reads it. The file keeps those that it
/// has: a change is made in the text as it is in the file, so that nothing beside it changes.
struct TextFile {
    let encoding: TextEncoding
    /// All that is in the file.
    let bytes: [UInt8]
    /// The text as it is in the file, in UTF-8 and without a mark.
    let raw: [UInt8]
    /// The text with `\n` as the only end of a line.
    let text: [UInt8]

    init(_ bytes: [UInt8]) throws(TextEncoding.DecodingFailure) {
        self.bytes = bytes
        (encoding, raw) = try TextEncoding.decode(bytes)
        text = UTF8Text.withUniversalNewlines(raw)
    }

    /// The bytes of the file with other text in place of a part of it.
    ///
    /// - Parameter range: in ``text``.
    /// - Parameter replacement: its ends of lines become those of the file at that place.
    func bytes(
        replacing range: Range<Int>,
        with replacement: [UInt8]
    ) throws(TextEncoding.EncodingFailure) -> [UInt8] {
        // They are the same where no line ends in another way.
        if raw.count == text.count, !raw.contains(UInt8(ascii: "\r")) {
            return try encoding.encode(raw[..<range.lowerBound] + replacement + raw[range.upperBound...])
        }
        let start = rawOffset(of: range.lowerBound)
        let end = rawOffset(of: range.upperBound)
        var changed = Self.convert(replacement, to: lineEnding(around: start..<end)) + raw[end...]
        // Two ends of lines that meet would be one.
        if start > 0, raw[start - 1] == UInt8(ascii: "\r"), changed.first == UInt8(ascii: "\n") {
            changed.insert(UInt8(ascii: "\r"), at: 0)
        }
        return try encoding.encode(raw[..<start] + changed)
    }

    /// The bytes of the file with other text in place of lines, as Python slices them: from the first up to the last, counted
    /// from 0, or from the end when negative; -1 as the last is the end.
    func bytes(
        replacingLinesFrom first: Int,
        to last: Int,
        with replacement: [UInt8]
    ) throws(TextEncoding.EncodingFailure) -> [UInt8] {
        let count = UTF8Text.lineCount(text)
        func line(_ number: Int) -> Int { number < 0 ? max(0, count + number) : min(number, count) }
        let start = UTF8Text.start(ofLine: line(first), in: text)
        let end = last == -1 ? text.count : UTF8Text.start(ofLine: line(last), in: text)
        var replacement = replacement
        // The last line may have no end yet.
        if start == text.count, let byte = text.last, byte != UInt8(ascii: "\n") {
            replacement.insert(UInt8(ascii: "\n"), at: 0)
        }
        // Lines before the first that are asked for again.
        if end < start { replacement += text[end..<start] }
        return try bytes(replacing: start..<max(start, end), with: replacement)
    }

    /// Where a place of the text is in the file's.
    private func rawOffset(of offset: Int) -> Int {
        var shift = 0
        var position = 0
        while let found = UTF8Text.index(of: UInt8(ascii: "\r"), in: raw, from: position), found - shift < offset {
            position = found + 1
            guard position < raw.count, raw[position] == UInt8(ascii: "\n") else { continue }
            position += 1
            shift += 1
        }
        return offset + shift
    }

    // MARK: Ends of lines

    /// How lines end there: the line that the part begins in, or else the one before.
    private func lineEnding(around range: Range<Int>) -> [UInt8] {
        if !raw.contains(UInt8(ascii: "\n")) { return [UInt8(ascii: "\r")] }
        let feed =
            UTF8Text.index(of: UInt8(ascii: "\n"), in: raw, from: range.lowerBound)
            ?? raw[..<range.lowerBound].lastIndex(of: UInt8(ascii: "\n"))
        guard let feed, feed > 0, raw[feed - 1] == UInt8(ascii: "\r") else { return [UInt8(ascii: "\n")] }
        return [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    private static func convert(_ text: [UInt8], to ending: [UInt8]) -> [UInt8] {
        if ending == [UInt8(ascii: "\n")] { return text }
        var result: [UInt8] = []
        for (index, byte) in text.enumerated() {
            guard byte == UInt8(ascii: "\n") else {
                result.append(byte)
                continue
            }
            // What comes with another end already has it.
            if index > 0, text[index - 1] == UInt8(ascii: "\r") { result.removeLast() }
            result += ending
        }
        return result
    }
}
