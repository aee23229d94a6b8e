/// Finds what two sequences have in common just as Python's `difflib.SequenceMatcher` does
/// (https://docs.python.org/3/library/difflib.html), so that a diff is the same to the byte.
///
/// It looks for the longest block that both have, the first one of those of the same length, and goes on to the left and to the right of it.
/// Elements that are in more than a hundredth of the second sequence begin no block ("autojunk").
struct SequenceMatcher {
    /// A part of the first sequence that is replaced by a part of the second; one of them may be empty.
    struct Change: Hashable {
        var old: Range<Int>
        var new: Range<Int>
    }

    private struct Block {
        var old: Int
        var new: Int
        var count: Int
    }

    /// Steps after which the search is given up; they take some seconds, and in Python some minutes.
    static let defaultStepLimit = 1_500_000_000

    private let old: [Int32]
    private let new: [Int32]
    /// Where the places of an element begin in ``places``.
    private let starts: [Int32]
    /// The places of the elements in the second sequence, those of each in ascending order.
    private let places: [Int32]
    private var stepsLeft: Int

    /// - Parameter old: elements, as numbers from 0 up to `elementCount`.
    /// - Parameter new: elements, as numbers from 0 up to `elementCount`.
    init(old: [Int32], new: [Int32], elementCount: Int, stepLimit: Int = defaultStepLimit) {
        self.old = old
        self.new = new
        stepsLeft = stepLimit
        var counts = [Int32](repeating: 0, count: elementCount)
        for element in new { counts[Int(element)] += 1 }
        if new.count >= 200 {
            let limit = Int32(new.count / 100 + 1)
            for element in counts.indices where counts[element] > limit { counts[element] = 0 }
        }
        var starts = [Int32](repeating: 0, count: elementCount + 1)
        for element in counts.indices { starts[element + 1] = starts[element] + counts[element] }
        var places = [Int32](repeating: 0, count: Int(starts[elementCount]))
        var ends = starts
        for (place, element) in new.enumerated() where counts[Int(element)] > 0 {
            places[Int(ends[Int(element)])] = Int32(place)
            ends[Int(element)] += 1
        }
        self.starts = starts
        self.places = places
    }

    /// The changes that make the first sequence into the second, from left to right; nil when the search took too long.
    mutating func changes() -> [Change]? {
        guard let blocks = matchingBlocks() else { return nil }
        var changes: [Change] = []
        var (oldEnd, newEnd) = (0, 0)
        for block in blocks + [Block(old: old.count, new: new.count, count: 0)] {
            if oldEnd < block.old || newEnd < block.new {
                changes.append(Change(old: oldEnd..<block.old, new: newEnd..<block.new))
            }
            (oldEnd, newEnd) = (block.old + block.count, block.new + block.count)
        }
        return changes
    }

    // MARK: The search

    private mutating func matchingBlocks() -> [Block]? {
        var blocks: [Block] = []
        var open = [Change(old: 0..<old.count, new: 0..<new.count)]
        // How long the block is that ends at a place of the second sequence and at the row's of the first. The upper half of
        // each number is the row that it is of; others are not cleared but passed over.
        var lengths = [UInt64](repeating: 0, count: new.count)
        var row: UInt64 = 0
        while let part = open.popLast() {
            guard let block = longestBlock(in: part, &lengths, &row) else { return nil }
            guard block.count > 0 else { continue }
            blocks.append(block)
            let (oldEnd, newEnd) = (block.old + block.count, block.new + block.count)
            if part.old.lowerBound < block.old, part.new.lowerBound < block.new {
                open.append(Change(old: part.old.lowerBound..<block.old, new: part.new.lowerBound..<block.new))
            }
            if oldEnd < part.old.upperBound, newEnd < part.new.upperBound {
                open.append(Change(old: oldEnd..<part.old.upperBound, new: newEnd..<part.new.upperBound))
            }
        }
        // Blocks that touch need not be made one: there is no change between them.
        return blocks.sorted { ($0.old, $0.new) < ($1.old, $1.new) }
    }

    /// The longest block in a part; nil when the search took too long.
    private mutating func longestBlock(in part: Change, _ lengths: inout [UInt64], _ row: inout UInt64) -> Block? {
        var best = Block(old: part.old.lowerBound, new: part.new.lowerBound, count: 0)
        let (first, end) = (Int32(part.new.lowerBound), Int32(part.new.upperBound))
        // The row before the first is none: rows of parts searched before must not be taken for it.
        row += 1
        for place in part.old {
            row += 1
            let element = Int(old[place])
            var index = Int(starts[element])
            let last = Int(starts[element + 1])
            // Those before the part, unless there are none.
            if index < last, places[index] < first { index = firstIndex(from: index, to: last, notBefore: first) }
            stepsLeft -= 1
            // The entry to the left as it was before this row wrote to it.
            var (overwritten, overwrittenAt): (UInt64, Int32) = (0, -1)
            while index < last, places[index] < end {
                let position = places[index]
                var left: UInt64 = 0
                if position > 0 { left = overwrittenAt == position - 1 ? overwritten : lengths[Int(position) - 1] }
                let length = left >> 32 == row - 1 ? (left & 0xFFFF_FFFF) + 1 : 1
                (overwritten, overwrittenAt) = (lengths[Int(position)], position)
                lengths[Int(position)] = row << 32 | length
                if Int(length) > best.count {
                    best = Block(
                        old: place - Int(length) + 1,
                        new: Int(position) - Int(length) + 1,
                        count: Int(length)
                    )
                }
                index += 1
                stepsLeft -= 1
            }
            if stepsLeft < 0 { return nil }
        }
        // Elements that begin no block can be a part of one.
        while best.old > part.old.lowerBound, best.new > part.new.lowerBound, old[best.old - 1] == new[best.new - 1] {
            best = Block(old: best.old - 1, new: best.new - 1, count: best.count + 1)
        }
        while best.old + best.count < part.old.upperBound, best.new + best.count < part.new.upperBound,
            old[best.old + best.count] == new[best.new + best.count]
        {
            best.count += 1
        }
        return best
    }

    private func firstIndex(from start: Int, to end: Int, notBefore place: Int32) -> Int {
        var (low, high) = (start, end)
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
