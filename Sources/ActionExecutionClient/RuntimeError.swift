/// Why a runtime could not do what it was asked.
public enum RuntimeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The operation needs a runtime that is connected.
    case notConnected(operation: String)
    /// ``Runtime/connect()`` was called on a runtime that is connected, or was closed.
    case cannotConnect(reason: String)
    /// The sandbox could not be started.
    case startFailed(reason: String)
    /// The sandbox to attach to doesn't exist.
    case notFound(name: String)
    /// The server did not become ready in the given time, in seconds.
    case notReady(seconds: Double, lastFailure: String)
    /// The server is gone, and with it the sandbox's state. Whether an action that was under way took effect isn't known.
    case disconnected(reason: String)
    /// The sandbox is paused: an action that had begun goes on when it is resumed, another isn't run.
    case paused(hasBegun: Bool)
    /// The action may have been under way when an earlier run ended, and nobody is left to say what became of it.
    case outcomeUnknown
    /// No response came within the action's time and a margin, in seconds.
    case noResponse(seconds: Double)
    /// The server refused the request: the agent asked for something that it doesn't do, most likely.
    case refused(status: Int, detail: String)
    /// A file or a folder was not copied; nothing of it was left behind.
    case copyFailed(path: String, reason: String)
    /// The server's answer is not what the protocol says.
    case unexpectedResponse(detail: String)
    /// The runtime can't do that.
    case unsupported(operation: String)
    /// The program of the execution server was not found.
    case serverBinaryNotFound(searched: [String])

    /// One sentence that says what was tried, what came back, and what to do about it.
    public var description: String {
        switch self {
        case .notConnected(let operation):
            "The runtime is not connected; call connect() before \(operation)."
        case .cannotConnect(let reason):
            "The runtime can't be connected: \(reason)."
        case .startFailed(let reason):
            "The sandbox could not be started: \(reason)"
        case .notFound(let name):
            "The sandbox \(name) does not exist."
        case .notReady(let seconds, let lastFailure):
            "The execution server did not become ready within \(seconds) seconds: \(lastFailure)"
        case .disconnected(let reason):
            "The runtime is disconnected: \(reason)"
        case .paused(hasBegun: true):
            "The sandbox was paused while the action was under way. What it started goes on when the sandbox is resumed, but"
                + " is not told of any more: look then at what it has changed, rather than run it again."
        case .paused(hasBegun: false):
            "The sandbox is paused, and the action was not run. Try again when the sandbox has been resumed."
        case .outcomeUnknown:
            "The action was not run again: it may have been under way when an earlier run ended, and what became of it is"
                + " not known. Look at what it was to change, then decide."
        case .noResponse(let seconds):
            "The execution server did not answer within \(seconds) seconds."
        case .refused(let status, let detail):
            "The execution server refused the request (status \(status)): \(detail)"
        case .copyFailed(let path, let reason):
            "\(path) was not copied: \(reason)"
        case .unexpectedResponse(let detail):
            "The execution server gave an unexpected response: \(detail)"
        case .unsupported(let operation):
            "This runtime does not support \(operation)."
        case .serverBinaryNotFound(let searched):
            "The program action-execution-server was not found; scripts/build-server builds it. Set ACTION_EXECUTION_SERVER"
                + " to its path, or put it beside the program that runs. Searched: \(searched.joined(separator: ", "))."
        }
    }

    /// Whether nothing that is sent to the runtime from now on can succeed.
    public var isFatal: Bool {
        if case .disconnected = self { return true }
        return false
    }
}
