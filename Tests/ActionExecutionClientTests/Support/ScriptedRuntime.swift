import ActionExecutionClient
import EventStream
import Synchronization

/// A runtime whose answers are a test's, and which remembers what it was asked.
final class ScriptedRuntime: Runtime {
    typealias Script = @Sendable (ActionInvocation) async throws -> Observation

    private let hub = RuntimeStatusHub()
    private let invocations = Mutex<[ActionInvocation]>([])
    private let script: Script

    init(_ script: @escaping Script = { .success(SuccessObservation(content: $0.idempotencyKey)) }) {
        self.script = script
    }

    /// What was asked so far.
    var asked: [ActionInvocation] { invocations.withLock { $0 } }

    var statusUpdates: AsyncStream<RuntimeStatusUpdate> { hub.updates }

    func connect() async throws {}

    func execute(_ invocation: ActionInvocation) async throws -> Observation {
        invocations.withLock { $0.append(invocation) }
        return try await script(invocation)
    }

    func close() async {}
}
