/// Knowledge about the workspace or a subject.
public struct RecallObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// What kind of knowledge.
    public var recallType: RecallType
    /// The repository, as owner/name.
    public var repositoryName: String
    /// Where the repository is.
    public var repositoryDirectory: String
    /// The branch that is checked out.
    public var repositoryBranch: String
    /// The repository's instructions to agents.
    public var repositoryInstructions: String
    /// Ports by the host name under which they're reached.
    public var runtimeHosts: JSONObject
    /// More instructions.
    public var additionalAgentInstructions: String
    /// Today.
    public var date: String
    /// What the secrets are for, by name.
    public var customSecretsDescriptions: JSONObject
    /// Instructions for this session.
    public var conversationInstructions: String
    /// The directory to work in.
    public var workingDirectory: String
    /// Knowledge that words of the query called up.
    public var microagentKnowledge: [MicroagentKnowledge]
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        recallType: RecallType,
        repositoryName: String = "",
        repositoryDirectory: String = "",
        repositoryBranch: String = "",
        repositoryInstructions: String = "",
        runtimeHosts: JSONObject = [:],
        additionalAgentInstructions: String = "",
        date: String = "",
        customSecretsDescriptions: JSONObject = [:],
        conversationInstructions: String = "",
        workingDirectory: String = "",
        microagentKnowledge: [MicroagentKnowledge] = []
    ) {
        self.content = content
        self.recallType = recallType
        self.repositoryName = repositoryName
        self.repositoryDirectory = repositoryDirectory
        self.repositoryBranch = repositoryBranch
        self.repositoryInstructions = repositoryInstructions
        self.runtimeHosts = runtimeHosts
        self.additionalAgentInstructions = additionalAgentInstructions
        self.date = date
        self.customSecretsDescriptions = customSecretsDescriptions
        self.conversationInstructions = conversationInstructions
        self.workingDirectory = workingDirectory
        self.microagentKnowledge = microagentKnowledge
    }
}

extension RecallObservation: ObservationRecord {
    static let kind: StaticString = "recall"
    static var blank: Self { Self(recallType: .workspaceContext) }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("recall_type", &recallType)
        try visitor.field("repo_name", &repositoryName)
        try visitor.field("repo_directory", &repositoryDirectory)
        try visitor.field("repo_branch", &repositoryBranch)
        try visitor.field("repo_instructions", &repositoryInstructions)
        try visitor.field("runtime_hosts", &runtimeHosts)
        try visitor.field("additional_agent_instructions", &additionalAgentInstructions)
        try visitor.field("date", &date)
        try visitor.field("custom_secrets_descriptions", &customSecretsDescriptions)
        try visitor.field("conversation_instructions", &conversationInstructions)
        try visitor.field("working_dir", &workingDirectory)
        try visitor.field("microagent_knowledge", &microagentKnowledge)
    }
}
