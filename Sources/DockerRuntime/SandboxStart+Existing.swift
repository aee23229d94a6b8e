import ActionExecutionClient
import DockerEngine

/// What the engine tells of a container that is there already.
struct ExistingContainer {
    let inspection: ContainerInspection

    private var labels: [String: String] { inspection.configuration.labels ?? [:] }

    /// Whether one of our runtimes made it.
    var isOurs: Bool { labels[Labels.owner] != nil && labels[Labels.role] == Labels.sandboxRole }

    /// Whether it was left by a runtime of a session, for the next one.
    func isKept(for sessionID: String) -> Bool {
        isOurs && labels[Labels.kept] != nil && labels[Labels.session] == sessionID
    }

    /// From what its key is derived; nil when it isn't derived.
    var keyOrigin: String? { labels[Labels.kept].flatMap { $0.isEmpty ? nil : $0 } }

    /// The ports that its programs were told of, by the reference's names; nil without one for the server.
    var ports: SandboxPorts? {
        var variables: [String: Int] = [:]
        for variable in inspection.configuration.environment ?? [] {
            let parts = variable.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { variables[String(parts[0])] = Int(parts[1]) }
        }
        guard let server = variables["port"] else { return nil }
        // In the host's network they are the host's.
        func assignment(_ port: Int) -> PortAssignment {
            PortAssignment(container: port, host: usesHostNetwork ? port : nil)
        }
        return SandboxPorts(
            server: assignment(server),
            editor: variables["VSCODE_PORT"].flatMap { isPublished($0) ? assignment($0) : nil },
            apps: ["APP_PORT_1", "APP_PORT_2"].compactMap { variables[$0] }.filter(isPublished).map(assignment)
        )
    }

    var usesHostNetwork: Bool { inspection.host.networkMode == "host" }

    private func isPublished(_ port: Int) -> Bool {
        usesHostNetwork || inspection.host.portBindings?["\(port)/tcp"] != nil
    }
}

// A container that is there already: one to attach to, one that an earlier runtime of the session has left, one to be
// started anew.
extension SandboxStart {
    private var name: String { configuration.containerNamePrefix + sessionID }

    /// The sandbox whose container is there already; nil when there is none to take over.
    ///
    /// - Throws: `RuntimeError.notFound` when there must be one; as ``run()``.
    func existing(on engine: DockerEngineClient) async throws -> Sandbox? {
        guard attachesToExisting || configuration.closing.keepsContainer else { return nil }
        let existing: ExistingContainer
        do {
            existing = ExistingContainer(inspection: try await engine.inspectContainer(name))
        } catch let error as DockerEngineError where error.isNotFound {
            guard attachesToExisting else { return nil }
            throw RuntimeError.notFound(name: name)
        }
        // The engine finds containers by the beginning of their id too.
        guard existing.inspection.name == name else {
            guard attachesToExisting else { return nil }
            throw RuntimeError.notFound(name: name)
        }
        guard attachesToExisting || existing.isKept(for: sessionID) else { return nil }
        return try await attach(to: existing, on: engine)
    }

    /// Reaches a container, and starts it first if it doesn't run.
    private func attach(to existing: ExistingContainer, on engine: DockerEngineClient) async throws -> Sandbox {
        let plan = try plan(of: existing, on: engine)
        let (container, state) = (existing.inspection.id, existing.inspection.state)
        guard state.isRunning else { return try await restart(container, of: plan, nil, on: engine) }
        let watch = try await ContainerWatch(container, on: engine, isRunning: true)
        do {
            if state.isPaused { try await engine.unpauseContainer(container) }
            status.publish(RuntimeStatusUpdate(.started, message: "\(name) runs"))
            let sandbox = try await connect(
                to: container,
                of: plan,
                watch,
                nil,
                on: engine,
                settingUp: attachesToExisting ? .nothing : .environment
            )
            // The reference's server has no lease.
            if plan.isOurs { try? await sandbox.renewLease() }
            return sandbox
        } catch {
            await watch.stop()
            throw error
        }
    }

    /// Starts a container that has ended, and reaches its server.
    ///
    /// - Throws: `RuntimeError.notFound` when it is gone; as ``run()``.
    func restart(
        _ container: String,
        of plan: SandboxContainer,
        _ reservation: PortReservation?,
        on engine: DockerEngineClient
    ) async throws -> Sandbox {
        let watch: ContainerWatch
        do {
            watch = try await ContainerWatch(container, on: engine)
        } catch let error as DockerEngineError where error.isNotFound {
            throw RuntimeError.notFound(name: plan.name)
        }
        do {
            try await startContainer(container, ports: plan.ports, on: engine)
            status.publish(RuntimeStatusUpdate(.started, message: "\(plan.name) was started again"))
            return try await connect(to: container, of: plan, watch, reservation, on: engine, settingUp: .environment)
        } catch {
            await watch.stop()
            throw error
        }
    }

    private func plan(of existing: ExistingContainer, on engine: DockerEngineClient) throws -> SandboxContainer {
        var settings = configuration
        settings.usesHostNetwork = existing.usesHostNetwork
        settings.closing.keepsContainer = existing.inspection.host.autoRemove != true
        let key: String
        if let given = configuration.sessionAPIKey {
            key = given
        } else if let origin = existing.keyOrigin {
            key = SandboxKey(origin: origin, secret: try UserSecret().bytes).value
        } else if existing.isOurs {
            throw DockerRuntimeError.keyUnknown(name: name)
        } else {
            key = ""
        }
        guard let ports = existing.ports else { throw DockerRuntimeError.portNotPublished(name: name) }
        return SandboxContainer(
            configuration: settings,
            sessionID: sessionID,
            serverVolume: nil,
            ports: ports,
            mountPlan: try MountPlan([], MountPlan.Context(containerName: name)),
            address: SandboxAddress(settings, engine: engine.endpoint),
            sessionAPIKey: key,
            keyOrigin: existing.keyOrigin,
            isOurs: existing.isOurs,
            isKeyless: key.isEmpty
        )
    }
}
