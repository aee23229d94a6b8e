/// Says something, to the agent or to the user.
public struct MessageAction: Sendable, Hashable {
    /// The text.
    public var content: String
    /// Files that come with it.
    public var fileURLs: [String]?
    /// Images that come with it.
    public var imageURLs: [String]?
    /// Whether the agent waits for an answer.
    public var waitForResponse: Bool
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        content: String,
        fileURLs: [String]? = nil,
        imageURLs: [String]? = nil,
        waitForResponse: Bool = false,
        securityRisk: SecurityRisk = .unknown
    ) {
        self.content = content
        self.fileURLs = fileURLs
        self.imageURLs = imageURLs
        self.waitForResponse = waitForResponse
        self.securityRisk = securityRisk
    }
}

extension MessageAction: ActionRecord {
    static let kind: StaticString = "message"
    static var blank: Self { Self(content: "") }
    static let olderNames = ["image_urls": ["images_urls"]]

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("content", &content)
        try visitor.field("file_urls", &fileURLs)
        try visitor.field("image_urls", &imageURLs)
        try visitor.field("wait_for_response", &waitForResponse)
        try visitor.field("security_risk", &securityRisk)
    }
}

/// Sets the agent's system prompt and tools; the first event of a session.
public struct SystemMessageAction: Sendable, Hashable {
    /// The prompt.
    public var content: String
    /// The tools' definitions.
    public var tools: [JSONValue]?
    /// The version of OpenHands, when that wrote it.
    public var openHandsVersion: String?
    /// The kind of agent.
    public var agentClass: String?
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        content: String,
        tools: [JSONValue]? = nil,
        openHandsVersion: String? = nil,
        agentClass: String? = nil
    ) {
        self.content = content
        self.tools = tools
        self.openHandsVersion = openHandsVersion
        self.agentClass = agentClass
    }
}

extension SystemMessageAction: ActionRecord {
    static let kind: StaticString = "system"
    static var blank: Self { Self(content: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("content", &content)
        try visitor.field("tools", &tools)
        try visitor.field("openhands_version", &openHandsVersion)
        try visitor.field("agent_class", &agentClass)
    }
}
