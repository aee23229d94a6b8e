import ActionExecutionClient
import CurlHTTP
import DockerEngine
import Foundation

/// Brings a sandbox up, step by step.
///
/// What a step made is removed when a later one fails.
struct SandboxStart: Sendable {
    var configuration: DockerRuntime.Configuration
    let sessionID: String
    let status: RuntimeStatusHub
    /// Whether the container must be there already.
    var attachesToExisting = false

    /// How often a start is tried when a port turns out to be taken.
    private static let maximumAttempts = 5

    /// - Throws: ``ConfigurationError``, ``DockerRuntimeError``, `DockerEngineError`, `RuntimeError`, `CancellationError`.
    func run() async throws -> Sandbox {
        try configuration.validate()
        let engine: DockerEngineClient
        if let endpoint = configuration.endpoint {
            engine = try DockerEngineClient(endpoint: endpoint)
        } else {
            engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        }
        do {
            if let existing = try await existing(on: engine) { return existing }
            let mountPlan = try mountPlan(on: engine)
            let (start, serverVolume) = try await preparingImage(on: engine)
            try mountPlan.makeDirectories()
            return try await start.start(on: engine, serverVolume: serverVolume, mountPlan: mountPlan)
        } catch {
            engine.close()
            throw error
        }
    }

    /// Sees to it that the engine has the image, as it is configured to be prepared.
    ///
    /// - Returns: the start with the image that came of it, and the volume that brings the server unless that image has one.
    private func preparingImage(on engine: DockerEngineClient) async throws -> (SandboxStart, ServerVolume?) {
        let (base, platform) = (configuration.image, configuration.platform)
        func binary() throws -> String {
            try ServerBinary.find(configured: configuration.serverBinary, for: .container)
        }
        var provider = ImageProvider(engine: engine, status: status)
        provider.policy = configuration.pullPolicy
        provider.credentials = configuration.registryCredentials
        switch configuration.imagePreparation {
        case .inject:
            // Before anything is pulled: without the server it would be for nothing.
            let volume = try ServerVolume(binary: try binary())
            try await provider.ensure(base, platform: platform)
            return (self, volume)
        case .useAsIs:
            try await provider.ensure(base, platform: platform)
            return (self, nil)
        case .build(let build):
            let binary = try binary()
            if try BuildArguments(parsing: build.arguments).pulls { provider.policy = .always }
            try await provider.ensure(base, platform: platform)
            var start = self
            start.configuration.image = try await ImageBuilder(engine: engine, status: status)
                .image(build, on: base, platform: platform, binary: binary)
            return (start, nil)
        }
    }

    private func mountPlan(on engine: DockerEngineClient) throws -> MountPlan {
        var context = MountPlan.Context(containerName: configuration.containerNamePrefix + sessionID)
        context.overlayDirectory = configuration.overlayDirectory
        context.allowsEngineSocket = configuration.allowsEngineSocket
        context.isLocal = engine.endpoint.isLocal
        if case .unix(let path) = engine.endpoint.transport { context.engineSockets.insert(path, at: 0) }
        return try MountPlan(configuration.mounts, context)
    }

    /// Starts a container, and another with other ports when one of them is taken between its choice and the start, or over TCP when
    /// a Unix socket can't be had.
    private func start(
        on engine: DockerEngineClient,
        serverVolume: ServerVolume?,
        mountPlan: MountPlan
    ) async throws -> Sandbox {
        var choice = PortChoice(configuration: configuration)
        var transport = TransportChoice(configuration: configuration, endpoint: engine.endpoint)
        if let reason = transport.reason { publishTCP(reason) }
        for attempt in 1... {
            let socket: SocketDirectory?
            do throws(SocketUnavailable) {
                socket = transport.isSocket ? try SocketDirectory(base: configuration.socketDirectory) : nil
            } catch {
                try fallBack(&transport, error)
                continue
            }
            let (ports, reservation) = try await choice.next(on: engine, hasServer: socket == nil)
            if let warning = reservation?.warning {
                status.publish(RuntimeStatusUpdate(.starting, level: .warning, message: warning))
            }
            let key = try SandboxKey(for: configuration)
            let container = SandboxContainer(
                configuration: configuration,
                sessionID: sessionID,
                serverVolume: serverVolume,
                ports: ports,
                mountPlan: mountPlan,
                address: SandboxAddress(configuration, engine: engine.endpoint),
                socket: socket,
                sessionAPIKey: key.value,
                keyOrigin: key.origin
            )
            do {
                return try await start(container, reservation: reservation, on: engine)
            } catch let error as SocketUnavailable {
                reservation?.release()
                try fallBack(&transport, error)
            } catch let error as DockerRuntimeError {
                guard case .portTaken(let taken, let reason) = error, attempt < Self.maximumAttempts,
                    choice.avoid(taken)
                else { throw error }
                status.publish(
                    RuntimeStatusUpdate(.starting, message: "Trying other ports, since one is taken: \(reason)")
                )
            }
        }
        throw CancellationError()
    }

    /// Goes over to TCP where that is allowed, and tells why.
    private func fallBack(_ transport: inout TransportChoice, _ error: SocketUnavailable) throws {
        guard transport.fallBack(error.reason) else {
            throw DockerRuntimeError.socketUnavailable(reason: error.reason)
        }
        publishTCP(error.reason)
    }

    private func publishTCP(_ reason: String) {
        status.publish(RuntimeStatusUpdate(.starting, message: "Over TCP, since a Unix socket can't be had: \(reason)"))
    }

    private func start(
        _ sandbox: SandboxContainer,
        reservation: PortReservation?,
        on engine: DockerEngineClient
    ) async throws -> Sandbox {
        let creation = ContainerCreation(sandbox: sandbox, engine: engine, status: status)
        let container = try await creation.create()
        do {
            try Task.checkCancellation()
            try await creation.prepare(container)
            let watch = try await ContainerWatch(container, on: engine)
            do {
                try await startContainer(container, ports: sandbox.ports, on: engine)
                status.publish(RuntimeStatusUpdate(.started, message: "\(sandbox.name) from \(configuration.image)"))
                return try await connect(to: container, of: sandbox, watch, reservation, on: engine)
            } catch {
                sandbox.serverVolume?.forgetCompleteness(on: engine)
                await watch.stop()
                throw error
            }
        } catch {
            await creation.discard(container)
            throw error
        }
    }

    /// Has the engine start a container, and says what a refusal means.
    func startContainer(_ container: String, ports: SandboxPorts, on engine: DockerEngineClient) async throws {
        do {
            try await engine.startContainer(container)
        } catch let error as DockerEngineError {
            throw StartRefusal.meaning(of: error, ports: ports, networks: configuration.additionalNetworks)
        }
    }

    /// Reaches the server of a container that is being started, or runs.
    ///
    /// - Parameter extent: what has to be set up in the sandbox.
    func connect(
        to container: String,
        of sandbox: SandboxContainer,
        _ watch: ContainerWatch,
        _ reservation: PortReservation?,
        on engine: DockerEngineClient,
        settingUp extent: SandboxSetup.Extent = .whole
    ) async throws -> Sandbox {
        let http = try HTTPClient()
        do {
            let (client, ports) = try await firstOf({ () async throws -> (ActionExecutionClient, SandboxPorts) in
                let ports = try await publishedPorts(of: container, sandbox, watch: watch, on: engine)
                let client = ActionExecutionClient(
                    endpoint: try endpoint(sandbox, ports, on: engine),
                    http: http,
                    defaultTimeout: configuration.defaultTimeout
                )
                // The server's first words say that it listens. Until then the engine's proxy would take connections and
                // drop them; should the words be lost on their way, it is asked all the same.
                try await firstOf({ try await watch.output() }) { try await Task.sleep(for: .seconds(2)) }
                try await sandbox.socket?.connect(client, limit: .seconds(min(2, configuration.startTimeout)))
                try await client.waitUntilReady(limit: .seconds(configuration.startTimeout))
                try await SandboxSetup(configuration: configuration, client: client, status: status).run(extent)
                return (client, ports)
            }) { () async throws -> (ActionExecutionClient, SandboxPorts) in
                throw exited(sandbox, try await watch.end())
            }
            return Sandbox(
                container: container,
                plan: sandbox,
                engine: engine,
                client: client,
                http: http,
                watch: watch,
                ports: ports,
                reservation: reservation,
                socket: sandbox.socket
            )
        } catch let error as SocketUnavailable {
            http.shutdown()
            // The socket of a server that has ended says nothing about sockets.
            let state = try? await engine.inspectContainer(container).state
            guard state?.isRunning == true else { throw exited(sandbox, try await watch.end()) }
            throw error
        } catch {
            http.shutdown()
            throw error
        }
    }

    /// Where the server is.
    private func endpoint(
        _ sandbox: SandboxContainer,
        _ ports: SandboxPorts,
        on engine: DockerEngineClient
    ) throws -> ActionExecutionClient.Endpoint {
        if let socket = sandbox.socket {
            return ActionExecutionClient.Endpoint(
                url: "http://localhost",
                unixSocketPath: socket.socketPath,
                sessionAPIKey: sandbox.isKeyless ? nil : sandbox.sessionAPIKey
            )
        }
        let port = ports.server.host ?? ports.server.container
        return ActionExecutionClient.Endpoint(
            url: "\(sandbox.address.runtimeURL):\(port)",
            // To an engine behind ssh, its ports are too.
            unixSocketPath: try configuration.runtimeURL == nil
                ? engine.socket(forwardingTo: port, of: sandbox.address.localHost) : nil,
            sessionAPIKey: sandbox.isKeyless ? nil : sandbox.sessionAPIKey
        )
    }

    /// The ports with those of the host that the engine chose.
    private func publishedPorts(
        of container: String,
        _ sandbox: SandboxContainer,
        watch: ContainerWatch,
        on engine: DockerEngineClient
    ) async throws -> SandboxPorts {
        if sandbox.configuration.usesHostNetwork || sandbox.ports.all.isEmpty { return sandbox.ports }
        do {
            let inspection = try await engine.inspectContainer(container)
            if let ports = sandbox.ports.published(in: inspection) { return ports }
            if inspection.state.isRunning { throw DockerRuntimeError.portNotPublished(name: sandbox.name) }
        } catch let error as DockerEngineError where error.isNotFound {
            // The engine has removed it already.
        }
        throw exited(sandbox, try await watch.end())
    }

    private func exited(_ sandbox: SandboxContainer, _ ending: ContainerEnding) -> any Error {
        // In the server's words; that it listens there it says too.
        if sandbox.socket != nil, ending.words.contains("listen on the Unix socket \(SocketDirectory.serverPath)") {
            return SocketUnavailable(reason: ending.words)
        }
        // In the host's network nobody but the server itself finds out that its port is taken.
        if configuration.usesHostNetwork, PortConflict.isTold(by: ending.words) {
            return DockerRuntimeError.portTaken(ports: [sandbox.ports.server.container], reason: ending.words)
        }
        return DockerRuntimeError.containerExited(name: sandbox.name, exitCode: ending.exitCode, log: ending.words)
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
