/// A type that a field of an event can have.
protocol WireValue: Sendable, Hashable {
    /// What a field of this type holds, for messages.
    static var expectation: String { get }

    /// Whether `null` is a value of its own; otherwise it stands for a field that isn't there.
    static var isNullable: Bool { get }

    /// The value of a field, `nil` when it isn't of this type.
    init?(wire: JSONValue)

    /// The field's JSON.
    var wire: JSONValue { get }

    /// Appends the field's JSON in the compact layout.
    func write(to writer: inout ByteWriter)

    /// Reads the field from text in the compact layout; `nil` when it isn't of this type or not spelled the usual way.
    init?(reading reader: inout CanonicalReader)

    /// Replaces secrets in the field's text.
    mutating func mask(with masker: SecretMasker)
}

extension WireValue {
    static var isNullable: Bool { false }
}

extension String: WireValue {
    static var expectation: String { "a string" }
    init?(wire: JSONValue) {
        guard case .string(let string) = wire else { return nil }
        self = string
    }
    var wire: JSONValue { .string(self) }
    @inline(__always)
    func write(to writer: inout ByteWriter) { writer.appendQuoted(self) }
    init?(reading reader: inout CanonicalReader) {
        guard let string = reader.string() else { return nil }
        self = string
    }
}

extension Int: WireValue {
    static var expectation: String { "an integer" }
    init?(wire: JSONValue) {
        guard let value = wire.intValue else { return nil }
        self = value
    }
    var wire: JSONValue { .number(JSONNumber(self)) }
    @inline(__always)
    func write(to writer: inout ByteWriter) { writer.append(self) }
    init?(reading reader: inout CanonicalReader) {
        guard let value = reader.integer() else { return nil }
        self = value
    }
    func mask(with masker: SecretMasker) {}
}

extension Double: WireValue {
    static var expectation: String { "a number" }
    init?(wire: JSONValue) {
        guard let value = wire.doubleValue else { return nil }
        self = value
    }
    var wire: JSONValue { .number(JSONNumber(self)) }
    func write(to writer: inout ByteWriter) {
        // Whole seconds are the rule.
        if let whole = Int(exactly: self), whole.magnitude < 1 << 50, whole != 0 {
            writer.append(whole)
            writer.appendLiteral(".0")
        } else {
            writer.appendRaw(JSONNumber(self).literal)
        }
    }
    init?(reading reader: inout CanonicalReader) {
        guard let value = reader.double() else { return nil }
        self = value
    }
    func mask(with masker: SecretMasker) {}
}

extension Bool: WireValue {
    static var expectation: String { "true or false" }
    init?(wire: JSONValue) {
        guard let value = wire.boolValue else { return nil }
        self = value
    }
    var wire: JSONValue { .bool(self) }
    @inline(__always)
    func write(to writer: inout ByteWriter) { writer.appendLiteral(self ? "true" : "false") }
    init?(reading reader: inout CanonicalReader) {
        if reader.take("false") {
            self = false
        } else if reader.take("true") {
            self = true
        } else {
            return nil
        }
    }
    func mask(with masker: SecretMasker) {}
}

extension JSONValue: WireValue {
    static var expectation: String { "a value" }
    static var isNullable: Bool { true }
    init?(wire: JSONValue) { self = wire }
    var wire: JSONValue { self }
    func write(to writer: inout ByteWriter) { writer.appendValue(self) }
    init?(reading reader: inout CanonicalReader) {
        guard let value = reader.value() else { return nil }
        self = value
    }
}

extension JSONObject: WireValue {
    static var expectation: String { "an object" }
    init?(wire: JSONValue) {
        guard let value = wire.objectValue else { return nil }
        self = value
    }
    var wire: JSONValue { .object(self) }
    func write(to writer: inout ByteWriter) { writer.appendObject(self) }
    init?(reading reader: inout CanonicalReader) {
        guard reader.next == UInt8(ascii: "{"), case .object(let object)? = reader.value() else { return nil }
        self = object
    }
}

extension Array: WireValue where Element: WireValue {
    static var expectation: String { "an array of \(Element.expectation) each" }
    init?(wire: JSONValue) {
        guard case .array(let values) = wire else { return nil }
        self = []
        reserveCapacity(values.count)
        for value in values {
            guard let element = Element(wire: value) else { return nil }
            append(element)
        }
    }
    var wire: JSONValue { .array(map(\.wire)) }
    func write(to writer: inout ByteWriter) {
        var separator = UInt8(ascii: "[")
        for element in self {
            writer.append(separator)
            element.write(to: &writer)
            separator = UInt8(ascii: ",")
        }
        if isEmpty { writer.append(separator) }
        writer.append(UInt8(ascii: "]"))
    }
    init?(reading reader: inout CanonicalReader) {
        self = []
        guard reader.take(UInt8(ascii: "[")) else { return nil }
        if reader.take(UInt8(ascii: "]")) { return }
        repeat {
            guard let element = Element(reading: &reader) else { return nil }
            append(element)
        } while reader.take(UInt8(ascii: ","))
        guard reader.take(UInt8(ascii: "]")) else { return nil }
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    static var expectation: String { "\(Wrapped.expectation) or null" }
    static var isNullable: Bool { true }
    init?(wire: JSONValue) {
        if wire.isNull {
            self = .none
        } else if let value = Wrapped(wire: wire) {
            self = .some(value)
        } else {
            return nil
        }
    }
    var wire: JSONValue { self?.wire ?? .null }
    func write(to writer: inout ByteWriter) {
        if let self { self.write(to: &writer) } else { writer.appendLiteral("null") }
    }
    init?(reading reader: inout CanonicalReader) {
        if reader.take("null") {
            self = .none
        } else if let value = Wrapped(reading: &reader) {
            self = .some(value)
        } else {
            return nil
        }
    }
}

/// A set of words that may grow.
protocol WireWord: WireValue, RawRepresentable where RawValue == String {
    init(rawValue: String)
}

extension WireWord {
    static var expectation: String { "a word" }
    init?(wire: JSONValue) {
        guard case .string(let string) = wire else { return nil }
        self.init(rawValue: string)
    }
    var wire: JSONValue { .string(rawValue) }
    func write(to writer: inout ByteWriter) { writer.appendQuoted(rawValue) }
    init?(reading reader: inout CanonicalReader) {
        guard let string = reader.string() else { return nil }
        self.init(rawValue: string)
    }
}
