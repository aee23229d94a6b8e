public import ActionExecutionClient
import CurlHTTP
import DockerEngine
public import EventStream
import Foundation
import Synchronization

/// A sandbox in a Docker container.
///
/// The runtime subscribes to an event stream, has each action performed by the execution server in the container, and
/// publishes the observations. The image needs nothing but a shell: the server is brought along in a volume.
///
/// ```swift
/// let stream = EventStream()
/// let runtime = DockerRuntime(configuration: .init(image: "debian:bookworm-slim"), eventStream: stream)
/// try await runtime.connect()
/// let action = try await stream.publish(.run(CommandAction(command: "uname -a")))
/// for try await event in stream.subscribe(from: action.id + 1) where event.cause == action.id {
///     print(event.message)
///     break
/// }
/// await runtime.close()
/// ```
///
/// A runtime is connected once. ``close()`` removes the container, unless ``Closing`` says otherwise, and a process that is
/// killed loses it by its lease: a server that nobody talks to for that long ends, and the engine removes its container.
public actor DockerRuntime: Runtime {
    private enum State {
        /// Not connected yet.
        case idle
        /// ``connect()`` is under way; ``close()`` cancels it.
        case connecting(Task<Sandbox, any Error>)
        /// The container runs, or has ended of its own.
        case connected(Sandbox)
        /// ``pause()`` stopped the container, or it couldn't be started again; ``resume()`` starts it.
        case stopped(Sandbox)
        /// ``close()`` was called; the task ends what there is. There is no way back.
        case closed(Task<Void, Never>)
    }

    /// What this runtime is made of.
    public nonisolated let configuration: Configuration
    /// Names the session, the container and the idempotency keys of the stream's actions.
    public nonisolated let sessionID: String

    private let stream: EventStream?
    private let attachesToExisting: Bool
    let status: RuntimeStatusHub
    private let liveOutputHub = LiveOutputHub()
    private var state = State.idle
    /// What goes on for as long as the container runs.
    private var run: SandboxRun?
    /// The action loop.
    private var loopTask: Task<Void, Never>?
    /// The sweep of what others left.
    private var sweepTask: Task<Void, Never>?
    /// The last call of ``pause()`` or ``resume()``: they come one after the other.
    private var change: Task<Void, any Error>?
    /// A sandbox that is ready already, which ``connect()`` takes instead of starting one.
    private let prepared: Sandbox?

    /// Makes a runtime; nothing is started before ``connect()``.
    ///
    /// - Parameters:
    ///   - configuration: the image, and what the container may do.
    ///   - eventStream: where actions come from and observations go; nil for ``execute(_:)`` only.
    ///   - sessionID: names the session. Two runtimes on an engine can't have the same, but for those that attach.
    ///   - attachesToExisting: whether the session's container is there already, and stays when this runtime is closed: the
    ///     reference's `attach_to_existing`. It is started if it doesn't run.
    ///   - statusCallback: called for each status update, in order.
    public init(
        configuration: Configuration,
        eventStream: EventStream? = nil,
        sessionID: String = "default",
        attachesToExisting: Bool = false,
        statusCallback: RuntimeStatusCallback? = nil
    ) {
        self.configuration = configuration
        self.sessionID = sessionID
        self.attachesToExisting = attachesToExisting
        stream = eventStream
        status = RuntimeStatusHub(callback: statusCallback)
        prepared = nil
    }

    /// Makes a runtime for a sandbox that is ready already, and that is its own from ``connect()`` on.
    init(
        configuration: Configuration,
        prepared: Sandbox,
        eventStream: EventStream?,
        sessionID: String,
        statusCallback: RuntimeStatusCallback?
    ) {
        self.configuration = configuration
        self.sessionID = sessionID
        attachesToExisting = false
        stream = eventStream
        status = RuntimeStatusHub(callback: statusCallback)
        self.prepared = prepared
    }

    /// The status updates from now on; each call gives a sequence of its own.
    public nonisolated var statusUpdates: AsyncStream<RuntimeStatusUpdate> { status.updates }

    /// The output of the stream's actions while they run, from now on; each call gives a sequence of its own.
    public nonisolated var liveOutput: LiveOutputs { liveOutputHub.outputs }

    /// The name of the container.
    public nonisolated var containerName: String { configuration.containerNamePrefix + sessionID }

    private nonisolated var start: SandboxStart {
        SandboxStart(
            configuration: configuration,
            sessionID: sessionID,
            status: status,
            attachesToExisting: attachesToExisting
        )
    }

    /// Starts the container and waits until its server is ready.
    ///
    /// A container that an earlier runtime of the session kept is taken over as it is, and so is one to attach to.
    ///
    /// - Throws: ``DockerRuntimeError``, `DockerEngineError`, `RuntimeError` (`notFound` when there is nothing to attach to), or
    ///   `CancellationError` when the task is cancelled or ``close()`` is called meanwhile. Then nothing is left behind, and
    ///   it may be tried again unless it was closed.
    public func connect() async throws {
        guard case .idle = state else {
            throw RuntimeError.cannotConnect(reason: "it is connected, or was closed; make a new one")
        }
        OpenRuntimes.add(self)
        status.publish(RuntimeStatusUpdate(.starting))
        let starting = Task { [start, prepared] in
            if let prepared { return prepared }
            return try await start.run()
        }
        state = .connecting(starting)
        let result = await withTaskCancellationHandler {
            await starting.result
        } onCancel: {
            starting.cancel()
        }
        // close() may have come meanwhile; it removes what was started, and tells of it.
        guard case .connecting = state else { throw CancellationError() }
        do {
            let sandbox = try result.get()
            guard !Task.isCancelled else {
                if let problem = await end(sandbox) { status.publish(problem) }
                throw CancellationError()
            }
            status.publish(RuntimeStatusUpdate(.ready))
            state = .connected(sandbox)
            beginRun(of: sandbox)
            beginSweep(on: sandbox.engine)
        } catch {
            guard case .connecting = state else { throw CancellationError() }
            state = .idle
            OpenRuntimes.remove(self)
            guard !Task.isCancelled else {
                status.publish(RuntimeStatusUpdate(.stopped))
                throw CancellationError()
            }
            let isMissing = if case RuntimeError.notFound = error { true } else { false }
            status.publish(
                RuntimeStatusUpdate(isMissing ? .disconnected : .error, level: .error, message: "\(error)")
            )
            throw error
        }
    }

    /// Performs an action.
    ///
    /// - Throws: `RuntimeError`, or `CancellationError`.
    public func execute(_ invocation: ActionInvocation) async throws -> Observation {
        try await connectedSandbox("execute()").execute(invocation)
    }

    /// Performs an action and tells of its output while it runs.
    public nonisolated func updates(of invocation: ActionInvocation) -> ActionUpdates {
        let count = OneShot<Int>()
        return ActionUpdates {
            let sandbox = try await self.connectedSandbox("updates(of:)")
            count.set(sandbox.outOfMemoryCount)
            return try await sandbox.updates(of: invocation)
        } complete: { observation in
            let sandbox = try? await self.connectedSandbox("updates(of:)")
            return await sandbox?.explained(observation, since: count.current ?? 0) ?? observation
        } explain: { error in
            await (try? self.connectedSandbox("updates(of:)"))?.explain(error) ?? error
        }
    }

    /// Interrupts what runs, as the key C-c does.
    ///
    /// - Throws: `RuntimeError`, or `HTTPError` when the server doesn't answer.
    @discardableResult
    public func interrupt(shellSession: String? = nil, isForced: Bool = false) async throws -> Int {
        try await connectedSandbox("interrupt()").client.interrupt(shellSession: shellSession, isForced: isForced)
    }

    func connectedSandbox(_ operation: String) throws -> Sandbox {
        switch state {
        case .connected(let sandbox): return sandbox
        case .stopped: throw RuntimeError.paused(hasBegun: false)
        case .closed: throw RuntimeError.disconnected(reason: "it was closed")
        case .idle, .connecting: throw RuntimeError.notConnected(operation: operation)
        }
    }

    // MARK: Pausing

    /// Pauses the sandbox, keeping its files.
    ///
    /// A container that is kept when the runtime is closed is stopped: its processes end, as in the reference. Another would
    /// be removed with its process, so it is frozen: all that runs in it goes on when it is resumed, and has its memory until
    /// then. An action under way is answered with an error that says so. Doing it again does nothing.
    ///
    /// - Throws: `RuntimeError`, `DockerEngineError`.
    public func pause() async throws {
        try await inTurn { try await $0.pauseNow() }
    }

    /// Lets a paused sandbox go on, or starts its container again if it has ended, and waits until it performs actions.
    ///
    /// - Throws: `RuntimeError.notFound` when the container is gone; as ``connect()``.
    public func resume() async throws {
        try await inTurn { try await $0.resumeNow() }
    }

    /// Runs one change after the other; not cancelled with the caller, since half a change is none.
    private func inTurn(_ body: @escaping @Sendable (DockerRuntime) async throws -> Void) async throws {
        let task = Task { [previous = change] in
            _ = await previous?.result
            try await body(self)
        }
        change = task
        try await task.value
    }

    private func pauseNow() async throws {
        if case .stopped = state { return }
        let sandbox = try connectedSandbox("pause()")
        guard !sandbox.isPaused else { return }
        guard sandbox.plan.configuration.closing.keepsContainer else { return try await sandbox.freeze() }
        // The end is no surprise, so nobody is told of a disconnection.
        await endRun()
        do {
            try await sandbox.stop()
        } catch {
            if case .connected = state { beginRun(of: sandbox) }
            throw error
        }
        guard case .connected = state else { return }
        state = .stopped(sandbox)
        status.publish(
            RuntimeStatusUpdate(.stopped, message: "The container \(sandbox.name) was stopped; resume() starts it")
        )
    }

    private func resumeNow() async throws {
        let previous: Sandbox
        switch state {
        case .stopped(let sandbox): previous = sandbox
        default: previous = try connectedSandbox("resume()")
        }
        if case .connected = state, !previous.hasEnded {
            if previous.isPaused { try await previous.thaw() }
            return
        }
        await endRun()
        status.publish(RuntimeStatusUpdate(.starting))
        do {
            let sandbox = try await previous.startedAnew(by: start)
            // It refuses what it gets meanwhile, and must not be in the middle of what comes after.
            await endLoop()
            guard !isClosed, !Task.isCancelled else {
                await sandbox.release()
                throw CancellationError()
            }
            state = .connected(sandbox)
            status.publish(RuntimeStatusUpdate(.ready))
            beginRun(of: sandbox)
        } catch {
            guard !isClosed else { throw error }
            state = .stopped(previous)
            status.publish(RuntimeStatusUpdate(.error, level: .error, message: "\(error)"))
            throw error
        }
    }

    private var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    // MARK: The end

    /// Ends everything that belongs to the runtime, and removes the container unless ``Closing`` or an attachment says otherwise.
    ///
    /// An action under way is answered with an error. The last status is ``RuntimeStatus/stopped``; its message says so if the
    /// engine didn't remove the container.
    public func close() async {
        if case .closed(let closing) = state { return await closing.value }
        let previous = state
        // In a task of its own: it isn't cancelled with the caller, and whoever closes too can wait for it.
        let closing = Task { [status, liveOutputHub, change] in
            var problem: RuntimeStatusUpdate?
            change?.cancel()
            _ = await change?.result
            switch previous {
            case .connecting(let starting):
                starting.cancel()
                if let sandbox = try? await starting.value { problem = await end(sandbox) }
            case .connected(let sandbox), .stopped(let sandbox):
                await endRun()
                await endLoop()
                sweepTask?.cancel()
                await sweepTask?.value
                problem = await end(sandbox)
            case .idle, .closed:
                break
            }
            OpenRuntimes.remove(self)
            status.publish(problem ?? RuntimeStatusUpdate(.stopped))
            status.finish()
            liveOutputHub.finish()
        }
        state = .closed(closing)
        await closing.value
    }

    /// Removes the container, or leaves it as it is meant to be left.
    ///
    /// - Returns: what there is to tell when that failed.
    private func end(_ sandbox: Sandbox) async -> RuntimeStatusUpdate? {
        let closing = configuration.closing
        guard attachesToExisting || closing.keepsContainer else {
            do {
                if closing.removesAllContainers { try await Self.removeAllContainers(on: sandbox.engine) }
                try await sandbox.remove()
                return nil
            } catch {
                return .notRemoved(name: sandbox.name, error)
            }
        }
        var problem: RuntimeStatusUpdate?
        do {
            if attachesToExisting || !closing.stopsKeptContainer {
                try await sandbox.keepRunning()
            } else {
                try await sandbox.stop()
            }
        } catch {
            problem = RuntimeStatusUpdate(
                .stopped,
                level: .warning,
                message: "The container \(sandbox.name) could not be left as configured: \(error)"
            )
        }
        await sandbox.leave()
        return problem
    }

    // MARK: While it runs

    /// The sandbox; nil unless the runtime is connected.
    var sandbox: Sandbox? {
        if case .connected(let sandbox) = state { sandbox } else { nil }
    }

    /// Starts what runs until the run of the container ends, or ``close()``.
    private func beginRun(of sandbox: Sandbox) {
        run = SandboxRun(sandbox, configuration: configuration, status: status)
        beginLoop(on: sandbox.taskExecutor)
    }

    private func endRun() async {
        await run.take()?.end()
    }

    /// Carries the stream's actions from now on, by the thread that talks to the server.
    private func beginLoop(on executor: any TaskExecutor) {
        guard let stream else { return }
        let loop = ActionLoop(stream: stream, runtime: self, sessionID: sessionID, liveOutput: liveOutputHub)
        loopTask = Task(executorPreference: executor) { [status] in
            do {
                try await loop.run()
            } catch {
                status.publish(RuntimeStatusUpdate(.error, level: .error, message: "\(error)"))
            }
        }
    }

    private func endLoop() async {
        loopTask?.cancel()
        await loopTask?.value
        loopTask = nil
    }

    /// Removes what processes that have ended left on the engine, once for each engine that this process uses.
    private func beginSweep(on engine: DockerEngineClient) {
        guard SweptEngines.isFirst("\(engine.endpoint)") else { return }
        sweepTask = Task {
            // What it doesn't manage is left to the next process.
            _ = try? await OrphanSweep(engine: engine).run()
        }
    }
}
