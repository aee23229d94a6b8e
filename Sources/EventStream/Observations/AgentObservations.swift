/// The agent has a new state.
public struct AgentStateChangedObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The state, for example `running`.
    public var agentState: String
    /// Why.
    public var reason: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        agentState: String,
        reason: String = ""
    ) {
        self.content = content
        self.agentState = agentState
        self.reason = reason
    }
}

extension AgentStateChangedObservation: ObservationRecord {
    static let kind: StaticString = "agent_state_changed"
    static var blank: Self { Self(agentState: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("agent_state", &agentState)
        try visitor.field("reason", &reason)
    }
}

/// What another agent made of a subtask.
public struct DelegateObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Results by name.
    public var outputs: JSONObject
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        outputs: JSONObject
    ) {
        self.content = content
        self.outputs = outputs
    }
}

extension DelegateObservation: ObservationRecord {
    static let kind: StaticString = "delegate"
    static var blank: Self { Self(outputs: [:]) }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("outputs", &outputs)
    }
}
