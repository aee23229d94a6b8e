import EventStream

/// Performs actions: commands in the shell, cells in the Python interpreter, files on threads of their own.
struct ActionExecutor: Sendable {
    let commands: CommandRunner
    let cells: CellRunner
    let files: FileEditor

    /// The observation of an action.
    ///
    /// - Parameter listener: who is told of a command's output while it comes.
    /// - Throws: ``Unsupported`` for an action that no sandbox performs.
    func execute(
        _ request: ActionRequest,
        listener: OutputListener? = nil
    ) async throws(Unsupported) -> Observation {
        switch request.action {
        case .run(let action):
            return await commands.run(
                action,
                timeout: request.timeout,
                session: request.session,
                listener: listener
            )
        case .runIPython(let action):
            return await cells.run(action, timeout: request.timeout)
        case .read(let action) where action.implementation == .editor:
            return await files.view(action)
        case .read(let action):
            let directory = await commands.directory
            return await offload { FileActions.read(action, in: directory) }
        case .write(let action):
            let directory = await commands.directory
            return await files.write(action, in: directory)
        case .edit(let action):
            return await files.edit(action)
        case .browse, .browseInteractive:
            // The reference's text where it has no browser.
            return .error(ErrorObservation(content: "Browser functionality is not supported or disabled."))
        default:
            throw Unsupported(kind: request.action.kind)
        }
    }

    /// Interrupts what runs: the session's command or, when none is named, all commands and the cell.
    ///
    /// - Returns: how many actions were interrupted.
    func interrupt(session: SessionName?, isForced: Bool) async -> Int {
        let count = await commands.interrupt(session: session, isForced: isForced)
        guard session == nil else { return count }
        return await cells.interrupt(isForced: isForced) ? count + 1 : count
    }

    /// An action of a kind that this server doesn't perform.
    struct Unsupported: Error {
        var kind: String
    }
}
