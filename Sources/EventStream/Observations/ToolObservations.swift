/// What a tool of an MCP server answered.
public struct MCPObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The tool.
    public var name: String
    /// The tool's arguments.
    public var arguments: JSONObject
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        name: String = "",
        arguments: JSONObject = [:]
    ) {
        self.content = content
        self.name = name
        self.arguments = arguments
    }
}

extension MCPObservation: ObservationRecord {
    static let kind: StaticString = "mcp"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("name", &name)
        try visitor.field("arguments", &arguments)
    }
}

/// The agent's task list.
public struct TaskTrackingObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The command that it answers.
    public var command: String
    /// The tasks.
    public var taskList: [JSONObject]
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        command: String = "",
        taskList: [JSONObject] = []
    ) {
        self.content = content
        self.command = command
        self.taskList = taskList
    }
}

extension TaskTrackingObservation: ObservationRecord {
    static let kind: StaticString = "task_tracking"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("command", &command)
        try visitor.field("task_list", &taskList)
    }
}
