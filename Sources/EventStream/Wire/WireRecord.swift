/// What goes through the fields of a record, to read, write or change them.
protocol FieldVisitor: ~Copyable {
    associatedtype Failure: Error

    /// Visits one field.
    ///
    /// - Parameters:
    ///   - key: The name of the member.
    ///   - value: The field; when reading it holds the default.
    ///   - isRequired: Whether reading fails without it.
    mutating func field<Value: WireValue>(
        _ key: StaticString,
        _ value: inout Value,
        isRequired: Bool
    ) throws(Failure)

    /// Visits a record inside of the record.
    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) throws(Failure)
}

extension FieldVisitor where Self: ~Copyable {
    /// Visits a field that has a default.
    @inline(__always)
    mutating func field<Value: WireValue>(_ key: StaticString, _ value: inout Value) throws(Failure) {
        try field(key, &value, isRequired: false)
    }

    /// Visits a field without which the record can't be read.
    @inline(__always)
    mutating func required<Value: WireValue>(_ key: StaticString, _ value: inout Value) throws(Failure) {
        try field(key, &value, isRequired: true)
    }
}

/// A struct whose stored properties are the members of a JSON object.
///
/// One list of fields, in ``visitFields(_:)``, is all that reading, writing and masking know of it.
protocol WireRecord: Sendable, Hashable {
    /// A record with all defaults, for reading into.
    static var blank: Self { get }

    /// Members that this version doesn't know.
    var extra: JSONObject { get set }

    /// The object that the record was read from.
    var origin: Origin { get set }

    /// Older names of members that are still read, by the member that has their place now.
    static var olderNames: [String: [String]] { get }

    /// The object with members in today's place that an older version put elsewhere; `nil` when none are.
    static func modernized(_ object: JSONObject) -> JSONObject?

    /// Takes over what older names in ``extra`` hold where that takes more than a renaming.
    mutating func adoptOlderFields()

    /// Visits all fields in the order in which the reference writes them.
    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)
}

extension WireRecord {
    static var olderNames: [String: [String]] { [:] }
    static func modernized(_ object: JSONObject) -> JSONObject? { nil }
    mutating func adoptOlderFields() {}
}

/// The object that a record was read from, kept where writing the fields in their usual way wouldn't give the same text.
///
/// That is so when members are in another order, missing, spelled in an older way or given as another type of number. It is no part of
/// the record's value: records that differ in it alone are equal.
struct Origin: Sendable, Hashable {
    var object: JSONObject?

    static func == (left: Origin, right: Origin) -> Bool { true }
    func hash(into hasher: inout Hasher) {}
}
