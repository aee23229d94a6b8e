import EventStream

/// Performs actions: commands in the shell, cells in the Python interpreter, files on threads of their own.
struct ActionExecutor: Sendable {
    let commands: CommandRunner
    let cells: CellRunner

    /// The observation of an action.
    ///
    /// - Parameter timeout: seconds that the action may take; nil for any time.
    /// - Throws: ``Unsupported`` for an action that no sandbox performs.
    func execute(_ action: Action, timeout: Double?) async throws(Unsupported) -> Observation {
        switch action {
        case .run(let action):
            return await commands.run(action, timeout: timeout)
        case .runIPython(let action):
            return await cells.run(action, timeout: timeout)
        case .read(let action):
            let directory = await commands.directory
            return await offload { FileActions.read(action, in: directory) }
        case .write(let action):
            let directory = await commands.directory
            return await offload { FileActions.write(action, in: directory) }
        default:
            throw Unsupported(kind: action.kind)
        }
    }

    /// An action of a kind that this server doesn't perform.
    struct Unsupported: Error {
        var kind: String
    }
}
