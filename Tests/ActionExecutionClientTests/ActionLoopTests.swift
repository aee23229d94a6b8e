import ActionExecutionClient
import EventStream
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ActionLoopTests {
    private static let command = Action.run(CommandAction(command: "true"))

    /// Runs a loop on a stream while `body` runs.
    private func withLoop(
        on stream: EventStream,
        _ runtime: ScriptedRuntime,
        _ body: () async throws -> Void
    ) async throws {
        let loop = ActionLoop(stream: stream, runtime: runtime, sessionID: "s")
        let task = Task { try await loop.run() }
        do {
            try await body()
        } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
    }

    @Test("An observation names its action and carries over source and tool-call metadata")
    func carriedOver() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            let metadata: JSONValue = ["tool_call_id": "call_1"]
            for source in [EventSource.agent, .user] {
                let action = try await stream.publish(
                    .action(Self.command),
                    source: source,
                    timeout: 7,
                    toolCallMetadata: metadata
                )
                let answer = try #require(try await stream.answer(to: action))
                #expect(answer.cause == action.id)
                #expect(answer.source == source)
                #expect(answer.toolCallMetadata == metadata)
                #expect(answer.observation == .success(SuccessObservation(content: "s/\(action.id)")))
            }
        }
        #expect(runtime.asked.map(\.timeout) == [7, 7])
        #expect(runtime.asked.compactMap(\.event?.id) == [0, 2])
    }

    @Test("Actions are performed one after the other, in order, each once")
    func order() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            var last: Event?
            for number in 0..<200 {
                last = try await stream.publish(.run(CommandAction(command: "echo \(number)")))
            }
            _ = try await stream.answer(to: #require(last))
        }
        let commands = try stream.events(where: .actions).compactMap(\.action)
        #expect(runtime.asked.map(\.action) == commands)
        let causes = try stream.events(where: .observations).compactMap(\.cause)
        #expect(causes == (try stream.events(where: .actions).map(\.id)))
    }

    @Test("A null observation is not published")
    func nullObservation() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime { invocation in
            invocation.event?.id == 0 ? .null(NullObservation()) : .success(SuccessObservation())
        }
        try await withLoop(on: stream, runtime) {
            try await stream.publish(Self.command)
            _ = try await stream.answer(to: stream.publish(Self.command))
        }
        #expect(runtime.asked.count == 2)
        #expect(try stream.events(where: .observations).map(\.cause) == [1])
    }

    @Test("An action that awaits confirmation is not run, and not answered")
    func awaitingConfirmation() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            for action: Action in [
                .run(CommandAction(command: "rm -rf /", confirmationState: .awaitingConfirmation)),
                .runIPython(IPythonAction(code: "1", confirmationState: .awaitingConfirmation)),
            ] {
                try await stream.publish(action)
            }
            _ = try await stream.answer(to: stream.publish(Self.command))
        }
        #expect(runtime.asked.map(\.action) == [Self.command])
        #expect(try stream.events(where: .observations).map(\.cause) == [2])
    }

    @Test("A rejected action is answered as the reference does, and not run")
    func rejected() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            let action = CommandAction(command: "rm -rf /", confirmationState: .rejected)
            let text = "Action has been rejected by the user! Waiting for further user input."
            let answer = try await stream.perform(.run(action))
            #expect(answer == .userRejected(UserRejectedObservation(content: text)))
        }
        #expect(runtime.asked.isEmpty)
    }

    @Test("A thought is answered without the runtime")
    func thought() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            let answer = try await stream.perform(.think(ThinkAction(thought: "Hm.")))
            #expect(answer == .think(ThinkObservation(content: "Your thought has been logged.")))
        }
        #expect(runtime.asked.isEmpty)
    }

    @Test("An action of an unknown kind is answered with an error")
    func unknownKind() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            let answer = try await stream.perform(.other(OtherAction(kind: "levitate")))
            #expect(answer == .error(ErrorObservation(content: "Action levitate does not exist.")))
        }
        #expect(runtime.asked.isEmpty)
    }

    @Test("What no runtime performs is neither run nor answered")
    func ignoredActions() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            for action: Action in [
                .message(MessageAction(content: "Hello")), .finish(FinishAction()), .null(NullAction()),
                .changeAgentState(ChangeAgentStateAction(agentState: "running")),
            ] {
                try await stream.publish(action)
            }
            _ = try await stream.answer(to: stream.publish(Self.command))
        }
        #expect(runtime.asked.count == 1)
        #expect(try stream.events(where: .observations).map(\.cause) == [4])
    }

    @Test("A runtime's failure answers its action, and the actions after it are answered too")
    func failures() async throws {
        let stream = EventStream()
        let runtime = ScriptedRuntime { _ in throw RuntimeError.disconnected(reason: "gone") }
        try await withLoop(on: stream, runtime) {
            for _ in 0..<3 {
                let answer = try await stream.perform(Self.command)
                #expect(answer == .error(ErrorObservation(content: "The runtime is disconnected: gone")))
            }
        }
        #expect(try stream.events(where: .observations).map(\.cause) == [0, 2, 4])
    }

    @Test("Actions that an earlier run left unanswered come first, in order, with the same keys; answered ones don't")
    func unansweredActions() async throws {
        let stream = EventStream()
        try await stream.publish(.run(CommandAction(command: "answered")))
        try await stream.publish(.success(SuccessObservation()), cause: 0)
        try await stream.publish(.run(CommandAction(command: "first")))
        try await stream.publish(.think(ThinkAction(thought: "second")))
        try await stream.publish(.message(MessageAction(content: "nobody's")))
        try await stream.publish(.run(CommandAction(command: "third")))
        let runtime = ScriptedRuntime()
        try await withLoop(on: stream, runtime) {
            _ = try await stream.answer(to: stream.publish(.run(CommandAction(command: "new"))))
        }
        #expect(runtime.asked.map(\.idempotencyKey) == ["s/2", "s/5", "s/6"])
        #expect(try stream.events(in: 7..<stream.nextID, where: .observations).map(\.cause) == [2, 3, 5, 6])
    }

    @Test("Every action published around the loop's start gets one observation")
    func startAmongActions() async throws {
        for _ in 0..<50 {
            let stream = EventStream()
            let publishing = Task {
                for _ in 0..<40 { try await stream.publish(Self.command) }
            }
            try await withLoop(on: stream, ScriptedRuntime()) {
                try await publishing.value
                _ = try await stream.answer(to: stream.publish(Self.command))
            }
            let causes = try stream.events(where: .observations).compactMap(\.cause)
            #expect(causes == (try stream.events(where: .actions).map(\.id)))
        }
    }

    @Test("Cancelling the loop answers the action under way, and leaves those after it to the next run")
    func cancellation() async throws {
        let stream = EventStream()
        let hasBegun = OneShot<Void>()
        let runtime = ScriptedRuntime { _ in
            hasBegun.set(())
            try await OneShot<Void>().wait()
            return .success(SuccessObservation())
        }
        let action = try await stream.publish(Self.command)
        let next = try await stream.publish(Self.command)
        let loop = ActionLoop(stream: stream, runtime: runtime, sessionID: "s")
        let running = Task { try await loop.run() }
        try await hasBegun.wait()
        running.cancel()
        try await running.value

        let answers = try stream.answers(to: action)
        guard case .error(let error)? = answers.first else {
            Issue.record("answered with \(answers)")
            return
        }
        #expect(answers.count == 1)
        #expect(error.content.contains("closed before the action ended"))
        #expect(try stream.answers(to: next).isEmpty)
        #expect(runtime.asked.count == 1)
    }

    @Test("The loop ends when the stream is closed")
    func closedStream() async throws {
        let stream = EventStream()
        let loop = ActionLoop(stream: stream, runtime: ScriptedRuntime(), sessionID: "s")
        let running = Task { try await loop.run() }
        #expect(try await stream.perform(Self.command) != nil)
        try await stream.close()
        try await running.value
    }
}
