/// Reads a string that has escapes, or characters that must be marked (``LoneSurrogates``).
enum StringWithEscapes {
    /// Reads from just after the opening quote to after the closing one.
    static func read(
        _ base: UnsafePointer<UInt8>,
        _ count: Int,
        _ position: inout Int
    ) throws(JSONError) -> String {
        let start = position
        var text: [UInt8] = []
        while true {
            guard position < count else {
                throw .at(position, in: base, count: count, expected: "the closing quote of a string")
            }
            let byte = base[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                if let string = text.withUnsafeBufferPointer({ String(utf8: $0) }) { return string }
                throw invalid(base, start, position - 1)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(base, count, &position, into: &text)
            case 0..<0x20:
                throw .at(position, in: base, count: count, expected: "a control character as an escape")
            case LoneSurrogates.leadByte:
                if LoneSurrogates.scalar(at: base + position, available: count - position) != nil {
                    append(LoneSurrogates.escape, to: &text)
                }
                text.append(byte)
                position += 1
            default:
                let end = SWAR.endOfPlain(base, from: position, to: count)
                text.append(contentsOf: UnsafeBufferPointer(start: base + position, count: end - position))
                position = end
            }
        }
    }

    private static func escape(
        _ base: UnsafePointer<UInt8>,
        _ count: Int,
        _ position: inout Int,
        into text: inout [UInt8]
    ) throws(JSONError) {
        guard position < count else {
            throw .at(position, in: base, count: count, expected: "the rest of an escape")
        }
        let byte = base[position]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            let unit = try hexadecimal(base, count, &position)
            if (0xD800..<0xDC00).contains(unit), position + 1 < count, base[position] == UInt8(ascii: "\\"),
                base[position + 1] == UInt8(ascii: "u")
            {
                var next = position + 2
                let second = try hexadecimal(base, count, &next)
                if (0xDC00..<0xE000).contains(second) {
                    position = next
                    appendParsed(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00), to: &text)
                    return
                }
            }
            if (0xD800..<0xE000).contains(unit) {
                append(LoneSurrogates.standIn(for: unit), to: &text)
            } else {
                append(unit, to: &text)
            }
            return
        default:
            throw .at(position, in: base, count: count, expected: "one of \"\\/bfnrtu after a backslash")
        }
        position += 1
    }

    private static func hexadecimal(
        _ base: UnsafePointer<UInt8>,
        _ count: Int,
        _ position: inout Int
    ) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < count else {
                throw .at(position, in: base, count: count, expected: "a hexadecimal digit")
            }
            let byte = base[position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw .at(position, in: base, count: count, expected: "a hexadecimal digit")
            }
            position += 1
        }
        return value
    }

    private static func appendParsed(_ scalar: UInt32, to text: inout [UInt8]) {
        if LoneSurrogates.needsEscape(scalar) { append(LoneSurrogates.escape, to: &text) }
        append(scalar, to: &text)
    }

    private static func append(_ value: UInt32, to text: inout [UInt8]) {
        // Every caller's value is outside of the surrogates and at most U+10FFFF.
        guard let scalar = Unicode.Scalar(value) else { return }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private static func invalid(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> JSONError {
        JSONError.invalidUTF8(in: UnsafeBufferPointer(start: base + start, count: end - start), startingAt: start)
    }
}
