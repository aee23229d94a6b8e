import EventStream

/// Performs actions: commands in the shell, files on threads of their own.
struct ActionExecutor: Sendable {
    let commands: CommandRunner
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
