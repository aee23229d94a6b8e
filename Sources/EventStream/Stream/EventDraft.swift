/// An event before the stream has taken it in: without id and time.
public struct EventDraft: Sendable, Hashable {
    /// What happened.
    public var payload: Event.Payload
    /// Who caused the event.
    public var source: EventSource
    /// The id of the action that an observation answers.
    public var cause: Int?
    /// How long an action may take, in seconds.
    public var timeout: Double?
    /// What the agent needs to match an observation with a call of a tool: opaque here.
    public var toolCallMetadata: JSONValue?
    /// What the language model's calls cost: opaque here.
    public var llmMetrics: JSONValue?
    /// The language model's id of the answer that the action came from.
    public var responseID: String?
    /// Members for the event's JSON that this version has no field for.
    public var extra: JSONObject

    /// Makes a draft.
    public init(
        _ payload: Event.Payload,
        source: EventSource,
        cause: Int? = nil,
        timeout: Double? = nil,
        toolCallMetadata: JSONValue? = nil,
        llmMetrics: JSONValue? = nil,
        responseID: String? = nil,
        extra: JSONObject = JSONObject()
    ) {
        self.payload = payload
        self.source = source
        self.cause = cause
        self.timeout = timeout
        self.toolCallMetadata = toolCallMetadata
        self.llmMetrics = llmMetrics
        self.responseID = responseID
        self.extra = extra
    }

    /// Makes a draft of what an event says, for another stream.
    public init(_ event: Event) {
        self.init(
            event.payload,
            source: event.source,
            cause: event.cause,
            timeout: event.timeout,
            toolCallMetadata: event.toolCallMetadata,
            llmMetrics: event.llmMetrics,
            responseID: event.responseID,
            extra: event.extra
        )
    }

    /// The event, still without its id and time.
    var unplacedEvent: Event {
        var event = Event(unplaced: payload, source: source, cause: cause, timeout: timeout, toolCallMetadata)
        if llmMetrics != nil { event.llmMetrics = llmMetrics }
        if responseID != nil { event.responseID = responseID }
        if !extra.isEmpty { event.extra = extra }
        return event
    }
}

extension Event {
    /// Makes an event that has no id and no time yet.
    init(
        unplaced payload: Payload,
        source: EventSource,
        cause: Int?,
        timeout: Double?,
        _ toolCallMetadata: JSONValue?
    ) {
        self.init(
            id: 0,
            timestamp: Timestamp(wallMicroseconds: 0),
            source: source,
            cause: cause,
            timeout: timeout,
            payload: payload
        )
        if toolCallMetadata != nil { self.toolCallMetadata = toolCallMetadata }
    }
}
