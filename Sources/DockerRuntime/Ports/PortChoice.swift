import DockerEngine

/// Chooses the ports of a sandbox, and others when some turn out to be taken.
struct PortChoice {
    private let configuration: DockerRuntime.Configuration
    private var refused: Set<Int> = []

    /// Chooses by a configuration.
    init(configuration: DockerRuntime.Configuration) {
        self.configuration = configuration
    }

    /// Keeps off ports that were refused.
    ///
    /// - Returns: whether others can be had in their place.
    mutating func avoid(_ ports: [Int]) -> Bool {
        refused.formUnion(ports)
        return configuration.editorPort.map { !ports.contains($0) } ?? true
    }

    /// The next choice, with what reserves it where the engine doesn't choose.
    ///
    /// - Throws: `DockerEngineError`; ``DockerRuntimeError/portRangeUsedUp(range:)``.
    /// - Parameter hasServer: whether the server gets a port.
    func next(on engine: DockerEngineClient, hasServer: Bool) async throws -> (SandboxPorts, PortReservation?) {
        let hasEditor = configuration.plugins.contains(.vscode)
        let isAny = hasServer || hasEditor || configuration.publishesAppPorts
        let ranges: DockerRuntime.PortRanges
        switch configuration.portPolicy {
        case .engine where !configuration.usesHostNetwork || !isAny:
            var ports = SandboxPorts.chosenByEngine(
                hasEditor: hasEditor,
                editor: configuration.editorPort,
                hasApps: configuration.publishesAppPorts
            )
            ports.hasServer = hasServer
            return (ports, nil)
        case .engine: ranges = .standard
        case .ranges(let given): ranges = given
        }
        let published = try await engine.listContainers().flatMap { $0.ports ?? [] }.compactMap(\.publicPort)
        var request = PortReservation.Request(ranges: ranges)
        request.hasEditor = hasEditor
        request.editor = configuration.editorPort
        request.hasApps = configuration.publishesAppPorts
        request.taken = refused.union(published)
        request.address = engine.endpoint.isLocal ? configuration.bindingAddress : nil
        let reservation = try PortReservation(request)
        var ports = reservation.ports
        ports.hasServer = hasServer
        return (ports, reservation)
    }
}

extension DockerEndpoint {
    /// Whether the engine's machine is, as far as the endpoint tells, the one that this process runs on.
    var isLocal: Bool {
        switch transport {
        case .unix: true
        case .ssh: false
        case .tcp(let host, _, _): ["localhost", "127.0.0.1", "[::1]", "::1"].contains(host)
        }
    }
}
