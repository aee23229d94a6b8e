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
    /// - Throws: ``RuntimeError``.
    @discardableResult
    func interrupt(shellSession: String?, isForced: Bool) async throws -> Int

    /// The names in a folder of the sandbox: folders first, with a slash at their end.
    ///
    /// A name that isn't UTF-8 has characters that stand for its bytes, and leads to the file in the calls below.
    ///
    /// - Parameter sandboxFolder: a path, relative to the folder that the shell began in; nil for that folder.
    /// - Returns: nothing when there is no such folder, as in the reference.
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    func listFiles(in sandboxFolder: String?) async throws -> [String]

    /// Copies a file or a folder of this machine into a folder of the sandbox, under its own name.
    ///
    /// What has that name there is replaced, file by file, when all has arrived; folders are merged. Modes and times of folders'
    /// content are kept, and so are symbolic links that stay within the folder.
    ///
    /// - Parameters:
    ///   - hostPath: with a slash at its end, what is in the folder is copied rather than the folder.
    ///   - sandboxFolder: an absolute path; made when it is missing.
    /// - Throws: ``RuntimeError``, or `CancellationError`. Nothing of a copy that failed is left.
    @discardableResult
    func copyIn(_ hostPath: String, to sandboxFolder: String, options: CopyOptions) async throws -> CopySummary

    /// Copies a file or a folder of the sandbox into a folder of this machine, under its own name.
    ///
    /// The sandbox isn't trusted: what it sends can't leave the folder, by names, links or otherwise, nor be larger than the
    /// options allow, or other than what was asked for. What is there is treated as in ``copyIn(_:to:options:)``.
    ///
    /// - Parameters:
    ///   - sandboxPath: an absolute path; with a slash at its end, what is in the folder is copied rather than the folder.
    ///   - hostFolder: made when it is missing.
    /// - Throws: ``RuntimeError``, or `CancellationError`. Nothing of a copy that failed is left.
    @discardableResult
    func copyOut(_ sandboxPath: String, to hostFolder: String, options: CopyOptions) async throws -> CopySummary

    /// Packs a file, or what is in a folder, of the sandbox into a zip archive that streams.
    ///
    /// - Parameter sandboxPath: an absolute path.
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    func archive(of sandboxPath: String, isCompressed: Bool) async throws -> SandboxArchive

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
