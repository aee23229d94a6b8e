public import EventStream

/// Answers actions with the observations of a recorded session: a sandbox that needs no Docker, for tests of agent loops.
///
/// ```swift
/// @Test func agentFixesTheProgram() async throws {
///     let session = try RecordedSession(contentsOf: "Fixtures/session")
///     try await ReplayRuntime.replay(session) { stream in
///         try await MyAgent(stream: stream).run()
///     }
/// }
/// ```
public actor ReplayRuntime: Runtime {
    /// Which recorded observation answers an action.
    public enum Matching: Sendable, Hashable {
        /// That of the next recorded action, which must be the same action with the same arguments.
        case strict
        /// That of the first recorded action with the same arguments that has not been played; when all of them have,
        /// that of the last. Other recorded actions may be left out or come in another order.
        case lenient
    }

    /// When an observation comes.
    public enum Pace: Sendable, Hashable {
        /// At once.
        case immediate
        /// After the time that the recorded one took.
        case recorded
    }

    private let exchanges: [RecordedSession.Exchange]
    /// Where each recorded action is, for lenient matching.
    private let positions: [Action: [Int]]
    /// How many of an action's positions have been played.
    private var playedCounts: [Action: Int] = [:]
    /// The first exchange that hasn't been played, for strict matching.
    private var next = 0
    private let matching: Matching
    private let pace: Pace
    private let stream: EventStream?
    private let sessionID: String
    private let status: RuntimeStatusHub
    private var played: Set<Int> = []
    private var mismatch: ReplayMismatch?
    private var loop: Task<Void, Never>?

    /// Makes a runtime that plays a session.
    ///
    /// - Parameters:
    ///   - session: its actions that a runtime performs, and their observations; others are passed over.
    ///   - matching: which observation answers an action.
    ///   - pace: when it does.
    ///   - eventStream: where actions come from and observations go; nil for ``execute(_:)`` only.
    ///   - statusCallback: called for each status update, in order.
    public init(
        _ session: RecordedSession,
        matching: Matching = .strict,
        pace: Pace = .immediate,
        eventStream: EventStream? = nil,
        statusCallback: RuntimeStatusCallback? = nil
    ) {
        let exchanges = session.exchanges.filter { exchange in
            guard case .perform? = exchange.action.action?.disposition else { return false }
            return exchange.observation != nil
        }
        var positions: [Action: [Int]] = [:]
        if matching == .lenient {
            for (index, exchange) in exchanges.enumerated() {
                if let action = exchange.action.action { positions[action, default: []].append(index) }
            }
        }
        self.exchanges = exchanges
        self.positions = positions
        self.matching = matching
        self.pace = pace
        stream = eventStream
        sessionID = "replay"
        status = RuntimeStatusHub(callback: statusCallback)
    }

    /// The status updates from now on.
    public nonisolated var statusUpdates: AsyncStream<RuntimeStatusUpdate> { status.updates }

    /// Begins to answer the actions of the stream.
    public func connect() async throws {
        guard loop == nil else { throw RuntimeError.cannotConnect(reason: "it is connected, or was closed") }
        status.publish(RuntimeStatusUpdate(.ready))
        guard let stream else { return }
        let actionLoop = ActionLoop(stream: stream, runtime: self, sessionID: sessionID)
        loop = Task { [status] in
            do {
                try await actionLoop.run()
            } catch {
                status.publish(RuntimeStatusUpdate(.error, level: .error, message: "\(error)"))
            }
        }
    }

    /// Answers an action as it was answered when the session was recorded.
    ///
    /// - Throws: ``ReplayMismatch`` when the session has no answer; `CancellationError`.
    public func execute(_ invocation: ActionInvocation) async throws -> Observation {
        let index = try choose(invocation)
        played.insert(index)
        let exchange = exchanges[index]
        guard let answer = exchange.observation, let observation = answer.observation else {
            throw RuntimeError.unexpectedResponse(detail: "the recording has no observation")
        }
        if pace == .recorded {
            let seconds = answer.timestamp.secondsSince1970 - exchange.action.timestamp.secondsSince1970
            try await Task.sleep(for: .seconds(max(0, seconds)))
        }
        return observation
    }

    /// Ends the replay.
    public func close() async {
        loop?.cancel()
        await loop?.value
        status.publish(RuntimeStatusUpdate(.stopped))
        status.finish()
    }

    /// Where the actions first differed from the recorded ones.
    public var firstMismatch: ReplayMismatch? { mismatch }

    /// The events of the recorded actions that were not played.
    public var unplayed: [Event] {
        exchanges.indices.filter { !played.contains($0) }.map { exchanges[$0].action }
    }

    private func choose(_ invocation: ActionInvocation) throws(ReplayMismatch) -> Int {
        // A recording has secrets masked, as has the event of an action that is published now.
        let shown = invocation.event?.action ?? invocation.action
        switch matching {
        case .strict:
            // After a mismatch nothing can be in order: the first difference is the one to look at.
            if let mismatch { throw mismatch }
            let expected = next < exchanges.count ? exchanges[next].action : nil
            guard let recorded = expected?.action, recorded == invocation.action || recorded == shown else {
                throw note(ReplayMismatch(expected: expected, actual: shown))
            }
            next += 1
            return next - 1
        case .lenient:
            for action in [invocation.action, shown] {
                guard let positions = positions[action] else { continue }
                let count = playedCounts[action, default: 0]
                playedCounts[action] = count + 1
                return positions[min(count, positions.count - 1)]
            }
            throw note(ReplayMismatch(expected: nil, actual: shown))
        }
    }

    private func note(_ mismatch: ReplayMismatch) -> ReplayMismatch {
        self.mismatch = self.mismatch ?? mismatch
        return mismatch
    }
}

extension ReplayRuntime {
    /// Runs an agent loop on a recorded session, and checks that it does what was recorded.
    ///
    /// - Parameters:
    ///   - session: what was recorded.
    ///   - matching: how closely the loop must follow it.
    ///   - pace: when observations come.
    ///   - agent: the loop: publishes actions on the stream and reads observations from it.
    /// - Returns: what the agent returns.
    /// - Throws: ``ReplayMismatch`` at the first action that differs, and for recorded actions that strict matching found
    ///   missing at the end; else what the agent throws.
    @discardableResult
    public static func replay<Value: Sendable>(
        _ session: RecordedSession,
        matching: Matching = .strict,
        pace: Pace = .immediate,
        _ agent: (EventStream) async throws -> Value
    ) async throws -> Value {
        let stream = EventStream()
        let runtime = ReplayRuntime(session, matching: matching, pace: pace, eventStream: stream)
        try await runtime.connect()
        let result: Result<Value, any Error>
        do {
            result = .success(try await agent(stream))
        } catch {
            result = .failure(error)
        }
        await runtime.close()
        try await stream.close()
        // What the agent did wrong explains why it failed, more often than the other way round.
        if let mismatch = await runtime.firstMismatch { throw mismatch }
        let value = try result.get()
        if matching == .strict, let missing = await runtime.unplayed.first {
            throw ReplayMismatch(expected: missing, actual: nil)
        }
        return value
    }
}
