public import EventStream

/// A sandbox that performs actions.
///
/// `connect()` and `close()` bracket its life. What an agent loop publishes on an event stream reaches a runtime through
/// an ``ActionLoop``; the runtimes of this package that take an event stream run one of their own.
public protocol Runtime: Sendable {
    /// The status updates from now on; each call gives a sequence of its own.
    var statusUpdates: AsyncStream<RuntimeStatusUpdate> { get }

    /// The output of the stream's actions while they run, from now on; each call gives a sequence of its own.
    var liveOutput: LiveOutputs { get }

    /// Starts the sandbox and waits until it performs actions.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError` when the task is cancelled; then nothing is left behind.
    func connect() async throws

    /// Performs an action and waits for what comes of it.
    ///
    /// - Returns: the observation. That a command failed is an observation, not an error.
    /// - Throws: ``RuntimeError`` when the action could not be performed or its outcome isn't known, or
    ///   `CancellationError`; the action may go on then.
    func execute(_ invocation: ActionInvocation) async throws -> Observation

    /// Performs an action and tells of its output while it runs.
    ///
    /// The action is performed when the first update is asked for. Ending the iteration before the observation came
    /// doesn't end the action; ``interrupt(shellSession:isForced:)`` does.
    func updates(of invocation: ActionInvocation) -> ActionUpdates

    /// Interrupts what runs, as the key C-c does; the actions concerned come back with what they have.
    ///
    /// - Parameters:
    ///   - shellSession: the session whose command is interrupted; nil for all that runs in the sandbox.
    ///   - isForced: whether it is killed.
    /// - Returns: how many actions were interrupted.
    /// - Throws: ``RuntimeError``, or `HTTPError` when the server doesn't answer.
    @discardableResult
    func interrupt(shellSession: String?, isForced: Bool) async throws -> Int

    /// Stops the sandbox, keeping its files.
    ///
    /// - Throws: ``RuntimeError/unsupported(operation:)`` where there is no such thing.
    func pause() async throws

    /// Starts a paused sandbox again and waits until it performs actions.
    ///
    /// - Throws: ``RuntimeError``.
    func resume() async throws

    /// Ends the sandbox. Actions under way are answered with an error. Closing again does nothing.
    func close() async
}

extension Runtime {
    /// Performs an action that is in no event stream.
    ///
    /// - Parameters:
    ///   - action: what to do.
    ///   - timeout: seconds after which the observation comes back in any case; nil for the runtime's default.
    /// - Throws: as ``execute(_:)``.
    public func execute(_ action: Action, timeout: Double? = nil) async throws -> Observation {
        try await execute(ActionInvocation(action, timeout: timeout))
    }

    /// Nothing, unless a runtime says otherwise.
    public var liveOutput: LiveOutputs {
        let hub = LiveOutputHub()
        defer { hub.finish() }
        return hub.outputs
    }

    /// The observation only, unless a runtime says otherwise.
    public func updates(of invocation: ActionInvocation) -> ActionUpdates {
        ActionUpdates { SingleObservation { try await self.execute(invocation) } }
    }

    /// Not supported, unless a runtime says otherwise.
    @discardableResult
    public func interrupt(shellSession: String? = nil, isForced: Bool = false) async throws -> Int {
        throw RuntimeError.unsupported(operation: "interrupting")
    }

    /// Not supported, unless a runtime says otherwise.
    public func pause() async throws {
        throw RuntimeError.unsupported(operation: "pausing")
    }

    /// Not supported, unless a runtime says otherwise.
    public func resume() async throws {
        throw RuntimeError.unsupported(operation: "resuming")
    }
}
