import EventStream

/// Performs actions: commands in the shell, files on threads of their own.
struct ActionExecutor: Sendable {
    let commands: CommandRunner

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
        case .read(let action):
            let directory = await commands.directory
            return await offload { FileActions.read(action, in: directory) }
        case .write(let action):
            let directory = await commands.directory
            return await offload { FileActions.write(action, in: directory) }
        default:
            throw Unsupported(kind: request.action.kind)
        }
    }

    /// Interrupts what runs.
    ///
    /// - Returns: how many actions were interrupted.
    func interrupt(session: SessionName?, isForced: Bool) async -> Int {
        await commands.interrupt(session: session, isForced: isForced)
    }

    /// An action of a kind that this server doesn't perform.
    struct Unsupported: Error {
        var kind: String
    }
}
