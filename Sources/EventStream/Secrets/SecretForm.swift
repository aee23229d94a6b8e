/// One of the forms in which text may have a secret.
///
/// A secret is found as it is; as the inside of a JSON string, however that is escaped; as the inside of one that is inside a JSON string itself, as
/// this library and Python escape it; and in base64, also in the middle of longer base64 text and broken into lines. What is left of a
/// secret in base64 that doesn't begin or end on a boundary of six bits is at most one character at each end.
struct SecretForm: Sendable, Hashable {
    /// How a text is compared with the bytes.
    enum Comparison: Sendable, Hashable {
        /// As it is.
        case exact
        /// Any character may be escaped in the text, and those that JSON wants escaped are.
        case jsonEscaped
        /// The text may have line ends in between, which may be escaped.
        case wrapped
    }

    /// What comes of a comparison.
    enum Outcome {
        case differs
        case matches(end: Int)
        /// The text ends before it is told.
        case runsOut
    }

    /// Base64 of fewer characters than this would be found by chance.
    private static let shortestBase64 = 8

    let bytes: [UInt8]
    private let comparison: Comparison

    private init(_ bytes: [UInt8], _ comparison: Comparison) {
        self.bytes = bytes
        self.comparison = comparison
    }

    /// The forms of a secret; none of one that is empty.
    static func all(of secret: String) -> Set<SecretForm> {
        guard !secret.isEmpty else { return [] }
        var forms: Set = [SecretForm(Array(secret.utf8), .exact), SecretForm(Array(secret.utf8), .jsonEscaped)]
        for layout in [JSONLayout.compact, .python] {
            let once = escaped(secret, layout)
            forms.insert(SecretForm(escaped(String(decoding: once, as: UTF8.self), layout), .exact))
        }
        for form in base64(of: Array(secret.utf8)) { forms.insert(SecretForm(form, .wrapped)) }
        return forms
    }

    private static func escaped(_ text: String, _ layout: JSONLayout) -> [UInt8] {
        Array(JSONValue.string(text).serialized(layout).dropFirst().dropLast())
    }

    private static func base64(of secret: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for alphabet in [Base64.standard, Base64.url] {
            let whole = Base64.encoding(of: secret, alphabet)
            let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - whole.count % 4) % 4)
            forms.append(whole)
            forms.append(whole + padding)
            // The characters that the secret determines alone, with none, one or two bytes of something else in its group.
            for offset in 0..<3 {
                let text = Base64.encoding(of: [UInt8](repeating: 0, count: offset) + secret, alphabet)
                let start = (offset * 8 + 5) / 6
                let end = (offset + secret.count) * 8 / 6
                if start < end { forms.append(Array(text[start..<end])) }
            }
        }
        return forms.filter { $0.count >= shortestBase64 }
    }

    // MARK: Comparing

    /// The first two bytes that a text in this form may have; `nil` for any.
    var starts: [(first: UInt8, second: UInt8?)] {
        let first = bytes[0]
        let second = bytes.count > 1 ? bytes[1] : nil
        switch comparison {
        case .exact: return [(first, second)]
        case .jsonEscaped: return [(first, second), (first, Self.backslash), (Self.backslash, nil)]
        case .wrapped:
            return [(first, second)] + "\n\r\\".utf8.map { (first, $0) }
        }
    }

    private static let backslash = UInt8(ascii: "\\")

    /// Whether the text has this form at a place.
    func compare(with text: UnsafeBufferPointer<UInt8>, at start: Int) -> Outcome {
        switch comparison {
        case .exact: compareExactly(text, start)
        case .jsonEscaped: compareEscaped(text, start)
        case .wrapped: compareWrapped(text, start)
        }
    }

    private func compareExactly(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Outcome {
        let count = min(bytes.count, text.count - start)
        guard text[start..<(start + count)].elementsEqual(bytes[..<count]) else { return .differs }
        return count == bytes.count ? .matches(end: start + count) : .runsOut
    }

    private func compareWrapped(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Outcome {
        var position = start
        for byte in bytes {
            while position < text.count, text[position] != byte {
                switch text[position] {
                case UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
                case Self.backslash:
                    guard position + 1 < text.count else { return .runsOut }
                    guard [UInt8(ascii: "n"), UInt8(ascii: "r")].contains(text[position + 1]) else { return .differs }
                    position += 2
                default: return .differs
                }
            }
            guard position < text.count else { return .runsOut }
            position += 1
        }
        return .matches(end: position)
    }

    private func compareEscaped(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Outcome {
        var position = start
        var matched = 0
        while matched < bytes.count {
            guard position < text.count else { return .runsOut }
            guard text[position] == Self.backslash else {
                guard text[position] == bytes[matched], bytes[matched] >= 0x20, bytes[matched] != UInt8(ascii: "\"")
                else { return .differs }
                position += 1
                matched += 1
                continue
            }
            switch JSONEscape.read(text, &position) {
            case .invalid: return .differs
            case .runsOut: return .runsOut
            case .scalar(let scalar):
                let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
                guard bytes[matched...].starts(with: encoded) else { return .differs }
                matched += encoded.count
            }
        }
        return .matches(end: position)
    }
}

/// An escape in a JSON string.
private enum JSONEscape {
    case scalar(Unicode.Scalar)
    case invalid
    case runsOut

    /// Reads the escape that begins at a backslash, and both where two stand for one character.
    static func read(_ text: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> JSONEscape {
        guard position + 1 < text.count else { return .runsOut }
        let byte = text[position + 1]
        let simple: Unicode.Scalar
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): simple = Unicode.Scalar(byte)
        case UInt8(ascii: "b"): simple = "\u{8}"
        case UInt8(ascii: "f"): simple = "\u{C}"
        case UInt8(ascii: "n"): simple = "\n"
        case UInt8(ascii: "r"): simple = "\r"
        case UInt8(ascii: "t"): simple = "\t"
        case UInt8(ascii: "u"): return unicode(text, &position)
        default: return .invalid
        }
        position += 2
        return .scalar(simple)
    }

    private static func unicode(_ text: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> JSONEscape {
        guard position + 6 <= text.count else { return .runsOut }
        guard let unit = unit(text, position) else { return .invalid }
        if let scalar = Unicode.Scalar(unit) {
            position += 6
            return .scalar(scalar)
        }
        guard (0xD800..<0xDC00).contains(unit) else { return .invalid }
        guard position + 12 <= text.count else { return .runsOut }
        guard let second = self.unit(text, position + 6), (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
        else { return .invalid }
        position += 12
        return .scalar(scalar)
    }

    private static func unit(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> UInt32? {
        guard text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u") else { return nil }
        let digits = String(decoding: text[(position + 2)..<(position + 6)], as: UTF8.self)
        return digits.utf8.first == UInt8(ascii: "+") ? nil : UInt32(digits, radix: 16)
    }
}
