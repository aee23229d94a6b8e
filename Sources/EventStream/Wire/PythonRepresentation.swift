/// JSON as Python's `repr` shows the parsed value, which the reference has in some of its messages.
package enum PythonRepresentation {
    /// The text of a value.
    static func of(_ value: JSONValue) -> String {
        switch value {
        case .null: "None"
        case .bool(let bool): bool ? "True" : "False"
        case .number(let number): of(number)
        case .string(let string): of(string)
        case .array(let elements): "[" + elements.map(of).joined(separator: ", ") + "]"
        case .object(let object):
            "{" + object.map { "\(of($0.key)): \(of($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private static func of(_ number: JSONNumber) -> String {
        switch number.literal {
        case "NaN": "nan"
        case "Infinity": "inf"
        case "-Infinity": "-inf"
        case let literal where literal.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || $0 >= UInt8(ascii: "0") }): literal
        default: JSONNumber(number.double).literal.lowercased()
        }
    }

    /// The text of a string.
    package static func of(_ string: String) -> String {
        let quote: Unicode.Scalar =
            string.unicodeScalars.contains("'") && !string.unicodeScalars.contains("\"") ? "\"" : "'"
        var text = String.UnicodeScalarView([quote])
        for scalar in string.unicodeScalars {
            switch scalar {
            case quote, "\\": text.append(contentsOf: ["\\", scalar])
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\r": text.append(contentsOf: "\\r".unicodeScalars)
            case "\t": text.append(contentsOf: "\\t".unicodeScalars)
            case _ where isPrintable(scalar): text.append(scalar)
            default: text.append(contentsOf: escape(scalar.value).unicodeScalars)
            }
        }
        text.append(quote)
        return String(text)
    }

    private static func escape(_ value: UInt32) -> String {
        let (prefix, width) = value < 0x100 ? ("\\x", 2) : value < 0x10000 ? ("\\u", 4) : ("\\U", 8)
        let digits = String(value, radix: 16)
        return prefix + String(repeating: "0", count: width - digits.count) + digits
    }

    /// `str.isprintable` of the Python library.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
