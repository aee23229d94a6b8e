/// What a command wrote and how it ended.
public struct CommandObservation: Sendable, Hashable {
    /// What the command wrote, errors included.
    public var content: String
    /// The command.
    public var command: String
    /// How the command ended, and where.
    public var metadata: CommandMetadata
    /// Whether the observation is kept from the agent's history.
    public var hidden: Bool
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        command: String,
        metadata: CommandMetadata = CommandMetadata(),
        hidden: Bool = false
    ) {
        self.content = content
        self.command = command
        self.metadata = metadata
        self.hidden = hidden
    }
}

extension CommandObservation: ObservationRecord {
    static let kind: StaticString = "run"
    static var blank: Self { Self(command: "") }
    static let olderNames = ["metadata": ["exit_code", "command_id"]]

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("command", &command)
        try visitor.record("metadata", &metadata)
        try visitor.field("hidden", &hidden)
    }
}

/// What a Python cell wrote.
public struct IPythonObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The cell.
    public var code: String
    /// Images that the cell showed, as data URLs.
    public var imageURLs: [String]?
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        code: String,
        imageURLs: [String]? = nil
    ) {
        self.content = content
        self.code = code
        self.imageURLs = imageURLs
    }
}

extension IPythonObservation: ObservationRecord {
    static let kind: StaticString = "run_ipython"
    static var blank: Self { Self(code: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("code", &code)
        try visitor.field("image_urls", &imageURLs)
    }
}
