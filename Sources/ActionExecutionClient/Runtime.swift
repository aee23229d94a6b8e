public import EventStream

/// A sandbox that performs actions.
///
/// `connect()` and `close()` bracket its life. What an agent loop publishes on an event stream reaches a runtime through
/// an ``ActionLoop``; the runtimes of this package that take an event stream run one of their own.
public protocol Runtime: Sendable {
    /// The status updates from now on; each call gives a sequence of its own.
    var statusUpdates: AsyncStream<RuntimeStatusUpdate> { get }

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

    /// Not supported, unless a runtime says otherwise.
    public func pause() async throws {
        throw RuntimeError.unsupported(operation: "pausing")
    }

    /// Not supported, unless a runtime says otherwise.
    public func resume() async throws {
        throw RuntimeError.unsupported(operation: "resuming")
    }
}
