import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The change of a text as the reference shows it: a unified diff without lines of context
/// (`get_diff` in `openhands_aci/utils/diff.py`).
///
/// Every line is shown without the white space at its end.
enum UnifiedDiff {
    /// The diff; empty when there is no change.
    ///
    /// - Parameter path: what both sides are called.
    static func between(_ old: [UInt8], _ new: [UInt8], path: String) -> String {
        if old == new { return "" }
        let (oldLines, newLines) = (lines(of: old), lines(of: new))
        return old.withUnsafeBufferPointer { oldBytes in
            new.withUnsafeBufferPointer { newBytes in
                var table = LineTable(capacity: oldLines.count + newLines.count)
                let oldElements = oldLines.map { table.number(of: UnsafeBufferPointer(rebasing: oldBytes[$0])) }
                let newElements = newLines.map { table.number(of: UnsafeBufferPointer(rebasing: newBytes[$0])) }
                var matcher = SequenceMatcher(old: oldElements, new: newElements, elementCount: table.count)
                let changes = matcher.changes() ?? [singleChange(from: oldElements, to: newElements)]

                var output: [UInt8] = []
                append("--- \(path)", to: &output)
                append("+++ \(path)", to: &output)
                for change in changes {
                    append("@@ -\(text(of: change.old)) +\(text(of: change.new)) @@", to: &output)
                    for line in oldLines[change.old] { append("-", oldBytes, line, to: &output) }
                    for line in newLines[change.new] { append("+", newBytes, line, to: &output) }
                }
                output.removeLast()
                return WireText.text(of: output)
            }
        }
    }

    /// What is left when the beginning and the end that both have are taken away.
    static func singleChange(from old: [Int32], to new: [Int32]) -> SequenceMatcher.Change {
        let limit = min(old.count, new.count)
        var start = 0
        while start < limit, old[start] == new[start] { start += 1 }
        var end = 0
        while end < limit - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        return SequenceMatcher.Change(old: start..<old.count - end, new: start..<new.count - end)
    }

    /// Lines without their ends.
    ///
    /// What is behind the last end is a line too, also when it is empty.
    private static func lines(of text: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while let end = UTF8Text.index(of: UInt8(ascii: "\n"), in: text, from: start) {
            lines.append(start..<end)
            start = end + 1
        }
        lines.append(start..<text.count)
        return lines
    }

    /// Lines as the head of a hunk names them: counted from 1, the count left out when it is 1, and no lines by the one before.
    private static func text(of lines: Range<Int>) -> String {
        switch lines.count {
        case 0: "\(lines.lowerBound),0"
        case 1: "\(lines.lowerBound + 1)"
        default: "\(lines.lowerBound + 1),\(lines.count)"
        }
    }

    private static func append(_ text: String, to output: inout [UInt8]) {
        let bytes = WireText.bytes(of: text)
        bytes.withUnsafeBufferPointer {
            output.append(contentsOf: $0[..<UTF8Text.endWithoutSpace($0, 0..<$0.count)])
        }
        output.append(UInt8(ascii: "\n"))
    }

    private static func append(
        _ sign: Unicode.Scalar,
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ line: Range<Int>,
        to output: inout [UInt8]
    ) {
        output.append(UInt8(ascii: sign))
        output.append(contentsOf: bytes[line.lowerBound..<UTF8Text.endWithoutSpace(bytes, line)])
        output.append(UInt8(ascii: "\n"))
    }
}

/// Numbers for lines: the same for the same bytes, from 0 without a gap.
private struct LineTable {
    private struct Entry {
        var hash: Int
        var line: UnsafeBufferPointer<UInt8>
    }

    private var entries: [Entry] = []
    /// Numbers, at the place that the hash names or the next free one; -1 where there is none.
    private var slots: [Int32]

    /// - Parameter capacity: how many lines are asked for at most.
    init(capacity: Int) {
        var count = 16
        while count < 2 * capacity { count *= 2 }
        slots = [Int32](repeating: -1, count: count)
    }

    /// How many different lines there are.
    var count: Int { entries.count }

    mutating func number(of line: UnsafeBufferPointer<UInt8>) -> Int32 {
        // The library's: nobody can find lines that all have the same.
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(line))
        let hash = hasher.finalize()
        var slot = hash & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, Self.areEqual(entry.line, line) { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let number = Int32(entries.count)
        entries.append(Entry(hash: hash, line: line))
        slots[slot] = number
        return number
    }
    private static func areEqual(_ one: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        guard let left = one.baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left, right, one.count) == 0
    }
}
