import EventStream

/// Performs actions: commands in the shell, files on threads of their own.
struct ActionExecutor: Sendable {
    let commands: CommandRunner
    let files: FileEditor

    /// The observation of an action.
    ///
    /// - Parameter timeout: seconds that the action may take; nil for any time.
    /// - Throws: ``Unsupported`` for an action that no sandbox performs.
    func execute(_ action: Action, timeout: Double?) async throws(Unsupported) -> Observation {
        switch action {
        case .run(let action):
            return await commands.run(action, timeout: timeout)
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
            throw Unsupported(kind: action.kind)
        }
    }

    /// An action of a kind that this server doesn't perform.
    struct Unsupported: Error {
        var kind: String
    }
}
