/// The header fields of a message, in order, duplicates kept.
///
/// Names compare without regard to case (RFC 9110, 5.1); they keep the spelling they came with.
public struct HTTPHeaders: Sendable, Hashable {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name, as sent.
        public var name: String
        /// The value, without surrounding blanks.
        public var value: String

        /// Creates a field.
        ///
        /// It is checked when the request is executed.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    private var fields: [Field]

    /// Creates headers from fields; none by default.
    public init(_ fields: [Field] = []) {
        self.fields = fields
    }

    /// Adds a field after the others, whether or not one of that name exists.
    public mutating func add(name: String, value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// All values of the fields with this name, in order.
    public func values(of name: String) -> [String] {
        fields.filter { Self.equal($0.name, name) }.map(\.value)
    }

    /// The first value of this name; setting replaces every field of the name, `nil` removes them.
    public subscript(name: String) -> String? {
        get { fields.first { Self.equal($0.name, name) }?.value }
        set {
            fields.removeAll { Self.equal($0.name, name) }
            if let newValue { add(name: name, value: newValue) }
        }
    }

    /// Compares two field names as RFC 9110 wants: ASCII letters without case.
    static func equal(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

extension HTTPHeaders: RandomAccessCollection {
    /// The position of the first field.
    public var startIndex: Int { fields.startIndex }
    /// One past the last field.
    public var endIndex: Int { fields.endIndex }
    /// The field at a position.
    public subscript(position: Int) -> Field { fields[position] }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    /// Creates headers from a literal; duplicates are kept.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Field(name: $0.0, value: $0.1) })
    }
}
