/// The encoding Windows-1252 (https://encoding.spec.whatwg.org/index-windows-1252.txt).
enum Windows1252 {
    /// The characters of the bytes from 0x80 to 0x9F; 0 for those that have none.
    ///
    /// The others are those of Latin-1.
    private static let upper: [UInt16] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    static func decode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x80 {
                text.append(byte)
            } else {
                let value = byte < 0xA0 ? upper[Int(byte) - 0x80] : UInt16(byte)
                if value >= 0x800 { text.append(0xE0 | UInt8(value >> 12)) }
                text.append(value >= 0x800 ? 0x80 | UInt8(value >> 6 & 0x3F) : 0xC0 | UInt8(value >> 6))
                text.append(0x80 | UInt8(value & 0x3F))
            }
        }
        return text
    }

    static func encode(_ text: [UInt8]) throws(TextEncoding.EncodingFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x80, 0xA0..<0x100:
                bytes.append(UInt8(scalar.value))
            case let value:
                guard value >= 0x100, value <= 0xFFFF, let index = upper.firstIndex(of: UInt16(value)) else {
                    throw TextEncoding.EncodingFailure(encoding: .windows1252, codePoint: value)
                }
                bytes.append(UInt8(0x80 + index))
            }
        }
        return bytes
    }

    /// What bytes that are not UTF-8 may be.
    enum Judgement {
        case likely
        /// More of it is UTF-8 than isn't.
        case damagedUTF8
        /// Letters of another script, or no text.
        case unlikely
    }

    /// Judges bytes by where those above ASCII are.
    ///
    /// In Western European text they come alone, or two together; in text of other scripts, and of more than one byte per
    /// character, in long rows. As Windows-1252 that would be read wrongly, so it is better not read.
    static func judge(_ bytes: [UInt8]) -> Judgement {
        bytes.withUnsafeBufferPointer { bytes in
            var (plausible, implausible, sequences, strays) = (0, 0, 0, 0)
            var hasUndefined = false
            var position = 0
            while position < bytes.count {
                guard bytes[position] >= 0x80 else {
                    position += 1
                    continue
                }
                let row = position..<(bytes[position...].firstIndex { $0 < 0x80 } ?? bytes.count)
                position = row.upperBound
                hasUndefined = hasUndefined || bytes[row].contains { $0 < 0xA0 && upper[Int($0) - 0x80] == 0 }
                if row.count <= 2, !isHalfOfPair(row.lowerBound, in: bytes) {
                    plausible += row.count
                } else {
                    implausible += row.count
                }
                var index = row.lowerBound
                while index < row.upperBound {
                    let length = UTF8Text.sequenceLength(bytes, at: index)
                    if length == 0 { strays += 1 } else { sequences += 1 }
                    index += max(length, 1)
                }
            }
            if sequences > 0, sequences >= strays { return .damagedUTF8 }
            return hasUndefined || implausible * 4 > plausible ? .unlikely : .likely
        }
    }

    /// Whether a low quotation mark or a florin sign begins a word there: in Japanese, half of a character.
    private static func isHalfOfPair(_ position: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes[position] == 0x82 || bytes[position] == 0x83, position + 1 < bytes.count else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[position + 1] | 0x20)
    }
}
