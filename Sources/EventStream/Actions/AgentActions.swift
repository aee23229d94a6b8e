/// Writes down a thought.
public struct ThinkAction: Sendable, Hashable {
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        thought: String = ""
    ) {
        self.thought = thought
    }
}

extension ThinkAction: ActionRecord {
    static let kind: StaticString = "think"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("thought", &thought)
    }
}

/// Ends the task.
public struct FinishAction: Sendable, Hashable {
    /// What to tell the user at the end.
    public var finalThought: String
    /// Results by name.
    public var outputs: JSONObject
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        finalThought: String = "",
        outputs: JSONObject = [:],
        thought: String = ""
    ) {
        self.finalThought = finalThought
        self.outputs = outputs
        self.thought = thought
    }
}

extension FinishAction: ActionRecord {
    static let kind: StaticString = "finish"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("final_thought", &finalThought)
        try visitor.field("outputs", &outputs)
        try visitor.field("thought", &thought)
    }
}

/// Gives the task back.
public struct RejectAction: Sendable, Hashable {
    /// Results by name; `reason` says why.
    public var outputs: JSONObject
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        outputs: JSONObject = [:],
        thought: String = ""
    ) {
        self.outputs = outputs
        self.thought = thought
    }
}

extension RejectAction: ActionRecord {
    static let kind: StaticString = "reject"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("outputs", &outputs)
        try visitor.field("thought", &thought)
    }
}

/// Hands a subtask to another agent.
public struct DelegateAction: Sendable, Hashable {
    /// The kind of agent.
    public var agent: String
    /// What it is given, by name.
    public var inputs: JSONObject
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        agent: String,
        inputs: JSONObject,
        thought: String = ""
    ) {
        self.agent = agent
        self.inputs = inputs
        self.thought = thought
    }
}

extension DelegateAction: ActionRecord {
    static let kind: StaticString = "delegate"
    static var blank: Self { Self(agent: "", inputs: [:]) }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("agent", &agent)
        try visitor.required("inputs", &inputs)
        try visitor.field("thought", &thought)
    }
}

/// Tells the clients of a new state of the agent.
public struct ChangeAgentStateAction: Sendable, Hashable {
    /// The state, for example `running`.
    public var agentState: String
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        agentState: String,
        thought: String = ""
    ) {
        self.agentState = agentState
        self.thought = thought
    }
}

extension ChangeAgentStateAction: ActionRecord {
    static let kind: StaticString = "change_agent_state"
    static var blank: Self { Self(agentState: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("agent_state", &agentState)
        try visitor.field("thought", &thought)
    }
}

/// Chooses how to get out of a loop that the agent is caught in.
public struct LoopRecoveryAction: Sendable, Hashable {
    /// 1 to ask the user, 2 to go on from the user's last message, 3 to stop.
    public var option: Int
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        option: Int = 1
    ) {
        self.option = option
    }
}

extension LoopRecoveryAction: ActionRecord {
    static let kind: StaticString = "loop_recovery"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("option", &option)
    }
}

/// Does nothing.
public struct NullAction: Sendable, Hashable {
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init() {}
}

extension NullAction: ActionRecord {
    static let kind: StaticString = "null"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}
