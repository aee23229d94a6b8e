public import EventStream

/// Carries the actions of an event stream to a runtime, one after the other, and publishes what comes of them.
///
/// Each action gets one observation with its `cause` and tool-call metadata. Actions that nobody performs (messages,
/// state changes and the like) get none, as do those that wait for confirmation. What an earlier run left without an
/// observation is performed first, under the same idempotency key; only the first of these can have begun then, and it is
/// performed by a server that would know of that, else answered with an error.
public struct ActionLoop: Sendable {
    private let stream: EventStream
    private let runtime: any Runtime
    private let sessionID: String
    private let liveOutput: LiveOutputHub?

    /// Makes a loop; it does nothing until ``run()``.
    ///
    /// - Parameters:
    ///   - stream: where actions come from and observations go.
    ///   - runtime: what performs them; it must be connected when the loop runs.
    ///   - sessionID: names the stream's log in idempotency keys.
    public init(stream: EventStream, runtime: any Runtime, sessionID: String) {
        self.init(stream: stream, runtime: runtime, sessionID: sessionID, liveOutput: nil)
    }

    /// - Parameter liveOutput: gets the output of actions while they run.
    package init(stream: EventStream, runtime: any Runtime, sessionID: String, liveOutput: LiveOutputHub?) {
        self.stream = stream
        self.runtime = runtime
        self.sessionID = sessionID
        self.liveOutput = liveOutput
    }

    /// Runs until the stream is closed or the task is cancelled.
    ///
    /// An action under way is answered with an error then.
    ///
    /// - Throws: an error of the stream: the log can't be read, or the observation not be stored.
    public func run() async throws {
        // From here on every action is seen once: before this id by the search, from it on by the subscription.
        let seam = stream.nextID
        // The earlier run had actions performed one after the other.
        var mayHaveBegun = true
        for event in try await unanswered(before: seam) {
            if Task.isCancelled { return }
            let isOfEarlierRun = event.id < stream.recordedCount
            let wasPerformed = try await handle(event, isLeftOver: true, mayHaveBegun: mayHaveBegun && isOfEarlierRun)
            if wasPerformed { mayHaveBegun = false }
        }
        for try await event in stream.subscribe(from: seam, where: .actions) { try await handle(event) }
    }

    /// Actions that get an observation and have none yet, in order.
    private func unanswered(before seam: Int) async throws -> [Event] {
        guard seam > 0 else { return [] }
        var open: [Int: Event] = [:]
        // Page by page: a log may be larger than memory.
        for try await event in stream.subscribe(from: 0) {
            switch event.payload {
            case .action(let action):
                if case .ignore = action.disposition { break }
                open[event.id] = event
            case .observation:
                if let cause = event.cause { open[cause] = nil }
            }
            if event.id == seam - 1 { break }
        }
        return open.values.sorted { $0.id < $1.id }
    }

    /// - Returns: whether it was the runtime's to perform.
    @discardableResult
    private func handle(_ event: Event, isLeftOver: Bool = false, mayHaveBegun: Bool = false) async throws -> Bool {
        guard case .action(let action) = event.payload else { return false }
        let disposition = action.disposition
        let observation: Observation
        switch disposition {
        case .ignore: return false
        case .answer(let answer): observation = answer
        case .perform where isLeftOver && lacksSecrets(event):
            observation = .error(
                ErrorObservation(
                    content: "The action was not run: its secrets are not in the log, and it comes from an earlier run."
                )
            )
        case .perform: observation = await perform(event, action, mayHaveBegun: mayHaveBegun)
        }
        let wasPerformed = if case .perform = disposition { true } else { false }
        if case .null = observation { return wasPerformed }
        try await stream.publish(
            .observation(observation),
            source: event.source,
            cause: event.id,
            toolCallMetadata: event.toolCallMetadata
        )
        return wasPerformed
    }

    /// Whether the log has only the masked text of an action.
    private func lacksSecrets(_ event: Event) -> Bool {
        stream.unmaskedAction(for: event.id) == nil
            && String(decoding: event.jsonBytes(), as: UTF8.self).contains(EventStream.secretPlaceholder)
    }

    /// Performs an action as it was published: the log has its secrets masked, and the stream remembers them.
    private func perform(_ event: Event, _ masked: Action, mayHaveBegun: Bool) async -> Observation {
        let action = stream.unmaskedAction(for: event.id) ?? masked
        defer { stream.forgetUnmaskedAction(for: event.id) }
        var invocation = ActionInvocation(event: event, action: action, sessionID: sessionID)
        invocation.mayHaveBegun = mayHaveBegun
        do {
            return try await execute(invocation, event.id)
        } catch is CancellationError {
            return .error(
                ErrorObservation(
                    content: "The runtime was closed before the action ended; it may have taken effect in part."
                )
            )
        } catch {
            return .error(ErrorObservation(content: "\(error)"))
        }
    }
}

extension ActionLoop {
    /// Has the runtime perform an action, and tells those who watch of its output.
    private func execute(_ invocation: ActionInvocation, _ id: Int) async throws -> Observation {
        guard let liveOutput, liveOutput.hasListeners else { return try await runtime.execute(invocation) }
        var masker = stream.outputMasker()
        for try await update in runtime.updates(of: invocation) {
            switch update {
            case .output(let change):
                liveOutput.publish(LiveOutput(actionID: id, update: masker.mask(change)))
            case .observation(let observation):
                liveOutput.publish(LiveOutput(actionID: id, update: masker.finish()))
                return observation
            }
        }
        throw RuntimeError.unexpectedResponse(detail: "the action's updates ended without an observation")
    }
}

/// What a loop does with an action.
enum ActionDisposition {
    /// Has the runtime perform it.
    case perform
    /// Answers it without the runtime.
    case answer(Observation)
    /// Leaves it to others.
    case ignore
}

extension Action {
    /// What a loop does with the action (reference: `ActionExecutionClient.send_action_for_execution`).
    var disposition: ActionDisposition {
        switch self {
        case .run(let action): Self.disposition(action.confirmationState)
        case .runIPython(let action): Self.disposition(action.confirmationState)
        case .read, .write, .edit, .browse, .browseInteractive, .callToolMCP: .perform
        case .think: .answer(.think(ThinkObservation(content: "Your thought has been logged.")))
        case .message, .system, .finish, .reject, .delegate, .recall, .condensation, .condensationRequest,
            .taskTracking, .changeAgentState, .loopRecovery, .null:
            .ignore
        case .other(let action):
            .answer(.error(ErrorObservation(content: "Action \(action.kind) does not exist.")))
        }
    }

    private static func disposition(_ state: ConfirmationState) -> ActionDisposition {
        switch state {
        case .awaitingConfirmation: .ignore
        case .rejected:
            .answer(
                .userRejected(
                    UserRejectedObservation(
                        content: "Action has been rejected by the user! Waiting for further user input."
                    )
                )
            )
        default: .perform
        }
    }
}
