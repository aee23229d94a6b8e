import ActionExecutionClient
import CurlHTTP
import DockerEngine
import Foundation

/// Brings a sandbox up, step by step.
///
/// What a step made is removed when a later one fails.
struct SandboxStart: Sendable {
    let configuration: DockerRuntime.Configuration
    let sessionID: String
    let status: RuntimeStatusHub

    /// - Throws: ``DockerRuntimeError``, `DockerEngineError`, `RuntimeError`, `CancellationError`.
    func run() async throws -> Sandbox {
        let binary = try ServerBinary.find(configured: configuration.serverBinary, for: .container)
        let engine: DockerEngineClient
        if let endpoint = configuration.endpoint {
            engine = try DockerEngineClient(endpoint: endpoint)
        } else {
            engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        }
        do {
            try await ImageProvider(engine: engine, status: status).ensure(configuration.image)
            return try await start(on: engine, serverVolume: try ServerVolume(binary: binary))
        } catch {
            engine.close()
            throw error
        }
    }

    private func start(on engine: DockerEngineClient, serverVolume: ServerVolume) async throws -> Sandbox {
        let sandbox = SandboxContainer(
            configuration: configuration,
            sessionID: sessionID,
            serverVolume: serverVolume,
            sessionAPIKey: randomHexadecimal(byteCount: 32)
        )
        let container = try await create(sandbox, on: engine)
        do {
            try Task.checkCancellation()
            try await serverVolume.complete(
                in: container,
                at: SandboxContainer.serverDirectory,
                image: configuration.image,
                on: engine
            )
            let watch = try await ContainerWatch(container, on: engine)
            do {
                try await engine.startContainer(container)
                status.publish(RuntimeStatusUpdate(.started, message: "\(sandbox.name) from \(configuration.image)"))
                return try await connect(to: container, of: sandbox, watch: watch, on: engine)
            } catch {
                serverVolume.forgetCompleteness(on: engine)
                await watch.stop()
                throw error
            }
        } catch {
            await discard(container, named: sandbox.name, on: engine)
            throw error
        }
    }

    /// The id of a new container.
    ///
    /// The engine finishes what it began, so the call isn't cut short by cancellation: what was made must be known,
    /// to be removed.
    private func create(_ sandbox: SandboxContainer, on engine: DockerEngineClient) async throws -> String {
        let creating = Task { try await engine.createContainer(sandbox.request, named: sandbox.name).id }
        do {
            return try await creating.value
        } catch let error as DockerEngineError where error.isConflict {
            throw DockerRuntimeError.nameInUse(name: sandbox.name)
        } catch DockerEngineError.transport(let call, let underlying) {
            // The container may have been made all the same.
            await discardUnanswered(sandbox, on: engine)
            throw DockerEngineError.transport(call: call, underlying: underlying)
        }
    }

    private func discardUnanswered(_ sandbox: SandboxContainer, on engine: DockerEngineClient) async {
        let labels = [Labels.owner: Owner.name, Labels.session: sessionID]
        let containers = try? await engine.listContainers(all: true, filters: .labels(labels))
        for container in containers ?? [] where container.names == [sandbox.name] {
            await discard(container.id, named: sandbox.name, on: engine)
        }
    }

    /// Removes what was made when it won't be used.
    private func discard(_ container: String, named name: String, on engine: DockerEngineClient) async {
        do {
            try await engine.removeOwnContainer(container)
        } catch {
            status.publish(.notRemoved(name: name, error))
        }
    }

    private func connect(
        to container: String,
        of sandbox: SandboxContainer,
        watch: ContainerWatch,
        on engine: DockerEngineClient
    ) async throws -> Sandbox {
        let (name, key) = (sandbox.name, sandbox.sessionAPIKey)
        let http = try HTTPClient()
        do {
            let client = try await firstOf({ () async throws -> ActionExecutionClient in
                let port = try await hostPort(of: container, named: name, watch: watch, on: engine)
                let endpoint = ActionExecutionClient.Endpoint(
                    url: "http://\(host(of: engine)):\(port)",
                    sessionAPIKey: key
                )
                let client = ActionExecutionClient(
                    endpoint: endpoint,
                    http: http,
                    defaultTimeout: configuration.defaultTimeout
                )
                // The server's first words say that it listens. Until then the engine's proxy would take connections and
                // drop them; should the words be lost on their way, it is asked all the same.
                try await firstOf({ try await watch.output() }) { try await Task.sleep(for: .seconds(2)) }
                try await client.waitUntilReady()
                return client
            }) { () async throws -> ActionExecutionClient in
                throw exited(name, try await watch.end())
            }
            return Sandbox(container: container, name: name, engine: engine, client: client, http: http, watch: watch)
        } catch {
            http.shutdown()
            throw error
        }
    }

    /// The port of the host that the engine chose for the server.
    private func hostPort(
        of container: String,
        named name: String,
        watch: ContainerWatch,
        on engine: DockerEngineClient
    ) async throws -> String {
        do {
            let inspection = try await engine.inspectContainer(container)
            let bindings = inspection.hostPorts(for: "\(SandboxContainer.port)/tcp")
            if let port = bindings.lazy.compactMap(\.hostPort).first { return port }
            if inspection.state.isRunning { throw DockerRuntimeError.portNotPublished(name: name) }
        } catch let error as DockerEngineError where error.isNotFound {
            // The engine has removed it already.
        }
        throw exited(name, try await watch.end())
    }

    private func exited(_ name: String, _ ending: ContainerEnding) -> DockerRuntimeError {
        .containerExited(name: name, exitCode: ending.exitCode, log: ending.words)
    }

    /// Where the engine's published ports are: on this machine, or where the engine is.
    private func host(of engine: DockerEngineClient) -> String {
        if case .tcp(let host, _, _) = engine.endpoint.transport { return host }
        switch configuration.bindingAddress {
        case "0.0.0.0", "::", "": return "127.0.0.1"
        case let address where address.contains(":"): return "[\(address)]"
        case let address: return address
        }
    }
}

extension RuntimeStatusUpdate {
    /// Tells that a container of ours may still be there.
    static func notRemoved(name: String, _ error: any Error) -> RuntimeStatusUpdate {
        RuntimeStatusUpdate(
            .stopped,
            level: .warning,
            message: "The container \(name) could not be removed, and ends with its lease if it runs: \(error)"
        )
    }
}
