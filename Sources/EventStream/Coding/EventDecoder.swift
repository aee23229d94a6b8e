extension Event {
    /// Reads an event that is laid out as this version writes it; `nil` for all other text.
    package init?(canonical bytes: UnsafeBufferPointer<UInt8>) {
        guard var reader = CanonicalReader(bytes),
            reader.take("{\"id\":"), let id = reader.integer(),
            reader.take(",\"timestamp\":"), let timestamp = Timestamp(reading: &reader),
            reader.take(",\"source\":"), let source = reader.string(),
            reader.take(",\"message\":"), let message = reader.skipString()
        else { return nil }
        var cause: Int?
        if reader.take(",\"cause\":") {
            guard let value = reader.integer() else { return nil }
            cause = value
        }
        let isAction = reader.take(",\"action\":")
        guard isAction || reader.take(",\"observation\":"), let kind = reader.string() else { return nil }
        var toolCallMetadata: JSONValue?
        var llmMetrics: JSONValue?
        if reader.take(",\"tool_call_metadata\":") {
            guard let value = reader.value(), !value.isNull else { return nil }
            toolCallMetadata = value
        }
        if reader.take(",\"llm_metrics\":") {
            guard let value = reader.value(), !value.isNull else { return nil }
            llmMetrics = value
        }
        let payload: Payload
        do {
            if isAction {
                payload = .action(try Action(kind: kind, canonical: &reader, message: message))
            } else {
                payload = .observation(try Observation(kind: kind, canonical: &reader, message: message))
            }
        } catch {
            return nil
        }
        var timeout: Double?
        if reader.take(",\"timeout\":") {
            guard let value = reader.double() else { return nil }
            timeout = value
        }
        guard reader.take(UInt8(ascii: "}")), reader.isAtEnd else { return nil }
        self.init(
            id: id,
            timestamp: timestamp,
            source: EventSource(rawValue: source),
            cause: cause,
            timeout: timeout,
            payload: payload
        )
        if toolCallMetadata != nil { self.toolCallMetadata = toolCallMetadata }
        if llmMetrics != nil { self.llmMetrics = llmMetrics }
    }

    /// Reads an event from the bytes of its JSON.
    init(jsonBytes bytes: UnsafeBufferPointer<UInt8>) throws {
        if let event = Event(canonical: bytes) {
            self = event
        } else {
            try self.init(json: JSONValue(parsing: bytes))
        }
    }
}

extension Observation {
    /// Reads what ``jsonBytes()`` gives, and the text of any JSON that ``init(json:)`` reads.
    ///
    /// - Throws: ``JSONError`` for what is no JSON, ``EventDecodingError`` for what is no observation.
    public init(jsonBytes bytes: [UInt8]) throws {
        if let observation = bytes.withUnsafeBufferPointer({ Observation(canonical: $0) }) {
            self = observation
            return
        }
        let value = try JSONValue(parsing: bytes)
        guard case .object(let object) = value else { throw EventDecodingError.mismatch("an object", value) }
        try self.init(json: object)
    }

    private init?(canonical bytes: UnsafeBufferPointer<UInt8>) {
        guard var reader = CanonicalReader(bytes),
            reader.take("{\"message\":"), let message = reader.skipString(),
            reader.take(",\"observation\":"), let kind = reader.string(),
            let observation = try? Observation(kind: kind, canonical: &reader, message: message),
            reader.take(UInt8(ascii: "}")), reader.isAtEnd
        else { return nil }
        self = observation
    }
}

extension CanonicalReader {
    /// Reads the rest of an action after its kind.
    mutating func action<Record: ActionRecord>(message: Range<Int>) throws(NotCanonical) -> Record {
        guard take(",\"args\":") else { throw NotCanonical() }
        let record: Record = try record()
        guard text(at: message, isWrittenBy: { record.buildMessage(&$0) }) else { throw NotCanonical() }
        return record
    }

    /// Reads the rest of an observation after its kind.
    mutating func observation<Record: ObservationRecord>(message: Range<Int>) throws(NotCanonical) -> Record {
        guard take(",\"content\":"), let content = string(), take(",\"extras\":") else { throw NotCanonical() }
        var record: Record = try record()
        record.content = content
        if let success = record.success {
            guard take(success ? ",\"success\":true" : ",\"success\":false") else { throw NotCanonical() }
        }
        guard text(at: message, isWrittenBy: { record.buildMessage(&$0) }) else { throw NotCanonical() }
        return record
    }
}
