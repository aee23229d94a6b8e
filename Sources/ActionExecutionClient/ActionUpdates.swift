public import EventStream

/// What becomes of an action while it is performed.
public enum ActionUpdate: Sendable, Hashable {
    /// The output has changed.
    case output(OutputUpdate)
    /// The action has ended, or its time has: the last update.
    case observation(Observation)
}

/// What becomes of an action: changes of its output as they come, and at last its observation.
///
/// ```swift
/// for try await update in runtime.updates(of: ActionInvocation(.run(CommandAction(command: "make")))) {
///     switch update {
///     case .output(let change): change.apply(to: &shown)
///     case .observation(let observation): print(observation)
///     }
/// }
/// ```
///
/// The action is performed when the first update is asked for, and once: whoever iterates anew, or again, gets the
/// observation. Reading slowly holds nothing up; what then is too much is left out in the middle, and said.
public struct ActionUpdates: AsyncSequence, Sendable {
    /// An update.
    public typealias Element = ActionUpdate
    /// ``RuntimeError`` or `CancellationError`.
    public typealias Failure = any Error

    private let begin: @Sendable () -> any ActionUpdateSource

    /// - Parameter begin: makes what gives the updates of one iteration.
    init(_ begin: @escaping @Sendable () -> any ActionUpdateSource) {
        self.begin = begin
    }

    /// Reads the updates.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var source: any ActionUpdateSource

        /// The next update; nil after the observation.
        ///
        /// - Throws: ``RuntimeError`` when the action could not be performed or its outcome isn't known, or
        ///   `CancellationError`; the action may go on then.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> ActionUpdate? {
            try await source.next(isolation: actor)
        }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: begin())
    }
}

/// Gives the updates of one action, one after the other.
protocol ActionUpdateSource {
    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ActionUpdate?
}

/// The updates of an action whose output isn't told.
struct SingleObservation: ActionUpdateSource {
    private let execute: @Sendable () async throws -> Observation
    private var hasEnded = false

    init(_ execute: @escaping @Sendable () async throws -> Observation) {
        self.execute = execute
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ActionUpdate? {
        guard !hasEnded else { return nil }
        hasEnded = true
        return .observation(try await execute())
    }
}

/// The updates of an action in a sandbox that is looked up when the first is asked for.
struct SandboxedExecution: ActionUpdateSource {
    private let begin: @Sendable () async throws -> ActionUpdates
    private let complete: @Sendable (Observation) async -> Observation
    private let explain: @Sendable (any Error) async -> any Error
    private var updates: ActionUpdates.AsyncIterator?

    /// - Parameters:
    ///   - begin: finds the sandbox.
    ///   - complete: adds to the observation what the sandbox knows.
    ///   - explain: turns an error into the one that says why.
    init(
        begin: @escaping @Sendable () async throws -> ActionUpdates,
        complete: @escaping @Sendable (Observation) async -> Observation,
        explain: @escaping @Sendable (any Error) async -> any Error
    ) {
        self.begin = begin
        self.complete = complete
        self.explain = explain
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ActionUpdate? {
        do {
            if updates == nil { updates = try await begin().makeAsyncIterator() }
            let update = try await updates?.next(isolation: actor)
            if case .observation(let observation)? = update { return .observation(await complete(observation)) }
            return update
        } catch {
            throw await explain(error)
        }
    }
}

extension ActionUpdates {
    /// The updates of an action in a sandbox that is looked up when the first is asked for.
    ///
    /// - Parameters:
    ///   - begin: finds the sandbox.
    ///   - complete: adds to the observation what the sandbox knows.
    ///   - explain: turns an error into the one that says why.
    package init(
        begin: @escaping @Sendable () async throws -> ActionUpdates,
        complete: @escaping @Sendable (Observation) async -> Observation = { $0 },
        explain: @escaping @Sendable (any Error) async -> any Error
    ) {
        self.init { SandboxedExecution(begin: begin, complete: complete, explain: explain) }
    }
}
