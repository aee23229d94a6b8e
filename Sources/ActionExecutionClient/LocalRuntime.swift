import CurlHTTP
public import EventStream
import Foundation

/// The execution server as a child process on this machine, without Docker and without any protection from what it runs.
///
/// For tests and for trusted agents. The server listens on a Unix socket in a directory that only this user can enter,
/// and ends with this process: by ``close()``, or by its lease when this process is killed.
public actor LocalRuntime: Runtime {
    /// What a local runtime is started with.
    public struct Configuration: Sendable {
        /// The program of the server; nil to look for it with ``ServerBinary/find(configured:for:environment:)``.
        public var serverBinary: String?
        /// Where the shell starts; nil for a directory of its own that is removed at the end.
        public var workingDirectory: String?
        /// The shell's environment.
        public var environment: [String: String]
        /// Seconds that an action gets when it names none.
        public var defaultTimeout: Double
        /// Seconds without output after which an observation comes back before its command has ended.
        public var noChangeTimeout: Double
        /// Seconds after which the server ends when this process is gone.
        public var lease: Double

        /// Makes a configuration with the defaults: a directory of its own, and this process's environment.
        public init() {
            serverBinary = nil
            workingDirectory = nil
            environment = ProcessInfo.processInfo.environment
            defaultTimeout = 120
            noChangeTimeout = 10
            lease = 60
        }
    }

    private enum State {
        /// Not connected yet.
        case idle
        /// ``connect()`` is under way; ``close()`` cancels it.
        case connecting(Task<Sandbox, any Error>)
        /// With the action loop, the renewal of the lease and the watch on the process.
        case connected(Sandbox, tasks: [Task<Void, Never>])
        /// ``close()`` was called; the task ends what there is. There is no way back.
        case closed(Task<Void, Never>)
    }

    /// What exists while the runtime is connected.
    struct Sandbox {
        var process: ServerProcess
        var client: ActionExecutionClient
        var http: HTTPClient
        var directory: URL

        /// Has the server do something.
        func withClient<Value: Sendable>(_ body: (ActionExecutionClient) async throws -> Value) async throws -> Value {
            do {
                return try await body(client)
            } catch {
                throw await explain(error)
            }
        }

        /// Without the server there is only one reason why an action failed.
        func explain(_ error: any Error) async -> any Error {
            guard process.hasExited, let reason = try? await process.exit() else { return error }
            return RuntimeError.disconnected(reason: reason)
        }
    }

    private let configuration: Configuration
    private let stream: EventStream?
    private let sessionID: String
    private let status: RuntimeStatusHub
    private let liveOutputHub = LiveOutputHub()
    private var state = State.idle

    /// Makes a runtime; nothing is started before ``connect()``.
    ///
    /// - Parameters:
    ///   - eventStream: where actions come from and observations go; nil for ``execute(_:)`` only.
    ///   - sessionID: names the stream's log in idempotency keys.
    ///   - statusCallback: called for each status update, in order.
    public init(
        configuration: Configuration = Configuration(),
        eventStream: EventStream? = nil,
        sessionID: String = "default",
        statusCallback: RuntimeStatusCallback? = nil
    ) {
        self.configuration = configuration
        stream = eventStream
        self.sessionID = sessionID
        status = RuntimeStatusHub(callback: statusCallback)
    }

    /// The status updates from now on.
    public nonisolated var statusUpdates: AsyncStream<RuntimeStatusUpdate> { status.updates }

    /// The output of the stream's actions while they run, from now on.
    public nonisolated var liveOutput: LiveOutputs { liveOutputHub.outputs }

    /// Starts the server and waits until it is ready.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError` when the task is cancelled or ``close()`` is called meanwhile.
    ///   Then nothing is left behind, and it may be tried again unless it was closed.
    public func connect() async throws {
        guard case .idle = state else {
            throw RuntimeError.cannotConnect(reason: "it is connected, or was closed; make a new one")
        }
        status.publish(RuntimeStatusUpdate(.starting))
        let starting = Task { try await start() }
        state = .connecting(starting)
        let result = await withTaskCancellationHandler {
            await starting.result
        } onCancel: {
            starting.cancel()
        }
        // close() may have come meanwhile; it ends what was started, and tells of it.
        guard case .connecting = state else { throw CancellationError() }
        do {
            let sandbox = try result.get()
            guard !Task.isCancelled else {
                await Self.end(sandbox)
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
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    public func execute(_ invocation: ActionInvocation) async throws -> Observation {
        try await connectedSandbox("execute()").withClient { try await $0.execute(invocation) }
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
    /// - Throws: ``RuntimeError``.
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

    /// Ends the server and what it runs.
    ///
    /// An action under way is answered with an error.
    public func close() async {
        if case .closed(let closing) = state { return await closing.value }
        let previous = state
        // In a task of its own: it isn't cancelled with the caller, and whoever closes too can wait for it.
        let closing = Task { [status, liveOutputHub] in
            switch previous {
            case .connecting(let starting):
                starting.cancel()
                if let sandbox = try? await starting.value { await Self.end(sandbox) }
            case .connected(let sandbox, let tasks):
                for task in tasks { task.cancel() }
                for task in tasks { await task.value }
                await Self.end(sandbox)
            case .idle, .closed:
                break
            }
            status.publish(RuntimeStatusUpdate(.stopped))
            status.finish()
            liveOutputHub.finish()
        }
        state = .closed(closing)
        await closing.value
    }

    // MARK: Starting and ending

    private func start() async throws -> Sandbox {
        let binary = try ServerBinary.find(configured: configuration.serverBinary, for: .thisMachine)
        // Short: the path of a Unix socket has about a hundred bytes.
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("local-runtime-\(randomHexadecimal(byteCount: 8))")
        try FileManager.default.createDirectory(
            at: directory,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        do {
            let key = randomHexadecimal(byteCount: 32)
            let keyFile = directory.appendingPathComponent("key")
            try Data(key.utf8).write(to: keyFile)
            let socket = directory.appendingPathComponent("server.sock").path
            let workspace = configuration.workingDirectory ?? directory.appendingPathComponent("workspace").path
            let process = try ServerProcess(
                binary: binary,
                arguments: [
                    "--unix-socket", socket, "--working-dir", workspace, "--session-api-key-file", keyFile.path,
                    "--lease", String(configuration.lease), "--no-change-timeout",
                    String(configuration.noChangeTimeout),
                ],
                environment: configuration.environment,
                log: directory.appendingPathComponent("server.log")
            )
            status.publish(RuntimeStatusUpdate(.started))
            do {
                return try await connect(to: process, socket: socket, key: key, directory: directory)
            } catch {
                await process.terminate()
                throw error
            }
        } catch {
            try? FileManager.default.removeItem(at: directory)
            throw error
        }
    }

    private func connect(
        to process: ServerProcess,
        socket: String,
        key: String,
        directory: URL
    ) async throws -> Sandbox {
        let http = try HTTPClient()
        let client = ActionExecutionClient(
            endpoint: ActionExecutionClient.Endpoint(
                url: "http://localhost",
                unixSocketPath: socket,
                sessionAPIKey: key
            ),
            http: http,
            defaultTimeout: configuration.defaultTimeout
        )
        do {
            try await Self.withServerExit(process) { try await client.waitUntilReady(limit: .seconds(30)) }
            return Sandbox(process: process, client: client, http: http, directory: directory)
        } catch {
            http.shutdown()
            if case RuntimeError.disconnected(let reason) = error { throw RuntimeError.startFailed(reason: reason) }
            throw error
        }
    }

    private static func end(_ sandbox: Sandbox) async {
        await sandbox.process.terminate()
        sandbox.http.shutdown()
        try? FileManager.default.removeItem(at: sandbox.directory)
    }

    // MARK: While it runs

    /// Starts what runs until ``close()``, which cancels it and waits for it.
    private func tasks(_ sandbox: Sandbox) -> [Task<Void, Never>] {
        let (client, process, http) = (sandbox.client, sandbox.process, sandbox.http)
        let (lease, status) = (configuration.lease, status)
        var tasks: [Task<Void, Never>] = []
        tasks.append(
            Task {
                // A failure shows in the next action, or in the next renewal.
                while (try? await Task.sleep(for: .seconds(lease / 3))) != nil { try? await client.renewLease() }
            }
        )
        tasks.append(
            Task {
                guard let reason = try? await process.exit() else { return }
                // Ends the requests that are under way.
                http.shutdown()
                status.publish(RuntimeStatusUpdate(.disconnected, level: .error, message: reason))
            }
        )
        if let stream {
            let loop = ActionLoop(stream: stream, runtime: self, sessionID: sessionID, liveOutput: liveOutputHub)
            tasks.append(
                Task(executorPreference: sandbox.http.taskExecutor) {
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

    /// Runs an operation that can't succeed without the server, and ends it when the server does.
    private static func withServerExit<Value: Sendable>(
        _ process: ServerProcess,
        _ operation: @escaping @Sendable @concurrent () async throws -> Value
    ) async throws -> Value {
        try await firstOf(operation) { throw RuntimeError.disconnected(reason: try await process.exit()) }
    }
}
