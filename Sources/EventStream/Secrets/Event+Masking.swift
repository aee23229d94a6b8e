/// Replaces secrets in the fields of a record.
struct MaskingVisitor: FieldVisitor {
    let masker: SecretMasker

    mutating func field<Value: WireValue>(_ key: StaticString, _ value: inout Value, isRequired: Bool) {
        value.mask(with: masker)
    }

    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) {
        record.mask(with: masker)
    }
}

extension WireRecord {
    /// Replaces secrets in all fields, known or not.
    mutating func mask(with masker: SecretMasker) {
        var visitor = MaskingVisitor(masker: masker)
        visitFields(&visitor)
        extra.mask(with: masker)
        origin.object?.mask(with: masker)
    }
}

extension ActionRecord {
    /// The same with placeholders for secrets.
    func masked(with masker: SecretMasker) -> Self {
        var copy = self
        copy.mask(with: masker)
        return copy
    }
}

extension ObservationRecord {
    /// The same with placeholders for secrets.
    func masked(with masker: SecretMasker) -> Self {
        var copy = self
        copy.content.mask(with: masker)
        copy.mask(with: masker)
        return copy
    }
}

extension String {
    mutating func mask(with masker: SecretMasker) {
        if let masked = masker.masked(self) { self = masked }
    }
}

extension JSONValue {
    mutating func mask(with masker: SecretMasker) {
        switch self {
        case .null, .bool, .number: return
        case .string(var string):
            string.mask(with: masker)
            self = .string(string)
        case .array(var elements):
            elements.mask(with: masker)
            self = .array(elements)
        case .object(var object):
            object.mask(with: masker)
            self = .object(object)
        }
    }
}

extension JSONObject {
    /// Replaces secrets in the members' names and values.
    mutating func mask(with masker: SecretMasker) {
        self = JSONObject(
            map { member in
                var (key, value) = member
                key.mask(with: masker)
                value.mask(with: masker)
                return (key, value)
            }
        )
    }
}

extension Array where Element: WireValue {
    mutating func mask(with masker: SecretMasker) {
        for index in indices { self[index].mask(with: masker) }
    }
}

extension Optional where Wrapped: WireValue {
    mutating func mask(with masker: SecretMasker) {
        self?.mask(with: masker)
    }
}

extension WireWord {
    mutating func mask(with masker: SecretMasker) {
        guard let masked = masker.masked(rawValue) else { return }
        self = Self(rawValue: masked)
    }
}

extension Event {
    /// Replaces secrets everywhere but in what the system needs: id, time, source, cause and kind.
    mutating func mask(with masker: SecretMasker) {
        switch payload {
        case .action(let action): payload = .action(action.masked(with: masker))
        case .observation(let observation): payload = .observation(observation.masked(with: masker))
        }
        if var metadata = toolCallMetadata {
            metadata.mask(with: masker)
            toolCallMetadata = metadata
        }
        if var metrics = llmMetrics {
            metrics.mask(with: masker)
            llmMetrics = metrics
        }
        if var id = responseID {
            id.mask(with: masker)
            responseID = id
        }
        if !extra.isEmpty { extra.mask(with: masker) }
        if let object = origin.object {
            origin.object = JSONObject(
                object.map { member in
                    var (key, value) = member
                    guard !Self.systemMembers.contains(key) else { return member }
                    key.mask(with: masker)
                    value.mask(with: masker)
                    return (key, value)
                }
            )
        }
    }

    private static let systemMembers: Set = ["id", "timestamp", "source", "cause", "action", "observation"]
}
