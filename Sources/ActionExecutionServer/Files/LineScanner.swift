#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Finds lines in a file of any size while it is read, piece by piece.
///
/// A line ends with `\n`, `\r\n` or `\r`, as Python reads files.
struct LineScanner {
    /// The lines to keep, counted from 0.
    private let range: Range<Int>
    private let byteLimit: Int
    private let keepsLineEnds: Bool

    /// The lines of the range that were seen.
    private(set) var kept: [UInt8] = []
    /// There was more to keep than the limit.
    private(set) var isOverLimit = false
    /// Lines that have ended.
    private var ended = 0
    private var isInLine = false
    private var endsWithReturn = false

    /// - Parameter keepsLineEnds: whether kept lines have their ends as they are in the file, rather than `\n`.
    init(keeping range: Range<Int>, byteLimit: Int, keepsLineEnds: Bool) {
        self.range = range
        self.byteLimit = byteLimit
        self.keepsLineEnds = keepsLineEnds
    }

    /// How many lines there are so far; one that hasn't ended counts.
    var lineCount: Int { ended + (isInLine ? 1 : 0) }

    /// Whether all lines to keep have been seen.
    var isDone: Bool { ended >= range.upperBound && !endsWithReturn }

    /// What was kept, without a character at its end that the limit has cut.
    var keptCharacters: [UInt8] {
        for length in 1...3 where kept.count >= length && kept[kept.count - length] >= 0xC0 {
            let isWhole = UTF8Text.sequenceLength(kept, at: kept.count - length) == length
            return isWhole ? kept : Array(kept.dropLast(length))
        }
        return kept
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        var nextReturn = 0
        while position < bytes.count {
            if endsWithReturn {
                endsWithReturn = false
                if bytes[position] == UInt8(ascii: "\n") {
                    // The second half of an end that is counted already.
                    if keepsLineEnds, range.contains(ended - 1) { keep(bytes[position..<position + 1]) }
                    position += 1
                    continue
                }
            }
            let start = position
            // Most files have none, and are looked through for it once.
            if nextReturn <= position { nextReturn = Self.index(of: UInt8(ascii: "\r"), in: bytes, from: position) }
            position = min(nextReturn, Self.index(of: UInt8(ascii: "\n"), in: bytes, from: position))
            if range.contains(ended) { keep(bytes[start..<position]) }
            guard position < bytes.count else {
                isInLine = true
                return
            }
            endsWithReturn = bytes[position] == UInt8(ascii: "\r")
            if range.contains(ended) {
                if keepsLineEnds { keep(bytes[position..<position + 1]) } else { keepFeed() }
            }
            ended += 1
            isInLine = false
            position += 1
        }
    }

    /// The next place of a byte; the end without one.
    private static func index(of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), bytes.count - start) else {
            return bytes.count
        }
        return UnsafeRawPointer(found) - base
    }

    private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) {
        isOverLimit = isOverLimit || kept.count + bytes.count > byteLimit
        kept.append(contentsOf: bytes.prefix(max(0, byteLimit - kept.count)))
    }

    private mutating func keepFeed() {
        isOverLimit = isOverLimit || kept.count + 1 > byteLimit
        if kept.count < byteLimit { kept.append(UInt8(ascii: "\n")) }
    }
}
