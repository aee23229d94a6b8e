/// Runs a command in the sandbox's shell, or types into the process that runs there.
public struct CommandAction: Sendable, Hashable {
    /// The command lines; empty to read on what the running command wrote.
    public var command: String
    /// Whether the text is typed into the running process; `C-c`, `C-d` and `C-z` are keys then.
    public var isInput: Bool
    /// Why the agent does it.
    public var thought: String
    /// Whether only the event's timeout ends the wait, and silence doesn't.
    public var blocking: Bool
    /// Whether the command runs in a shell of its own.
    public var isStatic: Bool
    /// The directory for a command in a shell of its own.
    public var cwd: String?
    /// Whether the command is kept from the agent's history.
    public var hidden: Bool
    /// Whether the action may run.
    public var confirmationState: ConfirmationState
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        command: String,
        isInput: Bool = false,
        thought: String = "",
        blocking: Bool = false,
        isStatic: Bool = false,
        cwd: String? = nil,
        hidden: Bool = false,
        confirmationState: ConfirmationState = .confirmed,
        securityRisk: SecurityRisk = .unknown
    ) {
        self.command = command
        self.isInput = isInput
        self.thought = thought
        self.blocking = blocking
        self.isStatic = isStatic
        self.cwd = cwd
        self.hidden = hidden
        self.confirmationState = confirmationState
        self.securityRisk = securityRisk
    }
}

extension CommandAction: ActionRecord {
    static let kind: StaticString = "run"
    static var blank: Self { Self(command: "") }
    static let olderNames = ["confirmation_state": ["is_confirmed"]]

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("command", &command)
        try visitor.field("is_input", &isInput)
        try visitor.field("thought", &thought)
        try visitor.field("blocking", &blocking)
        try visitor.field("is_static", &isStatic)
        try visitor.field("cwd", &cwd)
        try visitor.field("hidden", &hidden)
        try visitor.field("confirmation_state", &confirmationState)
        try visitor.field("security_risk", &securityRisk)
    }
}

/// Runs a cell in the sandbox's Python interpreter.
public struct IPythonAction: Sendable, Hashable {
    /// The cell.
    public var code: String
    /// Why the agent does it.
    public var thought: String
    /// Whether the result ends with the directory and the interpreter's path.
    public var includeExtra: Bool
    /// Whether the action may run.
    public var confirmationState: ConfirmationState
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// What a restarted interpreter runs first.
    public var kernelInitCode: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        code: String,
        thought: String = "",
        includeExtra: Bool = true,
        confirmationState: ConfirmationState = .confirmed,
        securityRisk: SecurityRisk = .unknown,
        kernelInitCode: String = ""
    ) {
        self.code = code
        self.thought = thought
        self.includeExtra = includeExtra
        self.confirmationState = confirmationState
        self.securityRisk = securityRisk
        self.kernelInitCode = kernelInitCode
    }
}

extension IPythonAction: ActionRecord {
    static let kind: StaticString = "run_ipython"
    static var blank: Self { Self(code: "") }
    static let olderNames = ["confirmation_state": ["is_confirmed"]]

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("code", &code)
        try visitor.field("thought", &thought)
        try visitor.field("include_extra", &includeExtra)
        try visitor.field("confirmation_state", &confirmationState)
        try visitor.field("security_risk", &securityRisk)
        try visitor.field("kernel_init_code", &kernelInitCode)
    }
}
