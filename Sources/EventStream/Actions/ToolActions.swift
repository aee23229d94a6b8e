/// Calls a tool of an MCP server.
public struct MCPAction: Sendable, Hashable {
    /// The tool.
    public var name: String
    /// The tool's arguments.
    public var arguments: JSONObject
    /// Why the agent does it.
    public var thought: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        name: String,
        arguments: JSONObject = [:],
        thought: String = "",
        securityRisk: SecurityRisk = .unknown
    ) {
        self.name = name
        self.arguments = arguments
        self.thought = thought
        self.securityRisk = securityRisk
    }
}

extension MCPAction: ActionRecord {
    static let kind: StaticString = "call_tool_mcp"
    static var blank: Self { Self(name: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("name", &name)
        try visitor.field("arguments", &arguments)
        try visitor.field("thought", &thought)
        try visitor.field("security_risk", &securityRisk)
    }
}

/// Shows or replaces the agent's task list.
public struct TaskTrackingAction: Sendable, Hashable {
    /// `view` or `plan`.
    public var command: String
    /// The tasks: id, title, status and notes.
    public var taskList: [JSONObject]
    /// Why the agent does it.
    public var thought: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        command: String = "view",
        taskList: [JSONObject] = [],
        thought: String = ""
    ) {
        self.command = command
        self.taskList = taskList
        self.thought = thought
    }
}

extension TaskTrackingAction: ActionRecord {
    static let kind: StaticString = "task_tracking"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("command", &command)
        try visitor.field("task_list", &taskList)
        try visitor.field("thought", &thought)
    }
}
