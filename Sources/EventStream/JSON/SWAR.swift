/// Tests on eight bytes at once (SIMD within a register).
enum SWAR {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highs: UInt64 = 0x8080_8080_8080_8080

    /// A high bit for each byte that a JSON string can't hold as it is: a quote, a backslash or a control character.
    ///
    /// Bits above the first one set may be wrong through borrows; the lowest is exact.
    @inline(__always)
    static func special(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let controls = (word &- (ones &* 0x20)) & ~word
        return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | controls) & highs
    }

    /// A high bit for each byte that has a value; the lowest bit set is exact.
    @inline(__always)
    static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & highs
    }

    /// The eight bytes at an address, the first in the lowest byte.
    @inline(__always)
    static func load(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }

    /// Where text in a JSON string can't be taken as it is: at a quote, an escape, a control character, or what may be one of ``LoneSurrogates``.
    @inline(__always)
    static func endOfPlain(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = load(text + position)
            let special = special(word) | equal(word, LoneSurrogates.leadByte)
            if special != 0 { return position &+ special.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < end {
            let byte = text[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == LoneSurrogates.leadByte { return position }
            position &+= 1
        }
        return end
    }
}
