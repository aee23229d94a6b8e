import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Text as bytes of UTF-8, with the rules that Python has for it.
///
/// Bytes, since offsets into a string would have to be found anew at every step.
enum UTF8Text {
    private static let feed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    // MARK: Characters

    /// How long the character is that begins there; 0 when none does that is valid.
    ///
    /// The table of well-formed sequences is that of the Unicode standard, section 3.9.
    static func sequenceLength(_ bytes: some RandomAccessCollection<UInt8> & Sendable, at position: Int) -> Int {
        bytes.withContiguousStorageIfAvailable { sequenceLength($0, at: position) } ?? 0
    }

    static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Int {
        let lead = bytes[position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { second = 0xA0...0xBF }
            if lead == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { second = 0x90...0xBF }
            if lead == 0xF4 { second = 0x80...0x8F }
        default: return 0
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where bytes[position + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }

    /// How many bytes the first characters take, as many as asked for; nil when there are not more than that.
    static func end(ofCharacters count: Int, in text: [UInt8]) -> Int? {
        guard text.count > count else { return nil }
        var left = count
        for (index, byte) in text.enumerated() where byte & 0xC0 != 0x80 {
            if left == 0 { return index }
            left -= 1
        }
        return nil
    }

    // MARK: White space

    /// The text without white space at both ends, as Python's `str.strip`.
    static func stripped(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { bytes in
            let end = endWithoutSpace(bytes, 0..<bytes.count)
            var start = 0
            while start < end {
                let length = spaceLength(bytes, at: start, before: end)
                if length == 0 { break }
                start += length
            }
            return Array(bytes[start..<end])
        }
    }

    /// Where a part of the text ends when the white space at its end is left out, as Python's `str.rstrip`.
    static func endWithoutSpace(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.upperBound
        search: while end > range.lowerBound {
            for length in 1...3 where end - length >= range.lowerBound {
                if spaceLength(bytes, at: end - length, before: end) == length {
                    end -= length
                    continue search
                }
            }
            break
        }
        return end
    }

    /// How long the character of white space is that begins there; 0 when none does.
    ///
    /// Those of Python's `str.isspace`.
    private static func spaceLength(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, before end: Int) -> Int {
        switch bytes[position] {
        case 0x09...0x0D, 0x1C...0x20:
            return 1
        case 0xC2:
            return position + 1 < end && (bytes[position + 1] == 0x85 || bytes[position + 1] == 0xA0) ? 2 : 0
        case 0xE1...0xE3:
            guard position + 2 < end else { return 0 }
            switch (bytes[position], bytes[position + 1], bytes[position + 2]) {
            // U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
            case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9),
                (0xE2, 0x80, 0xAF), (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80):
                return 3
            default: return 0
            }
        default: return 0
        }
    }

    // MARK: Lines

    /// The text with `\n` for every `\r\n` and every `\r`, as Python reads files.
    static func withUniversalNewlines(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(carriageReturn) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var start = 0
        while let next = index(of: carriageReturn, in: text, from: start) {
            result += text[start..<next]
            result.append(feed)
            start = next + 1
            if start < text.count, text[start] == feed { start += 1 }
        }
        result += text[start...]
        return result
    }

    /// How many lines there are; what is behind the last `\n` is one unless it is empty.
    static func lineCount(_ text: [UInt8]) -> Int {
        count(of: feed, in: text, before: text.count) + (text.isEmpty || text.last == feed ? 0 : 1)
    }

    /// How many `\n` are before a position.
    static func count(of byte: UInt8 = feed, in text: [UInt8], before end: Int) -> Int {
        var count = 0
        text.withUnsafeBufferPointer { bytes in
            for index in 0..<end where bytes[index] == byte { count += 1 }
        }
        return count
    }

    /// Where a line begins, counted from 0; the end of the text when there are not so many.
    static func start(ofLine line: Int, in text: [UInt8]) -> Int {
        var position = 0
        for _ in 0..<max(line, 0) {
            guard let end = index(of: feed, in: text, from: position) else { return text.count }
            position = end + 1
        }
        return position
    }

    /// The lines from the first, counted from 0, up to the last, with their ends.
    static func lines(_ range: Range<Int>, of text: [UInt8]) -> [UInt8] {
        let start = start(ofLine: range.lowerBound, in: text)
        var end = start
        for _ in range {
            guard let next = index(of: feed, in: text, from: end) else { return Array(text[start...]) }
            end = next + 1
        }
        return Array(text[start..<end])
    }

    /// The lines of Python's `str.splitlines`, which has more ends of lines than files have, joined with `\n`.
    static func joiningSplitLines(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var endsWithLineEnd = false
        var position = 0
        while position < text.count {
            let length = lineEndLength(text, at: position)
            endsWithLineEnd = length > 0
            result.append(endsWithLineEnd ? feed : text[position])
            position += max(length, 1)
        }
        if endsWithLineEnd { result.removeLast() }
        return result
    }

    private static func lineEndLength(_ text: [UInt8], at position: Int) -> Int {
        switch text[position] {
        case carriageReturn: return position + 1 < text.count && text[position + 1] == feed ? 2 : 1
        case 0x0A...0x0C, 0x1C...0x1E: return 1
        case 0xC2: return position + 1 < text.count && text[position + 1] == 0x85 ? 2 : 0
        case 0xE2:
            guard position + 2 < text.count, text[position + 1] == 0x80 else { return 0 }
            return text[position + 2] == 0xA8 || text[position + 2] == 0xA9 ? 3 : 0
        default: return 0
        }
    }

    // MARK: Searching

    /// The next place of a byte.
    static func index(of byte: UInt8, in text: [UInt8], from start: Int) -> Int? {
        text.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// The places of a text that isn't empty in another one, from the left, without overlap.
    static func occurrences(of pattern: [UInt8], in text: [UInt8]) -> [Int] {
        var places: [Int] = []
        text.withUnsafeBytes { text in
            pattern.withUnsafeBytes { pattern in
                guard let base = text.baseAddress, let needle = pattern.baseAddress, !pattern.isEmpty else { return }
                var start = 0
                while start + pattern.count <= text.count,
                    let found = platform_find_bytes(base + start, text.count - start, needle, pattern.count)
                {
                    places.append(found - base)
                    start = found - base + pattern.count
                }
            }
        }
        return places
    }
}
