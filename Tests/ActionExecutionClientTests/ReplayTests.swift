import ActionExecutionClient
import EventStream
import Foundation
import Testing

/// A session that the reference recorded: 58 events of the kinds that a runtime performs and of others.
private func referenceSession() throws -> RecordedSession {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let fixture = tests.appendingPathComponent("EventStreamTests/Fixtures/openhands-0.62/sessions/fixture")
    return try RecordedSession(contentsOf: fixture.path)
}

/// Performs what the session's agent did, one action after the other, as an agent loop does.
private func followRecording(_ session: RecordedSession, on stream: EventStream) async throws -> [Event] {
    var answers: [Event] = []
    var observations = stream.subscribe(where: .observations).makeAsyncIterator()
    for exchange in session.exchanges where exchange.observation != nil && exchange.action.action?.isForRuntime == true
    {
        try await stream.publish(exchange.action.payload, source: exchange.action.source)
        if let answer = try await observations.next() { answers.append(answer) }
    }
    return answers
}

extension Action {
    fileprivate var isForRuntime: Bool {
        switch self {
        case .run, .runIPython, .read, .write, .edit, .browse, .browseInteractive, .callToolMCP: true
        default: false
        }
    }
}

@Suite("Replay")
struct ReplayTests {
    @Test("An agent loop is tested without a sandbox, in a few lines")
    func example() async throws {
        let session = RecordedSession(events: [
            Event(id: 0, timestamp: .now(), source: .agent, payload: .action(.run(CommandAction(command: "make")))),
            Event(
                id: 1,
                timestamp: .now(),
                source: .agent,
                cause: 0,
                payload: .observation(.run(CommandObservation(content: "2 errors", command: "make")))
            ),
        ])
        let output = try await ReplayRuntime.replay(session) { stream in
            let action = try await stream.publish(.action(.run(CommandAction(command: "make"))), source: .agent)
            for try await event in stream.subscribe(from: action.id + 1) where event.cause == action.id {
                guard case .run(let result)? = event.observation else { break }
                return result.content
            }
            return ""
        }
        #expect(output == "2 errors")
    }

    @Test("P12: a replay gives the recorded observations, byte for byte, a hundred times")
    func replayEqualsRecording() async throws {
        let session = try referenceSession()
        let recorded = session.exchanges.filter { $0.action.action?.isForRuntime == true }.compactMap(\.observation)
        #expect(recorded.count > 20)
        let expected = recorded.compactMap(\.observation).map { $0.json.serialized() }
        for _ in 0..<100 {
            let answers = try await ReplayRuntime.replay(session) { try await followRecording(session, on: $0) }
            #expect(answers.compactMap(\.observation).map { $0.json.serialized() } == expected)
        }
    }

    @Test("P12: strict replay ends at the first action that differs, and says where")
    func strictMismatch() async throws {
        let session = try referenceSession()
        let error = try await #require(throws: ReplayMismatch.self) {
            try await ReplayRuntime.replay(session) { stream in
                let action = Action.run(CommandAction(command: "cd /workspace/elsewhere && pwd"))
                try await stream.publish(.action(action), source: .agent)
                for try await _ in stream.subscribe(from: 1, where: .observations) { break }
            }
        }
        #expect(error.expected?.id == 3)
        #expect(error.description.contains("args.command: expected"))
        #expect(error.description.contains("/workspace/demo && pwd"))
        #expect(error.description.contains("/workspace/elsewhere && pwd"))
    }

    @Test("P12: strict replay tells of recorded actions that the agent left out")
    func strictMissing() async throws {
        let session = try referenceSession()
        let error = try await #require(throws: ReplayMismatch.self) { try await ReplayRuntime.replay(session) { _ in } }
        #expect(error.expected?.id == 3)
        #expect(error.actual == nil)
        #expect(error.description.contains("not performed"))
    }

    @Test("Lenient replay finds actions by content, in any order, and again")
    func lenient() async throws {
        let session = try referenceSession()
        let runtime = ReplayRuntime(session, matching: .lenient)
        let actions = session.exchanges.compactMap(\.action.action).filter(\.isForRuntime)
        let last = try #require(actions.last)
        let first = try #require(actions.first)
        for action in [last, first, last] {
            let observation = try await runtime.execute(action)
            let recorded = session.exchanges.last { $0.action.action == action }?.observation?.observation
            #expect(observation == recorded)
        }
        await #expect(throws: ReplayMismatch.self) {
            try await runtime.execute(.run(CommandAction(command: "something else")))
        }
        await runtime.close()
    }

    @Test(
        "A long session is replayed in one pass, equal actions in the order of their observations",
        arguments: [ReplayRuntime.Matching.strict, .lenient]
    )
    func long(matching: ReplayRuntime.Matching) async throws {
        let stream = EventStream()
        for index in 0..<10_000 {
            let command = index % 3 == 0 ? "date" : "echo \(index % 7)"
            let action = try await stream.publish(.run(CommandAction(command: command)))
            try await stream.publish(.run(CommandObservation(content: "\(index)", command: command)), cause: action.id)
        }
        let session = try stream.recordedSession()
        let runtime = ReplayRuntime(session, matching: matching)
        for (index, exchange) in session.exchanges.enumerated() {
            let action = try #require(exchange.action.action)
            guard case .run(let run) = try await runtime.execute(action) else {
                Issue.record("answered otherwise")
                return
            }
            #expect(run.content == "\(index)")
        }
        #expect(await runtime.unplayed.isEmpty)
        await runtime.close()
    }

    @Test("Closing ends a wait at the recorded pace, and the action gets its one answer", .timeLimit(.minutes(1)))
    func closedWhileWaiting() async throws {
        let start = Timestamp.now()
        var end = start
        end.wallMicroseconds += 24 * 3_600_000_000
        let action = Action.run(CommandAction(command: "make"))
        let answer = Observation.run(CommandObservation(command: "make"))
        let session = RecordedSession(events: [
            Event(id: 0, timestamp: start, source: .agent, payload: .action(action)),
            Event(id: 1, timestamp: end, source: .agent, cause: 0, payload: .observation(answer)),
        ])
        let stream = EventStream()
        let runtime = ReplayRuntime(session, pace: .recorded, eventStream: stream)
        try await runtime.connect()
        // The loop runs once it has answered this.
        try await stream.publish(.think(ThinkAction(thought: "")))
        _ = try await stream.subscribe(from: 1, where: .observations).first { _ in true }
        let event = try await stream.publish(action)
        await runtime.close()
        let answers = try stream.events(where: .observations).filter { $0.cause == event.id }
        for answer in answers {
            guard case .error? = answer.observation else {
                Issue.record("answered with \(answer)")
                continue
            }
        }
        #expect(answers.count <= 1)
    }

    @Test("The recorded pace is kept")
    func recordedPace() async throws {
        let start = Timestamp.now()
        var end = start
        end.wallMicroseconds += 50_000
        let action = Action.run(CommandAction(command: "make"))
        let session = RecordedSession(events: [
            Event(id: 0, timestamp: start, source: .agent, payload: .action(action)),
            Event(
                id: 1,
                timestamp: end,
                source: .agent,
                cause: 0,
                payload: .observation(.run(CommandObservation(command: "make")))
            ),
        ])
        let runtime = ReplayRuntime(session, pace: .recorded)
        let before = ContinuousClock.now
        _ = try await runtime.execute(action)
        // A lower bound only: how much longer it takes is the machine's business.
        #expect(.now - before >= .milliseconds(50))
        await runtime.close()
    }
}

@Suite("Verification of recordings")
struct VerificationTests {
    /// A runtime that gives the recorded observations, changed.
    private struct ChangedRuntime: Runtime {
        let replay: ReplayRuntime
        let change: @Sendable (CommandObservation) -> CommandObservation

        var statusUpdates: AsyncStream<RuntimeStatusUpdate> { replay.statusUpdates }
        func connect() async throws { try await replay.connect() }
        func close() async { await replay.close() }
        func execute(_ invocation: ActionInvocation) async throws -> Observation {
            guard case .run(let run) = try await replay.execute(invocation) else { return .null(NullObservation()) }
            return .run(change(run))
        }
    }

    private func session(content: String) -> RecordedSession {
        RecordedSession(events: [
            Event(id: 0, timestamp: .now(), source: .agent, payload: .action(.run(CommandAction(command: "make")))),
            Event(
                id: 1,
                timestamp: .now(),
                source: .agent,
                cause: 0,
                payload: .observation(.run(CommandObservation(content: content, command: "make")))
            ),
        ])
    }

    private func verify(_ recorded: String, against content: String) async throws -> [ObservationDifference] {
        let session = session(content: recorded)
        let runtime = ChangedRuntime(replay: ReplayRuntime(session)) { run in
            var run = run
            run.content = content
            run.metadata.pid = 4711
            run.metadata.hostname = "elsewhere"
            return run
        }
        defer { Task { await runtime.close() } }
        return try await session.verify(against: runtime)
    }

    @Test(
        "What varies from run to run is no difference",
        arguments: [
            ("[1] 4711\nok", "[1] 815\nok"),
            ("3 tests in 0.12s", "3 tests in 14.90s"),
            ("wrote /tmp/tmp.Xa93", "wrote /tmp/tmp.bQ01"),
            ("wrote /tmp/tmp.Xa93/a", "wrote /private/var/folders/x8/9_q0000gn/T/tmp.bQ01/a"),
            ("at 2026-11-22T19:54:38.031907", "at 2027-01-02T03:04:05"),
        ]
    )
    func variation(recorded: String, actual: String) async throws {
        #expect(try await verify(recorded, against: actual).isEmpty)
    }

    @Test("What doesn't is told with its place and both texts")
    func difference() async throws {
        let differences = try await verify("3 tests, 0 failures", against: "3 tests, 1 failures")
        let difference = try #require(differences.first)
        #expect(differences.count == 1)
        #expect(difference.action.id == 0)
        #expect(difference.description.contains("content: expected \"3 tests, 0 failures\""))
        #expect(difference.description.contains("but got \"3 tests, 1 failures\""))
    }

    @Test("An action that can't be performed is a difference with its reason")
    func failure() async throws {
        let differences = try await session(content: "x").verify(against: ReplayRuntime(RecordedSession(events: [])))
        #expect(differences.count == 1)
        #expect(differences.first?.actual == nil)
        #expect(differences.first?.details.first?.contains("no such action") == true)
    }
}

@Suite("Replay of a session with secrets")
struct ReplaySecretTests {
    /// A session whose agent used a secret.
    private func recording() async throws -> RecordedSession {
        let stream = EventStream()
        stream.setSecrets(["TOKEN": "s3cr3t"])
        let action = try await stream.publish(.run(CommandAction(command: "login s3cr3t")))
        try await stream.publish(
            .run(CommandObservation(content: "hi s3cr3t", command: "login s3cr3t")),
            cause: action.id
        )
        return try stream.recordedSession()
    }

    @Test(
        "An action with a secret matches the recorded one that has it masked",
        arguments: [ReplayRuntime.Matching.strict, .lenient]
    )
    func matches(matching: ReplayRuntime.Matching) async throws {
        let answers = try await ReplayRuntime.replay(try await recording(), matching: matching) { stream in
            stream.setSecrets(["TOKEN": "s3cr3t"])
            let action = try await stream.publish(.run(CommandAction(command: "login s3cr3t")))
            return try await stream.subscribe(from: action.id + 1).first { $0.cause == action.id }
        }
        guard case .run(let run)? = answers?.observation else {
            Issue.record("answered with \(String(describing: answers))")
            return
        }
        #expect(run.content == "hi <secret_hidden>")
    }

    @Test("A mismatch doesn't show a secret")
    func mismatch() async throws {
        let session = try await recording()
        let error = try await #require(throws: ReplayMismatch.self) {
            try await ReplayRuntime.replay(session) { stream in
                stream.setSecrets(["TOKEN": "s3cr3t"])
                let action = try await stream.publish(.run(CommandAction(command: "logout s3cr3t")))
                _ = try await stream.subscribe(from: action.id + 1).first { $0.cause == action.id }
            }
        }
        #expect(error.description.contains("logout <secret_hidden>"))
        #expect(!error.description.contains("s3cr3t"))
    }
}
