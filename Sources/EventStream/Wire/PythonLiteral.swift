/// Reads a Python literal of the types that JSON has too: the other way round of ``PythonRepresentation``.
package struct PythonLiteral {
    private static let maximumDepth = 64

    private var rest: Substring.UnicodeScalarView
    private var depth = 0

    /// The value of a literal; `nil` when the text isn't one.
    package static func value(of text: Substring) -> JSONValue? {
        var reader = PythonLiteral(rest: text.unicodeScalars)
        guard let value = reader.value() else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? value : nil
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value() -> JSONValue? {
        skipSpace()
        guard depth < Self.maximumDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        switch rest.first {
        case "{": return object()
        case "[": return array()
        case "'", "\"": return string().map { .string($0) }
        default: return word()
        }
    }

    private mutating func object() -> JSONValue? {
        var object = JSONObject()
        guard take("{") else { return nil }
        while !take("}") {
            skipSpace()
            guard let key = string(), take(":"), let value = value() else { return nil }
            object[key] = value
            guard take(",") || rest.first == "}" else { return nil }
        }
        return .object(object)
    }

    private mutating func array() -> JSONValue? {
        var elements: [JSONValue] = []
        guard take("[") else { return nil }
        while !take("]") {
            guard let value = value() else { return nil }
            elements.append(value)
            guard take(",") || rest.first == "]" else { return nil }
        }
        return .array(elements)
    }

    private mutating func word() -> JSONValue? {
        let word = String(
            rest.prefix {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || "+-.".contains(Character($0))
            }
        )
        rest = rest.dropFirst(word.unicodeScalars.count)
        switch word {
        case "None": return .null
        case "True": return true
        case "False": return false
        default: return (try? JSONValue(parsing: word)).flatMap { if case .number = $0 { $0 } else { nil } }
        }
    }

    private mutating func string() -> String? {
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
        rest.removeFirst()
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case quote: return String(text)
            case "\n": return nil
            case "\\":
                guard let escaped = escape() else { return nil }
                text.append(escaped)
            default: text.append(scalar)
            }
        }
        return nil
    }

    /// What a backslash and the characters after it stand for, of the escapes that Python's `repr` writes.
    private mutating func escape() -> Unicode.Scalar? {
        guard let scalar = rest.popFirst() else { return nil }
        switch scalar {
        case "\\", "'", "\"": return scalar
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "x": return hexadecimal(2)
        case "u": return hexadecimal(4)
        case "U": return hexadecimal(8)
        default: return nil
        }
    }

    private mutating func hexadecimal(_ count: Int) -> Unicode.Scalar? {
        let digits = String(rest.prefix(count))
        rest = rest.dropFirst(count)
        guard digits.unicodeScalars.count == count else { return nil }
        return UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) }
    }
}
