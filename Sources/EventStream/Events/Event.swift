/// One entry of an event stream: an action, or an observation, with what the stream says about it.
public struct Event: Sendable, Hashable {
    /// What happened.
    public enum Payload: Sendable, Hashable {
        /// Somebody does something.
        case action(Action)
        /// Something came of an action, or happened around the agent.
        case observation(Observation)
    }

    /// The position in the stream, dense from 0.
    public var id: Int

    /// When the stream took the event in.
    public var timestamp: Timestamp

    /// Who caused the event.
    public var source: EventSource

    /// The id of the action that an observation answers.
    public var cause: Int?

    /// How long an action may take, in seconds.
    public var timeout: Double?

    /// What happened.
    public var payload: Payload

    /// What few events have, kept apart so that events stay small.
    private var details: Details?

    /// Makes an event.
    public init(
        id: Int,
        timestamp: Timestamp,
        source: EventSource,
        cause: Int? = nil,
        timeout: Double? = nil,
        toolCallMetadata: JSONValue? = nil,
        payload: Payload
    ) {
        self.id = id
        self.timestamp = timestamp
        self.source = source
        self.cause = cause
        self.timeout = timeout
        self.payload = payload
        if toolCallMetadata != nil { self.toolCallMetadata = toolCallMetadata }
    }

    /// The action, when the event is one.
    public var action: Action? {
        if case .action(let action) = payload { action } else { nil }
    }

    /// The observation, when the event is one.
    public var observation: Observation? {
        if case .observation(let observation) = payload { observation } else { nil }
    }

    /// The word for the kind of action or observation in the log.
    public var kind: String {
        switch payload {
        case .action(let action): action.kind
        case .observation(let observation): observation.kind
        }
    }

    /// The line that people see, as the reference words it.
    public var message: String {
        switch payload {
        case .action(let action): action.message
        case .observation(let observation): observation.message
        }
    }

    /// Whether the action succeeded, for the observations of which the reference says it.
    public var success: Bool? { observation?.success }
}

extension Event {
    /// The members that few events have.
    private final class Details: Sendable {
        let toolCallMetadata: JSONValue?
        let llmMetrics: JSONValue?
        let responseID: String?
        let extra: JSONObject
        let origin: Origin

        init(
            toolCallMetadata: JSONValue?,
            llmMetrics: JSONValue?,
            responseID: String?,
            extra: JSONObject,
            origin: Origin
        ) {
            self.toolCallMetadata = toolCallMetadata
            self.llmMetrics = llmMetrics
            self.responseID = responseID
            self.extra = extra
            self.origin = origin
        }
    }

    /// What the agent needs to match an observation with a call of a tool: opaque here, carried over from the action.
    public var toolCallMetadata: JSONValue? {
        get { details?.toolCallMetadata }
        set { setDetails(newValue, llmMetrics, responseID, extra, origin) }
    }

    /// What the language model's calls cost: opaque here.
    public var llmMetrics: JSONValue? {
        get { details?.llmMetrics }
        set { setDetails(toolCallMetadata, newValue, responseID, extra, origin) }
    }

    /// The language model's id of the answer that the action came from.
    public var responseID: String? {
        get { details?.responseID }
        set { setDetails(toolCallMetadata, llmMetrics, newValue, extra, origin) }
    }

    /// What is opaque, where there is any.
    var metadata: (toolCall: JSONValue?, llm: JSONValue?)? {
        details.map { ($0.toolCallMetadata, $0.llmMetrics) }
    }

    /// Members of the JSON that this version doesn't know.
    public var extra: JSONObject {
        get { details?.extra ?? [:] }
        set { setDetails(toolCallMetadata, llmMetrics, responseID, newValue, origin) }
    }

    /// The object that the event was read from, where that isn't the usual one.
    var origin: Origin {
        get { details?.origin ?? Origin() }
        set { setDetails(toolCallMetadata, llmMetrics, responseID, extra, newValue) }
    }

    /// Keeps the members, or nothing where there are none.
    private mutating func setDetails(
        _ toolCallMetadata: JSONValue?,
        _ llmMetrics: JSONValue?,
        _ responseID: String?,
        _ extra: JSONObject,
        _ origin: Origin
    ) {
        let isEmpty =
            toolCallMetadata == nil && llmMetrics == nil && responseID == nil && extra.isEmpty && origin.object == nil
        guard !isEmpty || details != nil else { return }
        details =
            isEmpty
            ? nil
            : Details(
                toolCallMetadata: toolCallMetadata,
                llmMetrics: llmMetrics,
                responseID: responseID,
                extra: extra,
                origin: origin
            )
    }
}

extension Event {
    /// Whether both say the same, in whatever form they were read.
    public static func == (left: Event, right: Event) -> Bool {
        left.id == right.id && left.timestamp == right.timestamp && left.source == right.source
            && left.cause == right.cause
            && left.timeout == right.timeout && left.payload == right.payload
            && (left.details === right.details
                || left.toolCallMetadata == right.toolCallMetadata && left.llmMetrics == right.llmMetrics
                    && left.responseID == right.responseID && left.extra == right.extra)
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(timestamp)
        hasher.combine(source)
        hasher.combine(cause)
        hasher.combine(timeout)
        hasher.combine(payload)
        hasher.combine(toolCallMetadata)
        hasher.combine(llmMetrics)
        hasher.combine(responseID)
        hasher.combine(extra)
    }
}
