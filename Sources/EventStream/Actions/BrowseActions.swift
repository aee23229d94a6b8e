/// Opens a web page.
public struct BrowseAction: Sendable, Hashable {
    /// The page's address.
    public var url: String
    /// Why the agent does it.
    public var thought: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Whether the observation has the page's accessibility tree.
    public var returnsAccessibilityTree: Bool
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        url: String,
        thought: String = "",
        securityRisk: SecurityRisk = .unknown,
        returnsAccessibilityTree: Bool = false
    ) {
        self.url = url
        self.thought = thought
        self.securityRisk = securityRisk
        self.returnsAccessibilityTree = returnsAccessibilityTree
    }
}

extension BrowseAction: ActionRecord {
    static let kind: StaticString = "browse"
    static var blank: Self { Self(url: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("url", &url)
        try visitor.field("thought", &thought)
        try visitor.field("security_risk", &securityRisk)
        try visitor.field("return_axtree", &returnsAccessibilityTree)
    }
}

/// Acts in the browser.
public struct BrowseInteractiveAction: Sendable, Hashable {
    /// Calls in the browser's action language.
    public var browserActions: String
    /// Why the agent does it.
    public var thought: String
    /// What to tell the user with it.
    public var messageToUser: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Whether the observation has the page's accessibility tree.
    public var returnsAccessibilityTree: Bool
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        browserActions: String,
        thought: String = "",
        messageToUser: String = "",
        securityRisk: SecurityRisk = .unknown,
        returnsAccessibilityTree: Bool = false
    ) {
        self.browserActions = browserActions
        self.thought = thought
        self.messageToUser = messageToUser
        self.securityRisk = securityRisk
        self.returnsAccessibilityTree = returnsAccessibilityTree
    }
}

extension BrowseInteractiveAction: ActionRecord {
    static let kind: StaticString = "browse_interactive"
    static var blank: Self { Self(browserActions: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("browser_actions", &browserActions)
        try visitor.field("thought", &thought)
        try visitor.field("browsergym_send_msg_to_user", &messageToUser)
        try visitor.field("security_risk", &securityRisk)
        try visitor.field("return_axtree", &returnsAccessibilityTree)
    }
}
