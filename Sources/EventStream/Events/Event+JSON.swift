extension Event {
    /// Reads an event as the reference writes it, so that ``json`` gives the same JSON again.
    ///
    /// - Throws: The field that is missing or of a wrong type. Unknown members and kinds aren't errors.
    public init(json: JSONValue) throws(EventDecodingError) {
        guard case .object(let members) = json else { throw EventDecodingError.mismatch("an object", json) }
        try self.init(json: members)
    }

    /// Reads an event from its members.
    ///
    /// - Throws: The field that is missing or of a wrong type. Unknown members and kinds aren't errors.
    public init(json members: JSONObject) throws(EventDecodingError) {
        var id: Int?
        do throws(EventDecodingError) {
            var fields = EnvelopeFields()
            var reader = RecordReader(members, olderNames: [:])
            try reader.required("id", &fields.id)
            id = fields.id
            try reader.required("timestamp", &fields.timestamp)
            try reader.field("source", &fields.source)
            try reader.field("cause", &fields.cause)
            try reader.field("timeout", &fields.timeout)
            try reader.field("tool_call_metadata", &fields.toolCallMetadata)
            try reader.field("llm_metrics", &fields.llmMetrics)
            try reader.field("response_id", &fields.responseID)
            let payload: Payload
            if members.contains(key: "action") {
                payload = .action(try Action(json: members))
                reader.skip(["message", "action", "args"])
            } else if members.contains(key: "observation") {
                payload = .observation(try Observation(json: members))
                reader.skip(["message", "observation", "content", "extras", "success"])
            } else {
                throw EventDecodingError(path: [], expected: "\"action\" or \"observation\"", found: "neither")
            }
            self.init(
                id: fields.id,
                timestamp: fields.timestamp,
                source: EventSource(rawValue: fields.source),
                cause: fields.cause,
                timeout: fields.timeout,
                toolCallMetadata: fields.toolCallMetadata,
                payload: payload
            )
            llmMetrics = fields.llmMetrics
            responseID = fields.responseID
            extra = reader.rest
        } catch {
            var error = error
            error.eventID = id
            throw error
        }
        if !canonicalJSON.isIdentical(to: members) { origin.object = members }
    }

    /// Reads an event from the bytes of its JSON.
    ///
    /// - Throws: ``JSONError`` where the bytes aren't JSON, ``EventDecodingError`` where the JSON isn't an event.
    public init(jsonBytes bytes: [UInt8]) throws {
        let event = try bytes.withUnsafeBufferPointer { try Event(jsonBytes: $0) }
        self = event
    }

    /// The event as the reference writes it; for an event that was read, as it stood there, with the changes made since.
    public var json: JSONValue {
        .object(jsonObject)
    }

    /// The members of ``json``.
    public var jsonObject: JSONObject {
        guard let object = origin.object, let original = try? Event(json: object) else { return canonicalJSON }
        if original == self { return object }
        return object.merging(from: original.canonicalJSON, to: canonicalJSON)
    }

    /// The bytes of ``json``.
    public func jsonBytes(_ layout: JSONLayout = .compact) -> [UInt8] {
        guard layout == .compact else { return json.serialized(layout) }
        var writer = ByteWriter()
        writer.appendEvent(self)
        return Array(writer.bytes)
    }

    /// The members in the order in which the reference writes them.
    private var canonicalJSON: JSONObject {
        var object = JSONObject()
        object.append("id", .number(JSONNumber(id)))
        object.append("timestamp", .string(timestamp.description))
        object.append("source", .string(source.rawValue))
        switch payload {
        case .action(let action):
            if let message = action.messageMember { object.append("message", message) }
        case .observation(let observation):
            if let message = observation.messageMember { object.append("message", message) }
        }
        if let cause { object.append("cause", .number(JSONNumber(cause))) }
        switch payload {
        case .action(let action): object.append("action", .string(action.kind))
        case .observation(let observation): object.append("observation", .string(observation.kind))
        }
        if let toolCallMetadata { object.append("tool_call_metadata", toolCallMetadata) }
        if let llmMetrics { object.append("llm_metrics", llmMetrics) }
        switch payload {
        case .action(let action):
            if let args = action.argsMember { object.append("args", args) }
        case .observation(let observation):
            observation.appendPayload(to: &object)
        }
        if let timeout { object.append("timeout", .number(JSONNumber(timeout))) }
        if let responseID { object.append("response_id", .string(responseID)) }
        for (key, value) in extra { object.append(key, value) }
        return object
    }
}

/// The members of an event outside of its payload, while they're read.
private struct EnvelopeFields {
    var id = 0
    var timestamp = Timestamp(wallMicroseconds: 0)
    var source = EventSource.environment.rawValue
    var cause: Int?
    var timeout: Double?
    var toolCallMetadata: JSONValue?
    var llmMetrics: JSONValue?
    var responseID: String?
}
