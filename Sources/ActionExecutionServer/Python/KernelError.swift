/// Why there is no interpreter to run a cell.
enum KernelError: Error, Equatable, CustomStringConvertible {
    /// No program of the name is in any of the directories.
    case noInterpreter(searchPath: String)
    case system(SystemError)
    /// It ended before it was ready, and said this.
    case ended(interpreter: String, end: ProcessEnd, output: String)
    /// It wasn't ready in time, and said this.
    case slow(interpreter: String, limit: Duration, output: String)
    /// The server is shutting down.
    case closed

    var description: String {
        switch self {
        case .noInterpreter(let searchPath):
            "there is no Python here, neither python3 nor python in \(searchPath.isEmpty ? "an empty PATH" : searchPath)."
                + " Install one in the shell, or use an image that has one."
        case .system(let error): "\(error)"
        case .ended(let interpreter, let end, let output):
            "\(interpreter) \(end) before it was ready.\(Self.quotation(output))"
        case .slow(let interpreter, let limit, let output):
            "\(interpreter) wasn't ready within \(limit.components.seconds) seconds.\(Self.quotation(output))"
        case .closed: "the execution server is shutting down."
        }
    }

    private static func quotation(_ output: String) -> String {
        output.isEmpty ? "" : " It wrote:\n\(output)"
    }
}

extension ProcessEnd: CustomStringConvertible {
    var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .killed(signal: 9): "was killed by signal 9, as the system does when memory runs out,"
        case .killed(let signal): "was ended by signal \(signal)"
        }
    }
}
