import ActionExecutionClient

/// What goes on for as long as a sandbox's container runs: the renewal of its lease, the telling of what happens to it, its
/// log.
struct SandboxRun: Sendable {
    /// Owned: ``end()`` waits for them.
    private let tasks: [Task<Void, Never>]

    init(_ sandbox: Sandbox, configuration: DockerRuntime.Configuration, status: RuntimeStatusHub) {
        var tasks = [Self.renewLease(of: sandbox, seconds: configuration.lease), Self.follow(sandbox, status)]
        if let handler = configuration.containerLogHandler {
            tasks.append(Self.followLog(of: sandbox, handler, status))
        }
        self.tasks = tasks
    }

    /// Ends it; the container isn't concerned.
    func end() async {
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private static func renewLease(of sandbox: Sandbox, seconds: Double) -> Task<Void, Never> {
        Task {
            // A failure shows in the next action, or in the next renewal. A frozen server has another lease.
            while (try? await Task.sleep(for: .seconds(seconds / 3))) != nil {
                if sandbox.plan.isOurs, !sandbox.isPaused { try? await sandbox.renewLease() }
            }
        }
    }

    private static func follow(_ sandbox: Sandbox, _ status: RuntimeStatusHub) -> Task<Void, Never> {
        Task {
            for await change in sandbox.changes { status.publish(change.update(of: sandbox.name)) }
            guard let reason = try? await sandbox.exit() else { return }
            status.publish(RuntimeStatusUpdate(.disconnected, level: .error, message: reason))
        }
    }

    private static func followLog(
        of sandbox: Sandbox,
        _ handler: @escaping ContainerLogHandler,
        _ status: RuntimeStatusHub
    ) -> Task<Void, Never> {
        Task {
            do {
                for try await line in try await sandbox.log(follows: true) { handler(line) }
            } catch is CancellationError {
                // Closed.
            } catch {
                status.publish(RuntimeStatusUpdate(.ready, level: .warning, message: "No container log: \(error)"))
            }
        }
    }
}

extension ContainerChange {
    /// What users are told.
    func update(of name: String) -> RuntimeStatusUpdate {
        switch self {
        case .paused:
            RuntimeStatusUpdate(.stopped, level: .warning, message: "The container \(name) is paused")
        case .resumed:
            RuntimeStatusUpdate(.ready, message: "The container \(name) goes on")
        case .outOfMemory:
            RuntimeStatusUpdate(
                .outOfMemory,
                level: .warning,
                message: "The container \(name) ran out of memory, and the system killed a process in it"
            )
        }
    }
}
