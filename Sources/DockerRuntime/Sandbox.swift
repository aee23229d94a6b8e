import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Synchronization

/// A container whose server is ready.
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
    private let reservation: PortReservation?
    /// The Unix socket that it is reached by; nil over TCP.
    let socket: SocketDirectory?
    let engine: DockerEngineClient
    private let http: HTTPClient
    private let watch: ContainerWatch
    /// Ends the requests that are under way when the container ends.
    ///
    /// Owned: ``remove()`` waits for it.
    private let abort: Task<Void, Never>

    /// Takes over a container that runs, and what it is reached and watched with.
    init(
        container: String,
        name: String,
        engine: DockerEngineClient,
        client: ActionExecutionClient,
        http: HTTPClient,
        watch: ContainerWatch,
        ports: SandboxPorts,
        address: SandboxAddress,
        reservation: PortReservation?,
        socket: SocketDirectory?
    ) {
        self.container = container
        currentName = Mutex(name)
        self.engine = engine
        self.client = client
        self.http = http
        self.watch = watch
        self.ports = ports
        self.address = address
        self.reservation = reservation
        self.socket = socket
        abort = Task {
            if (try? await watch.end()) != nil { http.shutdown() }
        }
    }

    /// Waits for the end of the container.
    ///
    /// - Returns: how it ended.
    /// - Throws: `CancellationError`.
    func exit() async throws -> String {
        "the container \(name) \(try await watch.end().description)"
    }

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

    /// Has the server perform an action; ends when the container does.
    func execute(_ invocation: ActionInvocation) async throws -> Observation {
        try await withClient { try await $0.execute(invocation) }
    }

    /// Has the server do something; ends when the container does.
    func withClient<Value: Sendable>(_ body: (ActionExecutionClient) async throws -> Value) async throws -> Value {
        do {
            return try await body(client)
        } catch {
            throw await explain(error)
        }
    }

    /// What the container has written, and if `follows` what it writes until it ends.
    func log(follows: Bool) async throws -> ContainerLog {
        var options = LogOptions()
        options.follows = follows
        return ContainerLog(frames: try await engine.containerLogs(container, options: options))
    }

    /// Without the container there is only one reason why an action failed.
    func explain(_ error: any Error) async -> any Error {
        guard watch.hasEnded, let reason = try? await exit() else { return error }
        return RuntimeError.disconnected(reason: reason)
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
        abort.cancel()
        await abort.value
        await watch.stop()
        http.shutdown()
        engine.close()
        reservation?.release()
        socket?.remove()
        try removal.get()
    }
}
