/// Text of events as bytes and back, for the modules of this package.
///
/// As bytes it is UTF-8 in which a lone surrogate, which JSON and Python can have and a Swift string can't, is coded as any
/// other character is (WTF-8, https://wtf-8.codeberg.page). See ``LoneSurrogates`` for how events' strings have it.
package enum WireText {
    /// The bytes of an event's text.
    package static func bytes(of text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.contains(LoneSurrogates.leadByte) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                isEscaped = false
                result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else if scalar.value == LoneSurrogates.escape {
                isEscaped = true
            } else if LoneSurrogates.stand.contains(scalar.value) {
                let surrogate = LoneSurrogates.surrogate(for: scalar.value)
                result += [0xED, 0x80 | UInt8(surrogate >> 6 & 0x3F), 0x80 | UInt8(surrogate & 0x3F)]
            } else {
                result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return result
    }

    /// The text of an event that has these bytes; what is neither UTF-8 nor a lone surrogate becomes U+FFFD.
    package static func text(of bytes: [UInt8]) -> String {
        bytes.withUnsafeBufferPointer { text(of: $0) }
    }

    /// The text of an event that has these bytes; what is neither UTF-8 nor a lone surrogate becomes U+FFFD.
    package static func text(of bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard bytes.contains(where: { $0 == LoneSurrogates.leadByte || $0 == 0xED }), let base = bytes.baseAddress
        else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let left = bytes.count - position
            if bytes[position] == 0xED, left >= 3, bytes[position + 1] >= 0xA0, bytes[position + 1] < 0xC0,
                bytes[position + 2] & 0xC0 == 0x80
            {
                let surrogate = 0xD000 | UInt32(bytes[position + 1] & 0x3F) << 6 | UInt32(bytes[position + 2] & 0x3F)
                append(LoneSurrogates.standIn(for: surrogate), to: &text)
                position += 3
                continue
            }
            if LoneSurrogates.scalar(at: base + position, available: left) != nil {
                append(LoneSurrogates.escape, to: &text)
            }
            text.append(bytes[position])
            position += 1
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ value: UInt32, to text: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(value) else { return }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
