/// What the agent or the user does: a case per kind of the reference, and one for all others.
public indirect enum Action: Sendable, Hashable {
    /// Says something, to the agent or to the user.
    case message(MessageAction)
    /// Sets the agent's system prompt and tools; the first event of a session.
    case system(SystemMessageAction)
    /// Runs a command in the sandbox's shell, or types into the process that runs there.
    case run(CommandAction)
    /// Runs a cell in the sandbox's Python interpreter.
    case runIPython(IPythonAction)
    /// Reads a file of the sandbox.
    case read(FileReadAction)
    /// Writes a file of the sandbox, or replaces lines of it.
    case write(FileWriteAction)
    /// Edits a file of the sandbox with one of the editor's commands.
    case edit(FileEditAction)
    /// Opens a web page.
    case browse(BrowseAction)
    /// Acts in the browser.
    case browseInteractive(BrowseInteractiveAction)
    /// Calls a tool of an MCP server.
    case callToolMCP(MCPAction)
    /// Writes down a thought.
    case think(ThinkAction)
    /// Ends the task.
    case finish(FinishAction)
    /// Gives the task back.
    case reject(RejectAction)
    /// Hands a subtask to another agent.
    case delegate(DelegateAction)
    /// Asks for knowledge about the workspace or a subject.
    case recall(RecallAction)
    /// Drops events from what the agent is shown, maybe with a summary in their place.
    case condensation(CondensationAction)
    /// Asks for a condensation.
    case condensationRequest(CondensationRequestAction)
    /// Shows or replaces the agent's task list.
    case taskTracking(TaskTrackingAction)
    /// Tells the clients of a new state of the agent.
    case changeAgentState(ChangeAgentStateAction)
    /// Chooses how to get out of a loop that the agent is caught in.
    case loopRecovery(LoopRecoveryAction)
    /// Does nothing.
    case null(NullAction)
    /// An action of a kind that this version doesn't know, kept as it is.
    case other(OtherAction)
}

extension Action {
    /// Reads the fields of a kind.
    init(kind: String, _ reader: ActionReader) throws(EventDecodingError) {
        switch kind {
        case "message": self = .message(try reader.read())
        case "system": self = .system(try reader.read())
        case "run": self = .run(try reader.read())
        case "run_ipython": self = .runIPython(try reader.read())
        case "read": self = .read(try reader.read())
        case "write": self = .write(try reader.read())
        case "edit": self = .edit(try reader.read())
        case "browse": self = .browse(try reader.read())
        case "browse_interactive": self = .browseInteractive(try reader.read())
        case "call_tool_mcp": self = .callToolMCP(try reader.read())
        case "think": self = .think(try reader.read())
        case "finish": self = .finish(try reader.read())
        case "reject": self = .reject(try reader.read())
        case "delegate": self = .delegate(try reader.read())
        case "recall": self = .recall(try reader.read())
        case "condensation": self = .condensation(try reader.read())
        case "condensation_request": self = .condensationRequest(try reader.read())
        case "task_tracking": self = .taskTracking(try reader.read())
        case "change_agent_state": self = .changeAgentState(try reader.read())
        case "loop_recovery": self = .loopRecovery(try reader.read())
        case "null": self = .null(try reader.read())
        default: self = .other(reader.other(kind: kind))
        }
    }

    /// Reads the fields of a kind from text that is laid out as this version writes it.
    init(kind: String, canonical reader: inout CanonicalReader, message: Range<Int>) throws(NotCanonical) {
        switch kind {
        case "message": self = .message(try reader.action(message: message))
        case "system": self = .system(try reader.action(message: message))
        case "run": self = .run(try reader.action(message: message))
        case "run_ipython": self = .runIPython(try reader.action(message: message))
        case "read": self = .read(try reader.action(message: message))
        case "write": self = .write(try reader.action(message: message))
        case "edit": self = .edit(try reader.action(message: message))
        case "browse": self = .browse(try reader.action(message: message))
        case "browse_interactive": self = .browseInteractive(try reader.action(message: message))
        case "call_tool_mcp": self = .callToolMCP(try reader.action(message: message))
        case "think": self = .think(try reader.action(message: message))
        case "finish": self = .finish(try reader.action(message: message))
        case "reject": self = .reject(try reader.action(message: message))
        case "delegate": self = .delegate(try reader.action(message: message))
        case "recall": self = .recall(try reader.action(message: message))
        case "condensation": self = .condensation(try reader.action(message: message))
        case "condensation_request": self = .condensationRequest(try reader.action(message: message))
        case "task_tracking": self = .taskTracking(try reader.action(message: message))
        case "change_agent_state": self = .changeAgentState(try reader.action(message: message))
        case "loop_recovery": self = .loopRecovery(try reader.action(message: message))
        case "null": self = .null(try reader.action(message: message))
        default: throw NotCanonical()
        }
    }

    /// Has a visitor see the fields; `nil` for an unknown kind.
    @inline(__always)
    func accept<Visitor: ActionVisitor & ~Copyable>(_ visitor: inout Visitor) -> Visitor.Result? {
        switch self {
        case .message(let record): visitor.visit(record)
        case .system(let record): visitor.visit(record)
        case .run(let record): visitor.visit(record)
        case .runIPython(let record): visitor.visit(record)
        case .read(let record): visitor.visit(record)
        case .write(let record): visitor.visit(record)
        case .edit(let record): visitor.visit(record)
        case .browse(let record): visitor.visit(record)
        case .browseInteractive(let record): visitor.visit(record)
        case .callToolMCP(let record): visitor.visit(record)
        case .think(let record): visitor.visit(record)
        case .finish(let record): visitor.visit(record)
        case .reject(let record): visitor.visit(record)
        case .delegate(let record): visitor.visit(record)
        case .recall(let record): visitor.visit(record)
        case .condensation(let record): visitor.visit(record)
        case .condensationRequest(let record): visitor.visit(record)
        case .taskTracking(let record): visitor.visit(record)
        case .changeAgentState(let record): visitor.visit(record)
        case .loopRecovery(let record): visitor.visit(record)
        case .null(let record): visitor.visit(record)
        case .other: nil
        }
    }

    /// The same with placeholders for secrets.
    func masked(with masker: SecretMasker) -> Action {
        switch self {
        case .message(let record): .message(record.masked(with: masker))
        case .system(let record): .system(record.masked(with: masker))
        case .run(let record): .run(record.masked(with: masker))
        case .runIPython(let record): .runIPython(record.masked(with: masker))
        case .read(let record): .read(record.masked(with: masker))
        case .write(let record): .write(record.masked(with: masker))
        case .edit(let record): .edit(record.masked(with: masker))
        case .browse(let record): .browse(record.masked(with: masker))
        case .browseInteractive(let record): .browseInteractive(record.masked(with: masker))
        case .callToolMCP(let record): .callToolMCP(record.masked(with: masker))
        case .think(let record): .think(record.masked(with: masker))
        case .finish(let record): .finish(record.masked(with: masker))
        case .reject(let record): .reject(record.masked(with: masker))
        case .delegate(let record): .delegate(record.masked(with: masker))
        case .recall(let record): .recall(record.masked(with: masker))
        case .condensation(let record): .condensation(record.masked(with: masker))
        case .condensationRequest(let record): .condensationRequest(record.masked(with: masker))
        case .taskTracking(let record): .taskTracking(record.masked(with: masker))
        case .changeAgentState(let record): .changeAgentState(record.masked(with: masker))
        case .loopRecovery(let record): .loopRecovery(record.masked(with: masker))
        case .null(let record): .null(record.masked(with: masker))
        case .other(let record): .other(record.masked(with: masker))
        }
    }
}
