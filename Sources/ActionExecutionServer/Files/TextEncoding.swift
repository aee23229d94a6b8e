/// How the text of a file is coded.
enum TextEncoding: Hashable, Sendable {
    /// UTF-8, with a mark at the beginning or without.
    case utf8(hasMark: Bool)
    /// UTF-16 with a mark.
    case utf16(isBigEndian: Bool)
    /// One byte per character, as in Western Europe (https://encoding.spec.whatwg.org/#windows-1252); Latin-1 is a part of it.
    case windows1252

    /// Why bytes are not taken for text.
    enum DecodingFailure: Error, Hashable {
        case utf32
        case invalidUTF16
        /// UTF-8 but for some bytes; the first of them.
        case damagedUTF8(offset: Int)
        case unknown
    }

    /// A character that the encoding doesn't have.
    struct EncodingFailure: Error, Hashable {
        var encoding: TextEncoding
        /// The code point; a surrogate when it is no character at all.
        var codePoint: UInt32
    }

    private static let utf8Mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// What the file says by its mark; nil without one.
    static func marked(_ bytes: some Collection<UInt8>) -> TextEncoding? {
        let start = Array(bytes.prefix(3))
        if start == utf8Mark { return .utf8(hasMark: true) }
        if start.starts(with: [0xFF, 0xFE]) { return .utf16(isBigEndian: false) }
        if start.starts(with: [0xFE, 0xFF]) { return .utf16(isBigEndian: true) }
        return nil
    }

    // MARK: Decoding

    /// The encoding of a file, and its text in UTF-8.
    static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> (encoding: TextEncoding, text: [UInt8]) {
        let marks32: [[UInt8]] = [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]]
        if marks32.contains(where: { bytes.starts(with: $0) }) { throw .utf32 }
        if case .utf16(let isBigEndian)? = marked(bytes) {
            return (.utf16(isBigEndian: isBigEndian), try decodeUTF16(bytes, isBigEndian: isBigEndian))
        }
        if bytes.starts(with: utf8Mark) {
            let text = Array(bytes.dropFirst(utf8Mark.count))
            if let offset = invalidOffset(in: text) { throw .damagedUTF8(offset: utf8Mark.count + offset) }
            return (.utf8(hasMark: true), text)
        }
        guard let offset = invalidOffset(in: bytes) else { return (.utf8(hasMark: false), bytes) }
        switch Windows1252.judge(bytes) {
        case .likely: return (.windows1252, Windows1252.decode(bytes))
        case .damagedUTF8: throw .damagedUTF8(offset: offset)
        case .unlikely: throw .unknown
        }
    }

    /// Where the text stops being UTF-8; nil when it doesn't.
    static func invalidOffset(in bytes: [UInt8]) -> Int? {
        // The library's own validation is several times as fast, but doesn't say where.
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            var position = 0
            while position < bytes.count {
                let length = UTF8Text.sequenceLength(bytes, at: position)
                if length == 0 { return position }
                position += length
            }
            return nil
        }
    }

    private static func decodeUTF16(_ bytes: [UInt8], isBigEndian: Bool) throws(DecodingFailure) -> [UInt8] {
        guard bytes.count % 2 == 0 else { throw .invalidUTF16 }
        let units = stride(from: 2, to: bytes.count, by: 2).lazy.map { (index: Int) -> UInt16 in
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        let isInvalid = transcode(
            units.makeIterator(),
            from: UTF16.self,
            to: UTF8.self,
            stoppingOnError: true,
            into: { text.append($0) }
        )
        if isInvalid { throw .invalidUTF16 }
        return text
    }

    // MARK: Encoding

    /// The bytes of a file with this text.
    func encode(_ text: [UInt8]) throws(EncodingFailure) -> [UInt8] {
        if let offset = Self.invalidOffset(in: text) {
            // Only surrogates get this far: the texts of events are valid otherwise.
            let codePoint = text[offset...].prefix(3).reduce(UInt32(0)) { $0 << 6 | UInt32($1 & 0x3F) }
            throw EncodingFailure(encoding: self, codePoint: codePoint & 0xFFFF)
        }
        switch self {
        case .utf8(let hasMark):
            return hasMark ? Self.utf8Mark + text : text
        case .utf16(let isBigEndian):
            var bytes: [UInt8] = []
            bytes.reserveCapacity(2 * text.count + 2)
            func append(_ unit: UInt16) {
                let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
                bytes.append(isBigEndian ? high : low)
                bytes.append(isBigEndian ? low : high)
            }
            append(0xFEFF)
            _ = transcode(text.makeIterator(), from: UTF8.self, to: UTF16.self, stoppingOnError: true, into: append)
            return bytes
        case .windows1252:
            return try Windows1252.encode(text)
        }
    }
}

extension TextEncoding: CustomStringConvertible {
    var description: String {
        switch self {
        case .utf8: "UTF-8"
        case .utf16: "UTF-16"
        case .windows1252: "Windows-1252"
        }
    }
}

extension TextEncoding.DecodingFailure: CustomStringConvertible {
    /// One sentence with what can be done.
    var description: String {
        let remedy = "Convert the file first, for example with `iconv -f ENCODING -t UTF-8`."
        switch self {
        case .utf32: return "Text in UTF-32 cannot be read or edited by this tool. \(remedy)"
        case .invalidUTF16: return "It begins as UTF-16 does, but is not valid UTF-16. \(remedy)"
        case .damagedUTF8(let offset): return "It is UTF-8 up to byte \(offset), which is not valid there. \(remedy)"
        case .unknown: return "Its text is neither UTF-8, nor UTF-16 with a mark, nor Windows-1252. \(remedy)"
        }
    }
}

extension TextEncoding.EncodingFailure: CustomStringConvertible {
    /// A part of a sentence.
    var description: String {
        let digits = String(codePoint, radix: 16, uppercase: true)
        let name = "U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
        return "the character \(name), which the file's encoding (\(encoding)) does not have,"
    }
}
