/// Writes the fields of a record as an object.
struct RecordWriter: FieldVisitor {
    var object = JSONObject()

    mutating func field<Value: WireValue>(
        _ key: StaticString,
        _ value: inout Value,
        isRequired: Bool
    ) {
        object.append("\(key)", value.wire)
    }

    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) {
        object.append("\(key)", .object(record.wire))
    }
}

extension WireRecord {
    /// All fields in the usual order, then the members that aren't known.
    var canonicalWire: JSONObject {
        var copy = self
        var writer = RecordWriter()
        copy.visitFields(&writer)
        var object = writer.object
        for (key, value) in extra { object.append(key, value) }
        return object
    }

    /// The record's object: the one it was read from, with the changes made since.
    var wire: JSONObject {
        guard let object = origin.object, let original = try? Self(wire: object) else { return canonicalWire }
        if original == self { return object }
        let modern = Self.modernized(object) ?? object
        return modern.merging(from: original.canonicalWire, to: canonicalWire, olderNames: Self.olderNames)
    }
}

extension JSONObject {
    /// Applies the difference between two canonical objects to the object that the first was read from.
    ///
    /// What didn't change keeps its place and spelling, or its absence.
    func merging(
        from old: JSONObject,
        to new: JSONObject,
        olderNames: [String: [String]] = [:]
    ) -> JSONObject {
        var result = self
        for (key, value) in new where old[key] != value {
            result[key] = value
            for name in olderNames[key] ?? [] { result.removeValue(forKey: name) }
        }
        for key in old.keys where !new.contains(key: key) { result.removeValue(forKey: key) }
        return result
    }
}
