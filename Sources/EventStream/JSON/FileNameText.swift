/// File names, which are any bytes, as text that survives JSON.
///
/// As in Python (PEP 383), a byte that isn't part of valid UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF: in JSON it is an
/// escape such as `"\udcff"`, and in a Swift string what `JSONValue` makes of that. Bytes to text and back gives the same bytes.
package enum FileNameText {
    /// The text for a name.
    package static func text(for name: [UInt8]) -> String {
        if !name.contains(LoneSurrogates.leadByte), let text = String(validating: name, as: UTF8.self) { return text }
        var text = String.UnicodeScalarView()
        var rest = name[...]
        while let first = rest.first {
            let count = sequenceLength(first)
            if rest.count >= count,
                let scalar = String(validating: rest.prefix(count), as: UTF8.self)?.unicodeScalars.first
            {
                if LoneSurrogates.needsEscape(scalar.value) { append(LoneSurrogates.escape, to: &text) }
                text.append(scalar)
                rest = rest.dropFirst(count)
            } else {
                append(LoneSurrogates.standIn(for: firstByteSurrogate + UInt32(first)), to: &text)
                rest = rest.dropFirst()
            }
        }
        return String(text)
    }

    /// The name that a text stands for.
    package static func bytes(of text: String) -> [UInt8] {
        guard text.utf8.contains(LoneSurrogates.leadByte) else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if !isEscaped, scalar.value == LoneSurrogates.escape {
                isEscaped = true
                continue
            }
            let isStandIn = !isEscaped && LoneSurrogates.stand.contains(scalar.value)
            isEscaped = false
            if isStandIn,
                let byte = UInt8(exactly: Int(LoneSurrogates.surrogate(for: scalar.value)) - Int(firstByteSurrogate)),
                byte >= 0x80
            {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return bytes
    }

    /// U+DC00: the surrogate of a byte is this far above it.
    private static let firstByteSurrogate: UInt32 = 0xDC00

    private static func sequenceLength(_ lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    private static func append(_ scalar: UInt32, to text: inout String.UnicodeScalarView) {
        if let scalar = Unicode.Scalar(scalar) { text.append(scalar) }
    }
}
