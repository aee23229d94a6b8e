/// How a document is laid out as text; the values don't depend on it.
public struct JSONLayout: Sendable, Hashable {
    /// Whether a space follows each comma and colon.
    public var isSpaced: Bool

    /// Whether everything but ASCII is written as escapes.
    public var isASCII: Bool

    /// Spaces per level where each member has a line of its own; `nil` for one line.
    public var indentation: Int?

    /// Makes a layout.
    public init(isSpaced: Bool = false, isASCII: Bool = false, indentation: Int? = nil) {
        self.isSpaced = isSpaced
        self.isASCII = isASCII
        self.indentation = indentation
    }

    /// No white space, UTF-8.
    public static let compact = JSONLayout()

    /// What Python's `json.dumps` writes without arguments, and OpenHands on disk: spaces after separators, escapes for all but ASCII.
    public static let python = JSONLayout(isSpaced: true, isASCII: true)
}

extension JSONValue {
    /// The document as UTF-8.
    public func serialized(_ layout: JSONLayout = .compact) -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes, layout)
        return bytes
    }

    /// Appends the document as UTF-8.
    public func append(to bytes: inout [UInt8], _ layout: JSONLayout = .compact) {
        if layout == .compact {
            var writer = ByteWriter()
            writer.appendValue(self)
            bytes.append(contentsOf: writer.bytes)
        } else {
            JSONSerializer(layout: layout).append(self, to: &bytes, level: 0)
        }
    }
}

extension JSONObject {
    /// The object as UTF-8.
    public func serialized(_ layout: JSONLayout = .compact) -> [UInt8] {
        JSONValue.object(self).serialized(layout)
    }
}

/// Writes values in one layout.
struct JSONSerializer {
    var layout: JSONLayout

    func append(_ value: JSONValue, to bytes: inout [UInt8], level: Int) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(true): bytes.append(contentsOf: "true".utf8)
        case .bool(false): bytes.append(contentsOf: "false".utf8)
        case .number(let number): bytes.append(contentsOf: number.literal.utf8)
        case .string(let string): append(string, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                separate(&isFirst, &bytes, level)
                append(element, to: &bytes, level: level + 1)
            }
            if !isFirst { breakLine(&bytes, level) }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, element) in object {
                separate(&isFirst, &bytes, level)
                append(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                if layout.isSpaced { bytes.append(UInt8(ascii: " ")) }
                append(element, to: &bytes, level: level + 1)
            }
            if !isFirst { breakLine(&bytes, level) }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Appends what comes before an element of an array or object at a level.
    func separate(_ isFirst: inout Bool, _ bytes: inout [UInt8], _ level: Int) {
        if !isFirst {
            bytes.append(UInt8(ascii: ","))
            if layout.isSpaced, layout.indentation == nil { bytes.append(UInt8(ascii: " ")) }
        }
        isFirst = false
        breakLine(&bytes, level + 1)
    }

    /// Begins a line at a level, where the layout has lines.
    func breakLine(_ bytes: inout [UInt8], _ level: Int) {
        guard let indentation = layout.indentation else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indentation * level))
    }

    /// Appends a string in quotes.
    func append(_ string: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let isDone: Void? = string.utf8.withContiguousStorageIfAvailable { appendContents($0, to: &bytes) }
        if isDone == nil {
            Array(string.utf8).withUnsafeBufferPointer { appendContents($0, to: &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func appendContents(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        guard let base = text.baseAddress else { return }
        let count = text.count
        var start = 0
        var position = 0
        func flush() {
            bytes.append(contentsOf: UnsafeBufferPointer(start: base + start, count: position - start))
        }
        while position < count {
            while position &+ 8 <= count {
                let word = SWAR.load(base + position)
                var special = SWAR.special(word) | (word & SWAR.highs)
                // Python takes this for one that isn't printable ASCII.
                if layout.isASCII { special |= SWAR.equal(word, 0x7F) }
                if special != 0 {
                    position &+= special.trailingZeroBitCount / 8
                    break
                }
                position &+= 8
            }
            guard position < count else { break }
            let byte = base[position]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20:
                flush()
                appendEscape(byte, to: &bytes)
                position += 1
                start = position
            case 0x7F where layout.isASCII:
                flush()
                appendUnit(0x7F, to: &bytes)
                position += 1
                start = position
            case 0x80...:
                flush()
                position += appendScalar(base + position, count - position, to: &bytes)
                start = position
            default:
                position += 1
            }
        }
        flush()
    }

    private func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case 0x08: bytes.append(contentsOf: "\\b".utf8)
        case 0x0C: bytes.append(contentsOf: "\\f".utf8)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        default: appendUnit(UInt32(byte), to: &bytes)
        }
    }

    private func appendUnit(_ unit: UInt32, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(unit >> shift & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// Appends the character of a multi-byte sequence and returns how many bytes were read.
    private func appendScalar(_ text: UnsafePointer<UInt8>, _ available: Int, to bytes: inout [UInt8]) -> Int {
        if let scalar = LoneSurrogates.scalar(at: text, available: available) {
            if scalar == LoneSurrogates.escape, LoneSurrogates.scalar(at: text + 4, available: available - 4) != nil {
                appendGenuine(text + 4, 4, to: &bytes)
                return 8
            }
            guard scalar == LoneSurrogates.escape else {
                appendUnit(LoneSurrogates.surrogate(for: scalar), to: &bytes)
                return 4
            }
        }
        // The bytes of a Swift string are valid UTF-8.
        let length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2
        appendGenuine(text, length, to: &bytes)
        return length
    }

    private func appendGenuine(_ text: UnsafePointer<UInt8>, _ length: Int, to bytes: inout [UInt8]) {
        guard layout.isASCII else {
            bytes.append(contentsOf: UnsafeBufferPointer(start: text, count: length))
            return
        }
        var scalar = UInt32(text[0]) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for index in 1..<length { scalar = scalar << 6 | UInt32(text[index] & 0x3F) }
        if scalar >= 0x10000 {
            appendUnit(0xD800 + (scalar - 0x10000) >> 10, to: &bytes)
            appendUnit(0xDC00 + (scalar - 0x10000) & 0x3FF, to: &bytes)
        } else {
            appendUnit(scalar, to: &bytes)
        }
    }
}
