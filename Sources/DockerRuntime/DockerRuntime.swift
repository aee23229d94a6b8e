public import ActionExecutionClient
import CurlHTTP
import DockerEngine
public import EventStream
import Foundation

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
/// A runtime is connected once. ``close()`` removes the container, and a process that is killed loses it by its lease:
/// a server that nobody talks to for that long ends, and the engine removes its container.
public actor DockerRuntime: Runtime {
    private enum State {
        /// Not connected yet.
        case idle
        /// ``connect()`` is under way; ``close()`` cancels it.
        case connecting(Task<Sandbox, any Error>)
        /// With the action loop, the renewal of the lease and the watch on the container.
        case connected(Sandbox, tasks: [Task<Void, Never>])
        /// ``close()`` was called; the task ends what there is. There is no way back.
        case closed(Task<Void, Never>)
    }

    /// What this runtime is made of.
    public nonisolated let configuration: Configuration
    /// Names the session, the container and the idempotency keys of the stream's actions.
    public nonisolated let sessionID: String

    private let stream: EventStream?
    let status: RuntimeStatusHub
    private let liveOutputHub = LiveOutputHub()
    private var state = State.idle
    /// A sandbox that is ready already, which ``connect()`` takes instead of starting one.
    private let prepared: Sandbox?

    /// Makes a runtime; nothing is started before ``connect()``.
    ///
    /// - Parameters:
    ///   - configuration: the image, and what the container may do.
    ///   - eventStream: where actions come from and observations go; nil for ``execute(_:)`` only.
    ///   - sessionID: names the session. Two runtimes on an engine can't have the same.
    ///   - statusCallback: called for each status update, in order.
    public init(
        configuration: Configuration,
        eventStream: EventStream? = nil,
        sessionID: String = "default",
        statusCallback: RuntimeStatusCallback? = nil
    ) {
        self.configuration = configuration
        self.sessionID = sessionID
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

    /// Starts the container and waits until its server is ready.
    ///
    /// - Throws: ``DockerRuntimeError``, `DockerEngineError`, `RuntimeError`, or `CancellationError` when the task is
    ///   cancelled or ``close()`` is called meanwhile. Then nothing is left behind, and it may be tried again unless it was
    ///   closed.
    public func connect() async throws {
        guard case .idle = state else {
            throw RuntimeError.cannotConnect(reason: "it is connected, or was closed; make a new one")
        }
        status.publish(RuntimeStatusUpdate(.starting))
        let start = SandboxStart(configuration: configuration, sessionID: sessionID, status: status)
        let starting = Task { [prepared] in
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
                if let problem = await remove(sandbox) { status.publish(problem) }
                throw CancellationError()
            }
            status.publish(RuntimeStatusUpdate(.ready))
            state = .connected(sandbox, tasks: tasks(sandbox))
        } catch {
            guard case .connecting = state else { throw CancellationError() }
            state = .idle
            guard !Task.isCancelled else {
                status.publish(RuntimeStatusUpdate(.stopped))
                throw CancellationError()
            }
            status.publish(RuntimeStatusUpdate(.error, level: .error, message: "\(error)"))
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
        ActionUpdates {
            try await self.connectedSandbox("updates(of:)").client.updates(of: invocation)
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
        case .connected(let sandbox, _): return sandbox
        case .closed: throw RuntimeError.disconnected(reason: "it was closed")
        case .idle, .connecting: throw RuntimeError.notConnected(operation: operation)
        }
    }

    /// Removes the container and ends everything that belongs to the runtime.
    ///
    /// An action under way is answered with an error. The last status is ``RuntimeStatus/stopped``; its message says so if the engine didn't remove the container.
    public func close() async {
        if case .closed(let closing) = state { return await closing.value }
        let previous = state
        // In a task of its own: it isn't cancelled with the caller, and whoever closes too can wait for it.
        let closing = Task { [status, liveOutputHub] in
            var problem: RuntimeStatusUpdate?
            switch previous {
            case .connecting(let starting):
                starting.cancel()
                if let sandbox = try? await starting.value { problem = await remove(sandbox) }
            case .connected(let sandbox, let tasks):
                for task in tasks { task.cancel() }
                for task in tasks { await task.value }
                problem = await remove(sandbox)
            case .idle, .closed:
                break
            }
            status.publish(problem ?? RuntimeStatusUpdate(.stopped))
            status.finish()
            liveOutputHub.finish()
        }
        state = .closed(closing)
        await closing.value
    }

    /// - Returns: what there is to tell when the container may still be there.
    private func remove(_ sandbox: Sandbox) async -> RuntimeStatusUpdate? {
        do {
            try await sandbox.remove()
            return nil
        } catch {
            return .notRemoved(name: sandbox.name, error)
        }
    }

    // MARK: While it runs

    /// The sandbox; nil unless the runtime is connected.
    var sandbox: Sandbox? {
        if case .connected(let sandbox, _) = state { sandbox } else { nil }
    }

    /// Starts what runs until ``close()``, which cancels it and waits for it.
    private func tasks(_ sandbox: Sandbox) -> [Task<Void, Never>] {
        let (client, lease, status) = (sandbox.client, configuration.lease, status)
        var tasks: [Task<Void, Never>] = []
        tasks.append(
            Task {
                // A failure shows in the next action, or in the next renewal.
                while (try? await Task.sleep(for: .seconds(lease / 3))) != nil { try? await client.renewLease() }
            }
        )
        tasks.append(
            Task {
                guard let reason = try? await sandbox.exit() else { return }
                status.publish(RuntimeStatusUpdate(.disconnected, level: .error, message: reason))
            }
        )
        if let handler = configuration.containerLogHandler {
            tasks.append(
                Task {
                    do {
                        for try await line in try await sandbox.log(follows: true) { handler(line) }
                    } catch is CancellationError {
                        // Closed.
                    } catch {
                        status.publish(
                            RuntimeStatusUpdate(.ready, level: .warning, message: "No container log: \(error)")
                        )
                    }
                }
            )
        }
        if let stream {
            let loop = ActionLoop(stream: stream, runtime: self, sessionID: sessionID, liveOutput: liveOutputHub)
            tasks.append(
                Task(executorPreference: sandbox.taskExecutor) {
                    do {
                        try await loop.run()
                    } catch {
                        status.publish(RuntimeStatusUpdate(.error, level: .error, message: "\(error)"))
                    }
                }
            )
        }
        return tasks
    }
}
