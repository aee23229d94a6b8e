/// What a runtime is doing.
///
/// The raw values are the reference's (`openhands/runtime/runtime_status.py`), which clients show by.
public enum RuntimeStatus: String, Sendable, Hashable, CaseIterable {
    /// It was closed, or never connected.
    case stopped = "STATUS$STOPPED"
    /// Its image is being pulled or built.
    case building = "STATUS$BUILDING_RUNTIME"
    /// Its container or process is being started.
    case starting = "STATUS$STARTING_RUNTIME"
    /// Its container or process runs; the server in it isn't ready yet.
    case started = "STATUS$RUNTIME_STARTED"
    /// The workspace is being filled.
    case settingUpWorkspace = "STATUS$SETTING_UP_WORKSPACE"
    /// Git hooks are being installed.
    case settingUpGitHooks = "STATUS$SETTING_UP_GIT_HOOKS"
    /// It performs actions.
    case ready = "STATUS$READY"
    /// Something failed; the message says what.
    case error = "STATUS$ERROR"
    /// The server is gone; the message says why.
    case disconnected = "STATUS$ERROR_RUNTIME_DISCONNECTED"
    /// The sandbox ran out of memory.
    case outOfMemory = "STATUS$ERROR_MEMORY"
    /// The language model refused the credentials.
    case languageModelAuthentication = "STATUS$ERROR_LLM_AUTHENTICATION"
    /// The language model doesn't answer.
    case languageModelUnavailable = "STATUS$ERROR_LLM_SERVICE_UNAVAILABLE"
    /// The language model's server failed.
    case languageModelServerError = "STATUS$ERROR_LLM_INTERNAL_SERVER_ERROR"
    /// The language model wants to be paid.
    case languageModelOutOfCredits = "STATUS$ERROR_LLM_OUT_OF_CREDITS"
    /// The language model refuses the content.
    case languageModelContentPolicy = "STATUS$ERROR_LLM_CONTENT_POLICY_VIOLATION"
    /// The agent was stopped by a rate limit.
    case agentRateLimited = "CHAT_INTERFACE$AGENT_RATE_LIMITED_STOPPED_MESSAGE"
    /// The git host refused the credentials.
    case gitProviderAuthentication = "STATUS$GIT_PROVIDER_AUTHENTICATION_ERROR"
    /// A call of the language model is being repeated.
    case languageModelRetry = "STATUS$LLM_RETRY"
}

/// A change of a runtime's status, or progress within it.
public struct RuntimeStatusUpdate: Sendable, Hashable, CustomStringConvertible {
    /// How much an update matters.
    public enum Level: String, Sendable, Hashable {
        /// All goes as it should.
        case info
        /// It goes on, but not as asked for.
        case warning
        /// It doesn't go on.
        case error
    }

    /// How far a step is.
    public struct Progress: Sendable, Hashable {
        /// What is done of `total`, in bytes or steps.
        public var completed: Int
        /// All there is to do, as far as it's known.
        public var total: Int?

        /// Makes a progress.
        public init(completed: Int, total: Int? = nil) {
            self.completed = completed
            self.total = total
        }
    }

    /// What the runtime is doing.
    public var status: RuntimeStatus
    /// How much it matters.
    public var level: Level
    /// One sentence for a person; may be empty.
    public var message: String
    /// How far it is, for a step that takes long.
    public var progress: Progress?

    /// Makes an update.
    public init(_ status: RuntimeStatus, level: Level = .info, message: String = "", progress: Progress? = nil) {
        self.status = status
        self.level = level
        self.message = message
        self.progress = progress
    }

    /// The status and the message.
    public var description: String {
        message.isEmpty ? status.rawValue : "\(status.rawValue): \(message)"
    }
}
