import ActionExecutionClient
import EventStream

/// Sets a sandbox up by actions, as the reference does (`Runtime.setup_initial_env`), before the agent has it.
struct SandboxSetup: Sendable {
    let configuration: DockerRuntime.Configuration
    let client: ActionExecutionClient
    let status: RuntimeStatusHub

    /// What has to be set up.
    enum Extent {
        /// All, in a new container.
        case whole
        /// What a new server doesn't have of an earlier one.
        case environment
        /// Nothing, since the server has it.
        case nothing
    }

    /// Gives the sandbox its environment and git its identity.
    ///
    /// Without an identity the sandbox is of use all the same, so that failure is a warning.
    ///
    /// - Throws: ``DockerRuntimeError/setupFailed(step:output:)``, `RuntimeError`.
    func run(_ extent: Extent = .whole) async throws {
        if extent == .nothing { return }
        try await addEnvironment(configuration.initialEnvironment)
        guard extent == .whole, let identity = configuration.gitIdentity else { return }
        do {
            try await perform("setting git's identity", identity.command)
        } catch let error as DockerRuntimeError {
            status.publish(RuntimeStatusUpdate(.started, level: .warning, message: "\(error)"))
        }
    }

    /// Exports variables in the shell, in Python where there is an interpreter, and for later shells in `.bashrc`.
    ///
    /// - Throws: ``DockerRuntimeError/setupFailed(step:output:)``, which has names but no values; `RuntimeError`.
    func addEnvironment(_ variables: [String: String]) async throws {
        guard !variables.isEmpty else { return }
        let export = EnvironmentExport(variables)
        let names = variables.keys.sorted().joined(separator: ", ")
        try await perform("exporting \(names)", export.shellCommand)
        try await perform("adding \(names) to ~/.bashrc", export.startupFileCommand)
        guard configuration.plugins.contains(.jupyter) else { return }
        let observation = try await client.execute(
            ActionInvocation(.runIPython(IPythonAction(code: export.pythonCode)))
        )
        guard case .runIPython = observation else {
            throw DockerRuntimeError.setupFailed(step: "exporting \(names) in Python", output: observation.failure)
        }
    }

    private func perform(_ step: String, _ command: String) async throws {
        let action = CommandAction(command: command, hidden: true)
        let observation = try await client.execute(ActionInvocation(.run(action)))
        guard case .run(let result) = observation else {
            throw DockerRuntimeError.setupFailed(step: step, output: observation.failure)
        }
        guard result.metadata.exitCode == 0 else {
            throw DockerRuntimeError.setupFailed(
                step: step,
                output: "exit code \(result.metadata.exitCode): \(result.content)"
            )
        }
    }
}

extension Observation {
    /// What an observation says that isn't the one that was expected.
    fileprivate var failure: String {
        if case .error(let error) = self { error.content } else { "an observation of another kind" }
    }
}
