/// How text that Unicode can't hold survives in a Swift string.
///
/// Python writes a string with an unpaired surrogate as an escape (`"\ud800"`), for example for a byte of output that isn't UTF-8
/// (PEP 383). No Swift string can hold such a code point. So the parser maps it one to one to a private-use character at the very
/// end of the code space, U+D800…U+DFFF to U+10F800…U+10FFFF, and the serialiser writes that character as the escape again.
/// A text that really has one of those characters, or U+10F7FF, gets U+10F7FF before it when parsed, which is dropped when written.
/// Parsing and writing again gives the same code points for every text.
enum LoneSurrogates {
    static let escape: UInt32 = 0x10F7FF
    static let stand: ClosedRange<UInt32> = 0x10F800...0x10FFFF

    /// First byte of all characters concerned, in UTF-8; a text without it has nothing to map.
    static let leadByte: UInt8 = 0xF4

    /// The character that stands for a lone surrogate.
    static func standIn(for surrogate: UInt32) -> UInt32 {
        surrogate - 0xD800 + stand.lowerBound
    }

    /// The lone surrogate that a character stands for.
    static func surrogate(for standIn: UInt32) -> UInt32 {
        standIn - stand.lowerBound + 0xD800
    }

    /// Whether a character of a parsed text needs the escape before it.
    static func needsEscape(_ scalar: UInt32) -> Bool {
        scalar >= escape
    }

    /// The code point of the four-byte sequence there, when it is one of those concerned.
    static func scalar(at bytes: UnsafePointer<UInt8>, available: Int) -> UInt32? {
        guard available >= 4, bytes[0] == leadByte, bytes[1] == 0x8F, bytes[2] >= 0x9F else { return nil }
        let scalar = 0x10_0000 | UInt32(bytes[1] & 0x3F) << 12 | UInt32(bytes[2] & 0x3F) << 6 | UInt32(bytes[3] & 0x3F)
        return scalar >= escape ? scalar : nil
    }
}
