import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Synchronization

/// A container whose server is ready: one run of it, from its start to its end.
final class Sandbox: Sendable {
    let container: String
    /// The name of the container.
    var name: String { currentName.withLock { $0 } }
    private let currentName: Mutex<String>
    let client: ActionExecutionClient
    /// The ports, with the host's as they are published.
    let ports: SandboxPorts
    /// Where they are reached.
    let address: SandboxAddress
    /// What the container was made by, or found to be made by.
    let plan: SandboxContainer
    /// What happens to the container while it runs, for one reader.
    let changes: AsyncStream<ContainerChange>
    let engine: DockerEngineClient
    private let reservation: PortReservation?
    /// The Unix socket that it is reached by; nil over TCP.
    let socket: SocketDirectory?
    private let http: HTTPClient
    private let watch: ContainerWatch
    /// Whether the container is being stopped, to be started again.
    private let isStopping = Mutex(false)
    /// Ends the requests that are under way when the container is paused, or ends.
    ///
    /// Owned: ``release()`` waits for it.
    private let abort: Task<Void, Never>

    /// Seconds of a lease that nobody renews: as good as none.
    private static let endlessLease = 1e9
    /// For how long the engine's word is waited for that a process was killed for want of memory.
    private static let outOfMemoryTime = Duration.milliseconds(300)

    /// Takes over a container that runs, and what it is reached and watched with.
    init(
        container: String,
        plan: SandboxContainer,
        engine: DockerEngineClient,
        client: ActionExecutionClient,
        http: HTTPClient,
        watch: ContainerWatch,
        ports: SandboxPorts,
        reservation: PortReservation?,
        socket: SocketDirectory?
    ) {
        self.container = container
        self.plan = plan
        currentName = Mutex(plan.name)
        address = plan.address
        self.engine = engine
        self.client = client
        self.http = http
        self.watch = watch
        self.ports = ports
        self.reservation = reservation
        self.socket = socket
        let (changes, continuation) = AsyncStream.makeStream(of: ContainerChange.self)
        self.changes = changes
        abort = Task {
            for await change in watch.changes {
                switch change {
                // A frozen server answers nothing, for as long as somebody likes.
                case .paused: http.suspend()
                case .resumed: http.resume()
                case .outOfMemory: break
                }
                continuation.yield(change)
            }
            if watch.hasEnded { http.shutdown() }
            continuation.finish()
        }
    }

    /// Waits for the end of the container.
    ///
    /// - Returns: how it ended.
    /// - Throws: `CancellationError`.
    func exit() async throws -> String {
        "the container \(name) \(try await watch.end().description)"
    }

    /// Whether the container has ended.
    var hasEnded: Bool { watch.hasEnded }

    /// Whether the container's processes are frozen.
    var isPaused: Bool { watch.isPaused }
    /// Gives the container another name.
    ///
    /// - Throws: ``DockerRuntimeError/nameInUse(name:)``, `DockerEngineError`.
    func rename(to name: String) async throws {
        do {
            try await engine.renameContainer(container, to: name)
        } catch let error as DockerEngineError where error.isConflict {
            throw DockerRuntimeError.nameInUse(name: name)
        }
        currentName.withLock { $0 = name }
    }

    /// Where tasks run that have the server perform actions, without a detour through other threads.
    var taskExecutor: any TaskExecutor { http.taskExecutor }

    // MARK: Actions

    /// Has the server perform an action; ends when the container does.
    func execute(_ invocation: ActionInvocation) async throws -> Observation {
        let count = watch.outOfMemoryCount
        let observation = try await withClient { try await $0.execute(invocation) }
        return await explained(observation, since: count)
    }

    /// Has the server perform an action, and tells of its output while it runs.
    func updates(of invocation: ActionInvocation) async throws -> ActionUpdates {
        try await expectReachable()
        return client.updates(of: invocation)
    }

    /// Has the server do something; ends when the container does.
    func withClient<Value: Sendable>(_ body: (ActionExecutionClient) async throws -> Value) async throws -> Value {
        try await expectReachable()
        do {
            return try await body(client)
        } catch {
            throw await explain(error)
        }
    }

    /// Without the container, or while it is paused, nothing is begun.
    private func expectReachable() async throws {
        if watch.hasEnded, !isStopping.withLock({ $0 }) {
            throw RuntimeError.disconnected(reason: "\(try await exit()). The action was not run.")
        }
        if watch.isPaused || isStopping.withLock({ $0 }) { throw RuntimeError.paused(hasBegun: false) }
    }

    /// Without the container, or while it is paused, there is only one reason why an action failed.
    func explain(_ error: any Error) async -> any Error {
        if isStopping.withLock({ $0 }) { return RuntimeError.paused(hasBegun: true) }
        if watch.hasEnded, let reason = try? await exit() {
            return RuntimeError.disconnected(reason: "\(reason). The action may have taken effect in part.")
        }
        // Not cancelled by whoever asked: the request was ended for the container's sake.
        if error is CancellationError, !Task.isCancelled { return RuntimeError.paused(hasBegun: true) }
        return error
    }

    /// An observation that also tells whether the sandbox ran out of memory meanwhile.
    ///
    /// - Parameter count: how many processes had been killed for it before.
    func explained(_ observation: Observation, since count: Int) async -> Observation {
        // The engine may hear of it after the command's end.
        if case .run(let result) = observation, result.metadata.exitCode == 137, watch.outOfMemoryCount == count {
            try? await firstOf({ [watch] in try await watch.outOfMemory(after: count) }) {
                try await Task.sleep(for: Self.outOfMemoryTime)
            }
        }
        guard watch.outOfMemoryCount > count else { return observation }
        return observation.ranOutOfMemory
    }

    /// How often the kernel killed a process of the container for want of memory.
    var outOfMemoryCount: Int { watch.outOfMemoryCount }

    /// What the container has written, and if `follows` what it writes until it ends.
    func log(follows: Bool) async throws -> ContainerLog {
        var options = LogOptions()
        options.follows = follows
        return ContainerLog(frames: try await engine.containerLogs(container, options: options))
    }

    // MARK: Pausing

    /// Freezes the container's processes; their lease doesn't run out meanwhile.
    ///
    /// - Throws: `DockerEngineError`.
    func freeze() async throws {
        try await renewLease(seconds: Self.endlessLease)
        try await engine.pauseContainer(container)
        watch.expect(isPaused: true)
        http.suspend()
    }

    /// Lets the container's processes go on, and waits until the server answers.
    ///
    /// - Throws: `DockerEngineError`, `RuntimeError`.
    func thaw() async throws {
        do {
            try await engine.unpauseContainer(container)
        } catch let error as DockerEngineError where error.isConflict {
            // Somebody else has done so.
        }
        watch.expect(isPaused: false)
        http.resume()
        try await client.waitUntilReady(limit: .seconds(plan.configuration.startTimeout))
        try await renewLease(seconds: plan.configuration.lease)
    }

    /// Stops the container, which keeps its files, and lets go of what it was reached with.
    ///
    /// - Throws: `DockerEngineError` when it may run on.
    func stop() async throws {
        isStopping.withLock { $0 = true }
        do {
            try await engine.stopContainer(
                container,
                timeout: .seconds(plan.configuration.closing.stopTime)
            )
        } catch {
            isStopping.withLock { $0 = false }
            throw error
        }
        await release()
    }

    /// Leaves the container running though nobody may talk to it for long.
    ///
    /// - Throws: `RuntimeError`, `HTTPError`.
    func keepRunning() async throws {
        // That of a container which its owner removes is the owner's to renew.
        guard plan.isOurs, plan.configuration.closing.keepsContainer else { return }
        // One that was stopped has no server to tell.
        if watch.hasEnded || watch.isPaused || isStopping.withLock({ $0 }) { return }
        try await renewLease(seconds: Self.endlessLease)
    }

    /// Begins the lease anew.
    ///
    /// - Throws: `RuntimeError`, `HTTPError`.
    func renewLease(seconds: Double? = nil) async throws {
        try await client.renewLease(seconds: seconds ?? plan.configuration.lease)
    }

    // MARK: The end

    /// Lets go of what the container was reached and watched with; it lives on.
    func release() async {
        await watch.stop()
        await abort.value
        http.shutdown()
    }

    /// Lets go of the container and of the engine.
    func leave() async {
        await release()
        engine.close()
        reservation?.release()
        socket?.remove()
    }

    /// Removes the container and what belongs to it.
    ///
    /// Doing it again does nothing.
    ///
    /// - Throws: `DockerEngineError` when the container may still be there.
    func remove() async throws {
        let removal: Result<Void, any Error>
        do {
            removal = .success(try await engine.removeOwnContainer(container))
        } catch {
            removal = .failure(error)
        }
        await leave()
        try removal.get()
    }

    /// Starts another run of the container.
    ///
    /// - Parameter start: what brings it up.
    /// - Throws: as ``SandboxStart/run()``.
    func startedAnew(by start: SandboxStart) async throws -> Sandbox {
        await release()
        return try await start.restart(container, of: plan, reservation, on: engine)
    }
}

extension Observation {
    /// The observation with a note that the sandbox ran out of memory, where there is a place for it.
    var ranOutOfMemory: Observation {
        let note =
            "[The sandbox ran out of memory, and the system killed a process in it. Use less memory at a time.]"
        switch self {
        case .run(var result):
            result.metadata.suffix += "\n\(note)"
            return .run(result)
        case .runIPython(var result):
            result.content += "\n\(note)"
            return .runIPython(result)
        case .error(var error):
            error.content += "\n\(note)"
            return .error(error)
        default:
            return self
        }
    }
}
