/// Reads one JSON document from bytes; a value without I/O.
struct JSONParser {
    private let base: UnsafePointer<UInt8>
    private let count: Int
    private let maximumDepth: Int
    private(set) var position: Int

    /// Reads from bytes that must outlive the parser, from a position on.
    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int, from position: Int = 0) {
        // An empty buffer may have no address; nothing is read from this one.
        base = bytes.baseAddress ?? UnsafePointer(Self.nothing)
        count = bytes.count
        self.maximumDepth = maximumDepth
        self.position = position
    }

    // Never written to and never freed, so sharing it is safe.
    private nonisolated(unsafe) static let nothing = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

    /// Reads the value and requires that nothing but white space follows.
    mutating func document() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let result = try value(depth: 0)
        skipWhitespace()
        guard position == count else { throw error("the end of the text") }
        return result
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard position < count else { throw error("a value") }
        switch base[position] {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try keyword("true", .bool(true))
        case UInt8(ascii: "f"): return try keyword("false", .bool(false))
        case UInt8(ascii: "n"): return try keyword("null", .null)
        case UInt8(ascii: "N"): return try keyword("NaN", .number(JSONNumber(Double.nan)))
        case UInt8(ascii: "I"): return try keyword("Infinity", .number(JSONNumber(Double.infinity)))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw error("a value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        guard depth < maximumDepth else { throw error("at most \(maximumDepth) levels of nesting") }
        position += 1
        var members: [JSONObject.Member] = []
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return JSONObject(members) }
        while true {
            let key = try name()
            skipWhitespace()
            members.append((key, try value(depth: depth + 1)))
            skipWhitespace()
            if take(UInt8(ascii: ",")) {
                skipWhitespace()
            } else if take(UInt8(ascii: "}")) {
                return JSONObject(members)
            } else {
                throw error("\",\" or \"}\"")
            }
        }
    }

    /// Reads a member's name and the colon.
    mutating func name() throws(JSONError) -> String {
        guard position < count, base[position] == UInt8(ascii: "\"") else { throw error("a member's name in quotes") }
        let name = try string()
        skipWhitespace()
        guard take(UInt8(ascii: ":")) else { throw error("\":\" after a member's name") }
        return name
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth < maximumDepth else { throw error("at most \(maximumDepth) levels of nesting") }
        position += 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipWhitespace()
            if take(UInt8(ascii: ",")) {
                skipWhitespace()
            } else if take(UInt8(ascii: "]")) {
                return elements
            } else {
                throw error("\",\" or \"]\"")
            }
        }
    }

    // MARK: Scalars

    private mutating func keyword(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard position + index < count, base[position + index] == word.utf8Start[index] else {
                position = min(position + index, count)
                throw error("the rest of \"\(word)\"")
            }
        }
        position += word.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        if isNegative, position < count, base[position] == UInt8(ascii: "I") {
            _ = try keyword("Infinity", .null)
            return JSONNumber(-Double.infinity)
        }
        let firstDigit = position
        var magnitude = 0
        while position < count, let digit = digit(base[position]) {
            magnitude = magnitude &* 10 &+ digit
            position += 1
        }
        guard position > firstDigit else { throw error("a digit") }
        if base[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
            position = firstDigit + 1
            throw error("no digit after a leading zero")
        }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if position < count, base[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        // Eighteen digits always fit; "-0" isn't how an integer is spelled.
        if isInteger, position - firstDigit <= 18, !(isNegative && magnitude == 0) {
            return JSONNumber(isNegative ? -magnitude : magnitude)
        }
        let literal = text(from: start, to: position)
        if isInteger, let value = Int(literal), value != 0 { return JSONNumber(value) }
        return JSONNumber(checkedLiteral: literal)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < count, digit(base[position]) != nil { position += 1 }
        guard position > start else { throw error("a digit") }
    }

    @inline(__always)
    private func digit(_ byte: UInt8) -> Int? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? Int(value) : nil
    }

    private func text(from start: Int, to end: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: base + start, count: end - start), as: UTF8.self)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        position = SWAR.endOfPlain(base, from: start, to: count)
        guard position < count else { throw error("the closing quote of a string") }
        if base[position] == UInt8(ascii: "\"") {
            let bytes = UnsafeBufferPointer(start: base + start, count: position - start)
            position += 1
            guard bytes.contains(LoneSurrogates.leadByte) else {
                guard let string = String(utf8: bytes) else {
                    throw invalidUTF8(in: bytes, at: start)
                }
                return string
            }
            position = start
        } else {
            position = start
        }
        return try StringWithEscapes.read(base, count, &position)
    }

    // MARK: Helpers

    @inline(__always)
    mutating func skipWhitespace() {
        while position < count {
            switch base[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
            default: return
            }
        }
    }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard position < count, base[position] == byte else { return false }
        position &+= 1
        return true
    }

    func error(_ expected: String) -> JSONError {
        JSONError.at(position, in: base, count: count, expected: expected)
    }

    private func invalidUTF8(in bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> JSONError {
        JSONError.invalidUTF8(in: bytes, startingAt: start)
    }
}

extension JSONError {
    static func at(_ offset: Int, in base: UnsafePointer<UInt8>, count: Int, expected: String) -> JSONError {
        guard offset < count else { return JSONError(offset: count, expected: expected, found: "the end of the text") }
        let byte = base[offset]
        let found =
            (0x21...0x7E).contains(byte)
            ? "\"\(Character(Unicode.Scalar(byte)))\""
            : "the byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        return JSONError(offset: offset, expected: expected, found: found)
    }

    static func invalidUTF8(in bytes: UnsafeBufferPointer<UInt8>, startingAt start: Int) -> JSONError {
        // Valid text only gets longer, so the longest valid prefix is found by halving; a sequence cut off by the end of
        // the prefix is at most three bytes, which the loop over them takes into account.
        var offset = 0
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: break decoding
            }
        }
        offset = min(offset, max(bytes.count - 1, 0))
        let byte = bytes.isEmpty ? 0 : bytes[offset]
        return JSONError(
            offset: start + offset,
            expected: "UTF-8",
            found: "the byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        )
    }
}

extension JSONValue {
    /// Reads a document.
    ///
    /// The grammar is that of RFC 8259, with two things on top that Python's `json` writes: `NaN`, `Infinity` and `-Infinity`, and
    /// lone surrogates as escapes. No Swift string can hold a lone surrogate: U+D800…U+DFFF become the private-use characters
    /// U+10F800…U+10FFFF, which are written as the escape again.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8, without a byte order mark.
    ///   - maximumDepth: How many arrays and objects may be inside each other, at least 0.
    /// - Throws: The first place where the text isn't JSON, and what was expected there.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 512) throws(JSONError) {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var parser = JSONParser(buffer, maximumDepth: maximumDepth)
                return try parser.document()
            }
        }
        self = try result.get()
    }

    /// Reads a document from memory that is valid during the call.
    ///
    /// - Throws: The first place where the text isn't JSON, and what was expected there.
    public init(parsing bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int = 512) throws(JSONError) {
        var parser = JSONParser(bytes, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    /// Reads a document from a string.
    ///
    /// - Throws: The first place where the text isn't JSON, and what was expected there.
    public init(parsing text: String, maximumDepth: Int = 512) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}
