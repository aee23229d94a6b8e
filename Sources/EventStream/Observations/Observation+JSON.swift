extension Observation {
    /// The word in the log, for example `run`.
    public var kind: String {
        if case .other(let other) = self { return other.kind }
        var visitor = KindVisitor()
        return accept(&visitor).map { "\($0)" } ?? ""
    }

    /// What the agent reads.
    public var content: String {
        if case .other(let other) = self { return other.content?.stringValue ?? "" }
        var visitor = ContentVisitor()
        return accept(&visitor)?.content ?? ""
    }

    /// The line that people see, as the reference words it; empty for kinds that have none.
    public var message: String {
        if case .other(let other) = self { return other.message?.stringValue ?? "" }
        var visitor = MessageVisitor()
        return accept(&visitor) ?? ""
    }

    /// Whether the action succeeded; `nil` for kinds of which the reference doesn't say it.
    public var success: Bool? {
        if case .other(let other) = self { return other.success?.boolValue }
        var visitor = ContentVisitor()
        return accept(&visitor)?.success
    }

    /// Reads `{"observation": …, "content": …, "extras": …}`; other members are left alone.
    ///
    /// - Throws: The field that is missing or of a wrong type. An unknown kind isn't an error, it is read as `other`.
    public init(json: JSONObject) throws(EventDecodingError) {
        guard let kind = json["observation"] else {
            throw EventDecodingError(path: ["observation"], expected: "the kind of observation", found: "nothing")
        }
        guard case .string(let kind) = kind else {
            throw EventDecodingError.mismatch("a string", kind).inside("observation")
        }
        self = try Observation(kind: kind, ObservationReader(members: json))
    }

    /// The members `message`, `observation`, `content`, `extras` and `success`, as the reference's server answers.
    public var json: JSONObject {
        var object = JSONObject()
        if let message = messageMember { object.append("message", message) }
        object.append("observation", .string(kind))
        appendPayload(to: &object)
        return object
    }

    func appendPayload(to object: inout JSONObject) {
        if case .other(let other) = self {
            if let content = other.content { object.append("content", content) }
            if let extras = other.extras { object.append("extras", extras) }
            if let success = other.success { object.append("success", success) }
            return
        }
        var fields = WireVisitor()
        object.append("content", .string(content))
        if let extras = accept(&fields) { object.append("extras", .object(extras)) }
        if let success { object.append("success", .bool(success)) }
    }

    var messageMember: JSONValue? {
        if case .other(let other) = self { other.message } else { .string(message) }
    }
}
