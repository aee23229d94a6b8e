#if os(Linux)
import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct EngineRestartTests {
    /// Lends a connected runtime on an engine that may be killed.
    private func withRuntime(
        restoresLive: Bool,
        keepsContainer: Bool,
        _ body: (TestEngine, ConnectedRuntime) async throws -> Void
    ) async throws {
        let source = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { source.close() }
        try await TestEngine.withEngine(restoresLive: restoresLive, from: source) { engine in
            let session = TestSession(engine: engine.client)
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.endpoint = engine.endpoint
            configuration.closing.keepsContainer = keepsContainer
            // It has no bridge.
            configuration.usesHostNetwork = true
            let (stream, statuses) = (EventStream(), StatusRecorder())
            let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: session.id) {
                statuses.add($0)
            }
            let result: Result<Void, any Error>
            do {
                try await runtime.connect()
                let connected = ConnectedRuntime(
                    session: session,
                    runtime: runtime,
                    stream: stream,
                    statuses: statuses
                )
                result = .success(try await body(engine, connected))
            } catch {
                result = .failure(error)
            }
            await runtime.close()
            try await stream.close()
            try await DockerRuntime.delete(sessionID: session.id, endpoint: engine.endpoint)
            let left = try await session.containers()
            #expect(left.isEmpty)
            try result.get()
        }
    }

    @Test("P8: an engine that is killed and started again during a command doesn't disturb it, if it may live on")
    func restored() async throws {
        try await withRuntime(restoresLive: true, keepsContainer: true) { engine, sandbox in
            let command = "echo run >> count; touch begun; until [ -e go ]; do sleep 0.05; done; cat count"
            let action = try await sandbox.stream.publish(.run(CommandAction(command: command, blocking: true)))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            await engine.stop(signal: "KILL")
            try await engine.start()
            try await sandbox.runtime.execute(.write(FileWriteAction(path: "/workspace/go", content: "")), timeout: 10)
                .expectNoError()
            guard case .run(let result)? = try await sandbox.stream.answer(to: action)?.observation else {
                Issue.record("not a command's observation")
                return
            }
            #expect(result.content == "run")
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
            #expect(sandbox.statuses.statuses == [.starting, .started, .ready])

            // What happens on the new engine is told too.
            try await engine.client.pauseContainer(sandbox.runtime.containerName)
            try await until { sandbox.statuses.updates.last?.status == .stopped }
            try await engine.client.unpauseContainer(sandbox.runtime.containerName)
            try await until { sandbox.statuses.updates.last?.status == .ready }
            #expect(try await sandbox.stream.run("cat count")?.content == "run")
        }
    }

    @Test("P8: an engine that is killed during a command, and ends the container when it is back: one answer")
    func notRestored() async throws {
        try await withRuntime(restoresLive: false, keepsContainer: false) { engine, sandbox in
            let command = "touch begun; sleep 1000"
            let action = try await sandbox.stream.publish(.run(CommandAction(command: command, blocking: true)))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            await engine.stop(signal: "KILL")
            try await engine.start()
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error != nil)
            try await until { sandbox.statuses.updates.last?.status == .disconnected }
            let next = try await sandbox.stream.perform(.run(CommandAction(command: "true")))
            #expect(next?.error?.contains("disconnected") == true)
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
        }
    }
}
#endif
