/// Reads the fields of a record from an object.
struct RecordReader: FieldVisitor {
    private let object: JSONObject
    private let olderNames: [String: [String]]
    /// Which members belong to a field; the others are extra.
    private var isKnown: [Bool]

    init(_ object: JSONObject, olderNames: [String: [String]]) {
        self.object = object
        self.olderNames = olderNames
        isKnown = Array(repeating: false, count: object.count)
    }

    mutating func field<Value: WireValue>(
        _ key: StaticString,
        _ value: inout Value,
        isRequired: Bool
    ) throws(EventDecodingError) {
        guard let wire = takeEither(key), !wire.isNull || Value.isNullable || isRequired else {
            guard isRequired else { return }
            throw EventDecodingError(path: ["\(key)"], expected: Value.expectation, found: "nothing")
        }
        guard let read = Value(wire: wire) else {
            throw EventDecodingError.mismatch(Value.expectation, wire).inside("\(key)")
        }
        value = read
    }

    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) throws(EventDecodingError) {
        guard let wire = take("\(key)"), !wire.isNull else { return }
        guard case .object(let object) = wire else {
            throw EventDecodingError.mismatch("an object", wire).inside("\(key)")
        }
        do {
            record = try Record(wire: object)
        } catch {
            throw error.inside("\(key)")
        }
    }

    /// Marks members that are read elsewhere.
    mutating func skip(_ keys: [String]) {
        for key in keys { _ = take(key) }
    }

    /// The members that no field took.
    var rest: JSONObject {
        guard isKnown.contains(false) else { return [:] }
        return JSONObject(zip(object, isKnown).filter { !$0.1 }.map(\.0))
    }

    /// The member of that name or, when there is one that isn't null, of an older name.
    private mutating func takeEither(_ key: StaticString) -> JSONValue? {
        var wire = take("\(key)")
        if !olderNames.isEmpty, let names = olderNames["\(key)"] {
            for name in names {
                if let older = take(name), wire == nil || !older.isNull { wire = older }
            }
        }
        return wire
    }

    private mutating func take(_ key: String) -> JSONValue? {
        var value: JSONValue?
        for (index, member) in object.enumerated() where member.key == key {
            value = member.value
            isKnown[index] = true
        }
        return value
    }
}

extension WireRecord {
    /// Reads a record, so that writing it again gives the same object.
    ///
    /// - Throws: The first field that is missing or of a wrong type.
    init(wire object: JSONObject) throws(EventDecodingError) {
        self = .blank
        let modern = Self.modernized(object)
        var reader = RecordReader(modern ?? object, olderNames: Self.olderNames)
        try visitFields(&reader)
        extra = reader.rest
        adoptOlderFields()
        if modern != nil || !canonicalWire.isIdentical(to: object) { origin.object = object }
    }
}
