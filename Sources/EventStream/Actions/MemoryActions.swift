/// Asks for knowledge about the workspace or a subject.
public struct RecallAction: Sendable, Hashable {
    /// What kind of knowledge.
    public var recallType: RecallType
    /// The text to find knowledge for.
    public var query: String
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        recallType: RecallType,
        query: String = "",
        thought: String = ""
    ) {
        self.recallType = recallType
        self.query = query
        self.thought = thought
    }
}

extension RecallAction: ActionRecord {
    static let kind: StaticString = "recall"
    static var blank: Self { Self(recallType: .workspaceContext) }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("recall_type", &recallType)
        try visitor.field("query", &query)
        try visitor.field("thought", &thought)
    }
}

/// Drops events from what the agent is shown, maybe with a summary in their place.
public struct CondensationAction: Sendable, Hashable {
    /// The events' ids; `nil` when a range says it.
    public var forgottenEventIDs: [Int]?
    /// The first of a range of events.
    public var forgottenEventsStartID: Int?
    /// The last of a range of events.
    public var forgottenEventsEndID: Int?
    /// What stands for the events.
    public var summary: String?
    /// Where the summary stands among the events that are left.
    public var summaryOffset: Int?
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        forgottenEventIDs: [Int]? = nil,
        forgottenEventsStartID: Int? = nil,
        forgottenEventsEndID: Int? = nil,
        summary: String? = nil,
        summaryOffset: Int? = nil
    ) {
        self.forgottenEventIDs = forgottenEventIDs
        self.forgottenEventsStartID = forgottenEventsStartID
        self.forgottenEventsEndID = forgottenEventsEndID
        self.summary = summary
        self.summaryOffset = summaryOffset
    }
}

extension CondensationAction: ActionRecord {
    static let kind: StaticString = "condensation"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("forgotten_event_ids", &forgottenEventIDs)
        try visitor.field("forgotten_events_start_id", &forgottenEventsStartID)
        try visitor.field("forgotten_events_end_id", &forgottenEventsEndID)
        try visitor.field("summary", &summary)
        try visitor.field("summary_offset", &summaryOffset)
    }
}

/// Asks for a condensation.
public struct CondensationRequestAction: Sendable, Hashable {
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init() {}
}

extension CondensationRequestAction: ActionRecord {
    static let kind: StaticString = "condensation_request"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}
