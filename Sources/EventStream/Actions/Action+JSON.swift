extension Action {
    /// The word in the log, for example `run`.
    public var kind: String {
        if case .other(let other) = self { return other.kind }
        var visitor = KindVisitor()
        return accept(&visitor).map { "\($0)" } ?? ""
    }

    /// The line that people see, as the reference words it; empty for kinds that have none.
    public var message: String {
        if case .other(let other) = self { return other.message?.stringValue ?? "" }
        var visitor = MessageVisitor()
        return accept(&visitor) ?? ""
    }

    /// Reads `{"action": …, "args": …}`; members beside those two are left alone.
    ///
    /// - Throws: The field that is missing or of a wrong type. An unknown kind isn't an error, it is read as `other`.
    public init(json: JSONObject) throws(EventDecodingError) {
        guard let kind = json["action"] else {
            throw EventDecodingError(path: ["action"], expected: "the kind of action", found: "nothing")
        }
        guard case .string(let kind) = kind else {
            throw EventDecodingError.mismatch("a string", kind).inside("action")
        }
        self = try Action(kind: kind, ActionReader(members: json))
    }

    /// The members `message`, `action` and `args`, as the reference writes an action that isn't in a stream yet.
    public var json: JSONObject {
        var object = JSONObject()
        if let message = messageMember { object.append("message", message) }
        object.append("action", .string(kind))
        if let args = argsMember { object.append("args", args) }
        return object
    }

    var messageMember: JSONValue? {
        if case .other(let other) = self { other.message } else { .string(message) }
    }

    var argsMember: JSONValue? {
        if case .other(let other) = self { return other.args }
        var visitor = WireVisitor()
        return accept(&visitor).map { .object($0) }
    }
}
