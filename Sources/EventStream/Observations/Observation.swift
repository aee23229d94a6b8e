/// What came of an action, or happened around the agent: a case per kind of the reference, and one for all others.
public indirect enum Observation: Sendable, Hashable {
    /// What a command wrote and how it ended.
    case run(CommandObservation)
    /// What a Python cell wrote.
    case runIPython(IPythonObservation)
    /// The text of a file.
    case read(FileReadObservation)
    /// A file was written.
    case write(FileWriteObservation)
    /// A file was edited, or the editor says why not.
    case edit(FileEditObservation)
    /// What the browser shows.
    case browse(BrowseObservation)
    /// Something that the agent can act on went wrong.
    case error(ErrorObservation)
    /// Something went well.
    case success(SuccessObservation)
    /// There is nothing to observe.
    case null(NullObservation)
    /// A thought was written down.
    case think(ThinkObservation)
    /// The user didn't let the action run.
    case userRejected(UserRejectedObservation)
    /// The agent has a new state.
    case agentStateChanged(AgentStateChangedObservation)
    /// What another agent made of a subtask.
    case delegate(DelegateObservation)
    /// Knowledge about the workspace or a subject.
    case recall(RecallObservation)
    /// What a tool of an MCP server answered.
    case mcp(MCPObservation)
    /// A file was downloaded by the browser.
    case download(DownloadObservation)
    /// The agent's task list.
    case taskTracking(TaskTrackingObservation)
    /// The agent is caught in a loop.
    case loopDetection(LoopDetectionObservation)
    /// The result of a condensation.
    case condense(CondensationObservation)
    /// An observation of a kind that this version doesn't know, kept as it is.
    case other(OtherObservation)
}

extension Observation {
    /// Reads the fields of a kind.
    init(kind: String, _ reader: ObservationReader) throws(EventDecodingError) {
        switch kind {
        case "run": self = .run(try reader.read())
        case "run_ipython": self = .runIPython(try reader.read())
        case "read": self = .read(try reader.read())
        case "write": self = .write(try reader.read())
        case "edit": self = .edit(try reader.read())
        case "browse": self = .browse(try reader.read())
        case "error": self = .error(try reader.read())
        case "success": self = .success(try reader.read())
        case "null": self = .null(try reader.read())
        case "think": self = .think(try reader.read())
        case "user_rejected": self = .userRejected(try reader.read())
        case "agent_state_changed": self = .agentStateChanged(try reader.read())
        case "delegate": self = .delegate(try reader.read())
        case "recall": self = .recall(try reader.read())
        case "mcp": self = .mcp(try reader.read())
        case "download": self = .download(try reader.read())
        case "task_tracking": self = .taskTracking(try reader.read())
        case "loop_detection": self = .loopDetection(try reader.read())
        case "condense": self = .condense(try reader.read())
        default: self = .other(reader.other(kind: kind))
        }
    }

    /// Reads the fields of a kind from text that is laid out as this version writes it.
    init(kind: String, canonical reader: inout CanonicalReader, message: Range<Int>) throws(NotCanonical) {
        switch kind {
        case "run": self = .run(try reader.observation(message: message))
        case "run_ipython": self = .runIPython(try reader.observation(message: message))
        case "read": self = .read(try reader.observation(message: message))
        case "write": self = .write(try reader.observation(message: message))
        case "edit": self = .edit(try reader.observation(message: message))
        case "browse": self = .browse(try reader.observation(message: message))
        case "error": self = .error(try reader.observation(message: message))
        case "success": self = .success(try reader.observation(message: message))
        case "null": self = .null(try reader.observation(message: message))
        case "think": self = .think(try reader.observation(message: message))
        case "user_rejected": self = .userRejected(try reader.observation(message: message))
        case "agent_state_changed": self = .agentStateChanged(try reader.observation(message: message))
        case "delegate": self = .delegate(try reader.observation(message: message))
        case "recall": self = .recall(try reader.observation(message: message))
        case "mcp": self = .mcp(try reader.observation(message: message))
        case "download": self = .download(try reader.observation(message: message))
        case "task_tracking": self = .taskTracking(try reader.observation(message: message))
        case "loop_detection": self = .loopDetection(try reader.observation(message: message))
        case "condense": self = .condense(try reader.observation(message: message))
        default: throw NotCanonical()
        }
    }

    /// Has a visitor see the fields; `nil` for an unknown kind.
    @inline(__always)
    func accept<Visitor: ObservationVisitor & ~Copyable>(_ visitor: inout Visitor) -> Visitor.Result? {
        switch self {
        case .run(let record): visitor.visit(record)
        case .runIPython(let record): visitor.visit(record)
        case .read(let record): visitor.visit(record)
        case .write(let record): visitor.visit(record)
        case .edit(let record): visitor.visit(record)
        case .browse(let record): visitor.visit(record)
        case .error(let record): visitor.visit(record)
        case .success(let record): visitor.visit(record)
        case .null(let record): visitor.visit(record)
        case .think(let record): visitor.visit(record)
        case .userRejected(let record): visitor.visit(record)
        case .agentStateChanged(let record): visitor.visit(record)
        case .delegate(let record): visitor.visit(record)
        case .recall(let record): visitor.visit(record)
        case .mcp(let record): visitor.visit(record)
        case .download(let record): visitor.visit(record)
        case .taskTracking(let record): visitor.visit(record)
        case .loopDetection(let record): visitor.visit(record)
        case .condense(let record): visitor.visit(record)
        case .other: nil
        }
    }

    /// The same with placeholders for secrets.
    func masked(with masker: SecretMasker) -> Observation {
        switch self {
        case .run(let record): .run(record.masked(with: masker))
        case .runIPython(let record): .runIPython(record.masked(with: masker))
        case .read(let record): .read(record.masked(with: masker))
        case .write(let record): .write(record.masked(with: masker))
        case .edit(let record): .edit(record.masked(with: masker))
        case .browse(let record): .browse(record.masked(with: masker))
        case .error(let record): .error(record.masked(with: masker))
        case .success(let record): .success(record.masked(with: masker))
        case .null(let record): .null(record.masked(with: masker))
        case .think(let record): .think(record.masked(with: masker))
        case .userRejected(let record): .userRejected(record.masked(with: masker))
        case .agentStateChanged(let record): .agentStateChanged(record.masked(with: masker))
        case .delegate(let record): .delegate(record.masked(with: masker))
        case .recall(let record): .recall(record.masked(with: masker))
        case .mcp(let record): .mcp(record.masked(with: masker))
        case .download(let record): .download(record.masked(with: masker))
        case .taskTracking(let record): .taskTracking(record.masked(with: masker))
        case .loopDetection(let record): .loopDetection(record.masked(with: masker))
        case .condense(let record): .condense(record.masked(with: masker))
        case .other(let record): .other(record.masked(with: masker))
        }
    }
}
