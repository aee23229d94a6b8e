extension ByteWriter: FieldVisitor {
    // Each member is followed by a comma; the last one's becomes the closing brace.

    @inline(__always)
    mutating func field<Value: WireValue>(_ key: StaticString, _ value: inout Value, isRequired: Bool) {
        appendKey(key)
        value.write(to: &self)
        append(UInt8(ascii: ","))
    }

    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) {
        appendKey(key)
        appendRecord(record)
        append(UInt8(ascii: ","))
    }

    /// Appends a record's object.
    mutating func appendRecord<Record: WireRecord>(_ record: consuming Record) {
        guard record.origin.object == nil else {
            appendObject(record.wire)
            return
        }
        append(UInt8(ascii: "{"))
        let start = count
        record.visitFields(&self)
        if !record.extra.isEmpty {
            appendMembers(record.extra, isFirst: true)
        } else if count > start {
            truncate(to: count - 1)
        }
        append(UInt8(ascii: "}"))
    }
}

extension ByteWriter {
    /// Appends an event's JSON in the compact layout.
    ///
    /// - Returns: Whether the event is kept from the agent's history.
    @discardableResult
    mutating func appendEvent(_ event: borrowing Event) -> Bool {
        guard event.origin.object == nil else {
            appendObject(event.jsonObject)
            return event.isHidden
        }
        appendLiteral("{\"id\":")
        append(event.id)
        appendLiteral(",\"timestamp\":")
        event.timestamp.write(to: &self)
        appendLiteral(",\"source\":")
        appendQuoted(event.source.rawValue)
        var visitor = PayloadEncoder(event, writer: consume self)
        let isHidden: Bool? =
            switch event.payload {
            case .action(let action): action.accept(&visitor)
            case .observation(let observation): observation.accept(&visitor)
            }
        self = visitor.finish()
        if isHidden == nil { appendUnknown(event.payload, event.cause, event.metadata) }
        if let timeout = event.timeout {
            appendLiteral(",\"timeout\":")
            timeout.write(to: &self)
        }
        if let responseID = event.responseID {
            appendLiteral(",\"response_id\":")
            appendQuoted(responseID)
        }
        appendMembers(event.extra, isFirst: false)
        append(UInt8(ascii: "}"))
        return isHidden ?? false
    }

    fileprivate mutating func appendCause(_ cause: Int?) {
        guard let cause else { return }
        appendLiteral(",\"cause\":")
        append(cause)
    }

    fileprivate mutating func appendMetadata(_ metadata: (toolCall: JSONValue?, llm: JSONValue?)?) {
        guard let metadata else { return }
        appendMember(",\"tool_call_metadata\":", metadata.toolCall)
        appendMember(",\"llm_metrics\":", metadata.llm)
    }

    private mutating func appendMember(_ lead: StaticString, _ value: JSONValue?) {
        guard let value else { return }
        appendLiteral(lead)
        appendValue(value)
    }

    private mutating func appendUnknown(
        _ payload: Event.Payload,
        _ cause: Int?,
        _ metadata: (toolCall: JSONValue?, llm: JSONValue?)?
    ) {
        switch payload {
        case .action(.other(let other)):
            appendMember(",\"message\":", other.message)
            appendCause(cause)
            appendLiteral(",\"action\":")
            appendQuoted(other.kind)
            appendMetadata(metadata)
            appendMember(",\"args\":", other.args)
        case .observation(.other(let other)):
            appendMember(",\"message\":", other.message)
            appendCause(cause)
            appendLiteral(",\"observation\":")
            appendQuoted(other.kind)
            appendMetadata(metadata)
            appendMember(",\"content\":", other.content)
            appendMember(",\"extras\":", other.extras)
            appendMember(",\"success\":", other.success)
        default: break
        }
    }
}

extension Observation {
    /// The bytes of ``json``.
    public func jsonBytes() -> [UInt8] {
        var visitor = PayloadEncoder(beginning: ByteWriter())
        guard accept(&visitor) != nil else { return json.serialized() }
        var writer = visitor.finish()
        writer.append(UInt8(ascii: "}"))
        return Array(writer.bytes)
    }
}

/// Appends the members from the message to the payload, in the reference's order.
private struct PayloadEncoder: ActionVisitor, ObservationVisitor, ~Copyable {
    private let cause: Int?
    private let metadata: (toolCall: JSONValue?, llm: JSONValue?)?
    /// What comes before the message's text.
    private let lead: StaticString
    private var writer: ByteWriter

    init(_ event: borrowing Event, writer: consuming ByteWriter) {
        cause = event.cause
        metadata = event.metadata
        lead = ",\"message\":\""
        self.writer = writer
    }

    /// Appends the first members of an object.
    init(beginning writer: consuming ByteWriter) {
        cause = nil
        metadata = nil
        lead = "{\"message\":\""
        self.writer = writer
    }

    consuming func finish() -> ByteWriter { writer }

    mutating func visit<Record: ActionRecord>(_ record: consuming Record) -> Bool {
        let isHidden = record.isHidden
        writer.appendLiteral(lead)
        record.buildMessage(&writer)
        writer.append(UInt8(ascii: "\""))
        writer.appendCause(cause)
        writer.appendLiteral(",\"action\":\"")
        writer.appendLiteral(Record.kind)
        writer.append(UInt8(ascii: "\""))
        writer.appendMetadata(metadata)
        writer.appendLiteral(",\"args\":")
        writer.appendRecord(record)
        return isHidden
    }

    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> Bool {
        let isHidden = record.isHidden
        writer.appendLiteral(lead)
        record.buildMessage(&writer)
        writer.append(UInt8(ascii: "\""))
        writer.appendCause(cause)
        writer.appendLiteral(",\"observation\":\"")
        writer.appendLiteral(Record.kind)
        writer.append(UInt8(ascii: "\""))
        writer.appendMetadata(metadata)
        writer.appendLiteral(",\"content\":")
        writer.appendQuoted(record.content)
        writer.appendLiteral(",\"extras\":")
        let success = record.success
        writer.appendRecord(record)
        if let success {
            writer.appendLiteral(",\"success\":")
            success.write(to: &writer)
        }
        return isHidden
    }
}
