import ActionExecutionClient
import EventStream

extension DockerRuntime {
    /// Where what the agent serves is reached, with the port that it must listen on in the sandbox for that.
    ///
    /// Empty before ``connect()``, and unless ``Configuration/publishesAppPorts`` is set. The ports are in the sandbox's
    /// variables `APP_PORT_1` and `APP_PORT_2` too.
    public var webHosts: [String: Int] {
        sandbox.map { $0.address.webHosts($0.ports) } ?? [:]
    }

    /// Where the sandbox's editor is opened in a browser; nil where there is none.
    ///
    /// Whoever has the URL has the sandbox: the token is in it.
    ///
    /// - Throws: `HTTPError`, `RuntimeError`; ``DockerRuntime/connect()`` must have returned.
    public var vscodeURL: String? {
        get async throws {
            guard let sandbox else { throw RuntimeError.notConnected(operation: "vscodeURL") }
            guard configuration.plugins.contains(.vscode), let token = try await sandbox.client.editorToken() else {
                return nil
            }
            return sandbox.address.editorURL(sandbox.ports, token: token, folder: configuration.workingDirectory)
        }
    }

    /// The lines that the container has written, and if `follows` those that it writes until it ends.
    ///
    /// They are the server's, not those of commands.
    ///
    /// - Throws: `DockerEngineError`; `RuntimeError` when the runtime isn't connected.
    public func containerLog(follows: Bool = true) async throws -> ContainerLog {
        guard let sandbox else { throw RuntimeError.notConnected(operation: "containerLog()") }
        return try await sandbox.log(follows: follows)
    }

    /// Exports variables in the sandbox's shell, in its Python interpreter, and in `.bashrc` for shells to come.
    ///
    /// - Throws: ``ConfigurationError`` for a name that a shell can't assign to;
    ///   ``DockerRuntimeError/setupFailed(step:output:)``; `RuntimeError`.
    public func addEnvironment(_ variables: [String: String]) async throws {
        guard let sandbox else { throw RuntimeError.notConnected(operation: "addEnvironment()") }
        try Configuration.validateVariables(variables, setting: "addEnvironment()")
        try await SandboxSetup(configuration: configuration, client: sandbox.client, status: status)
            .addEnvironment(variables)
    }
}
