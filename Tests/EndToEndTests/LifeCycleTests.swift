import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct LifeCycleTests {
    @Test("The statuses come in order, to callbacks and sequences alike")
    func statuses() async throws {
        try await withSession { session in
            let recorder = StatusRecorder()
            let runtime = DockerRuntime(configuration: try session.configuration(), sessionID: session.id) {
                recorder.add($0)
            }
            let sequence = runtime.statusUpdates
            try await runtime.connect()
            #expect(try await session.containers().map(\.names) == [[runtime.containerName]])
            await runtime.close()
            let updates = await sequence.reduce(into: []) { $0.append($1) }
            #expect(updates.map(\.status) == [.starting, .started, .ready, .stopped])
            #expect(updates.allSatisfy { $0.level == .info })
            #expect(recorder.updates == updates)
        }
    }

    @Test("A runtime that was closed says so, and can't be connected again")
    func afterClose() async throws {
        try await withSession { session in
            let runtime = DockerRuntime(configuration: try session.configuration(), sessionID: session.id)
            await #expect(throws: RuntimeError.notConnected(operation: "execute()")) {
                try await runtime.execute(.run(CommandAction(command: "true")))
            }
            try await runtime.connect()
            await #expect(throws: RuntimeError.self) { try await runtime.connect() }
            async let first: Void = runtime.close()
            await runtime.close()
            // Also the second to close finds the container gone.
            #expect(try await session.containers().isEmpty)
            await first
            await #expect(throws: RuntimeError.disconnected(reason: "it was closed")) {
                try await runtime.execute(.run(CommandAction(command: "true")))
            }
            await #expect(throws: RuntimeError.self) { try await runtime.connect() }
        }
    }

    @Test("P8: closing during a command answers it once, and the container is gone")
    func closeDuringCommand() async throws {
        try await withRuntime { sandbox in
            let action = try await sandbox.stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            await sandbox.runtime.close()
            let containers = try await sandbox.session.containers()
            #expect(containers.isEmpty)
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
            #expect(answers.first?.error?.contains("closed before the action ended") == true)
        }
    }

    @Test(
        "P8: a server that is killed at work answers the action once, and those after it; the runtime is disconnected"
    )
    func serverKilled() async throws {
        try await withRuntime { sandbox in
            let disconnected = Task { [updates = sandbox.runtime.statusUpdates] in
                await updates.first { $0.status == .disconnected }
            }
            let action = try await sandbox.stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await sandbox.session.engine.killContainer(sandbox.runtime.containerName)

            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error?.contains("ended with exit code 137") == true)
            let update = await disconnected.value
            #expect(update?.level == .error)
            #expect(update?.message.contains(sandbox.runtime.containerName) == true)
            let next = try await sandbox.stream.perform(.run(CommandAction(command: "true")))
            #expect(next?.error?.contains("disconnected") == true)
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)

            // The engine removes it, nobody else.
            try await until { try await sandbox.session.containers().isEmpty }
            await sandbox.runtime.close()
            #expect(sandbox.statuses.statuses == [.starting, .started, .ready, .disconnected, .stopped])
        }
    }

    @Test("P8: a container that somebody removes at work answers the action once")
    func containerRemoved() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let action = try await sandbox.stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await sandbox.session.engine.removeContainer(sandbox.runtime.containerName, force: true)
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error?.contains("disconnected") == true)
        }
    }

    @Test("P8: a server that is asked to end answers what is under way")
    func serverTerminated() async throws {
        try await withRuntime { sandbox in
            let action = try await sandbox.stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await sandbox.session.engine.killContainer(sandbox.runtime.containerName, signal: "SIGTERM")
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error != nil)
            try await until { try await sandbox.session.containers().isEmpty }
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
        }
    }

    @Test("P9: cancelling or closing at any moment of connecting leaves nothing", arguments: 0..<12)
    func interruptedConnect(step: Int) async throws {
        try await withSession { session in
            let runtime = DockerRuntime(
                configuration: try session.configuration(image: TestEnvironment.imageWithoutBash),
                sessionID: session.id
            )
            let updates = runtime.statusUpdates
            let connecting = Task { try await runtime.connect() }
            switch step / 2 {
            case 0: break
            case 1: _ = await updates.first { $0.status == .starting }
            case 2: try await until { try await !session.containers().isEmpty }
            case 3: try await until { try await session.containers().first?.status == .running }
            case 4: _ = await updates.first { $0.status == .started }
            // Within the server's start.
            default: _ = await updates.first { $0.status == .started }; try await Task.sleep(for: .milliseconds(15))
            }
            if step.isMultiple(of: 2) {
                connecting.cancel()
                let result = await connecting.result
                let containers = try await session.containers()
                if case .failure(let error) = result {
                    #expect(error is CancellationError)
                    #expect(containers.isEmpty)
                }
                await runtime.close()
            } else {
                await runtime.close()
                let containers = try await session.containers()
                #expect(containers.isEmpty)
                // It may have been connected just before, or be closed before it began.
                if case .failure(let error) = await connecting.result {
                    #expect(error is CancellationError || error is RuntimeError)
                }
            }
        }
    }

    @Test("After a connect that was cancelled or failed, it may be tried again")
    func connectAgain() async throws {
        try await withSession { session in
            let recorder = StatusRecorder()
            let runtime = DockerRuntime(
                configuration: try session.configuration(image: TestEnvironment.imageWithoutBash),
                sessionID: session.id
            ) { recorder.add($0) }
            let cancelled = Task { try await runtime.connect() }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            try await runtime.connect()
            await runtime.close()
            #expect(recorder.statuses.suffix(5) == [.stopped, .starting, .started, .ready, .stopped])
        }
    }

    @Test("P9: a process that is killed at work leaves nothing: its container ends with its lease")
    func processKilled() async throws {
        try await withSession { session in
            await #expect(processExitsWith: .signal(SIGKILL)) { [id = session.id as String] in
                let session = TestSession(
                    id: id,
                    engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                )
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.lease = 10
                let stream = EventStream()
                let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: id)
                try await runtime.connect()
                // Nothing but the end of the command would end the request.
                try await stream.publish(.run(CommandAction(command: "touch begun; sleep 1000", blocking: true)))
                try await session.waitForFile("/workspace/begun", in: runtime)
                kill(getpid(), SIGKILL)
            }
            try await until { try await session.containers().isEmpty }
        }
    }

    @Test("A lease is renewed while the runtime lives, also during a command")
    func leaseRenewed() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            // Long enough for a start on a machine that has much else to do.
            $0.lease = 4
        } _: { sandbox in
            let result = try #require(try await sandbox.stream.run("sleep 9; echo done"))
            #expect(result.content == "done")
            #expect(sandbox.statuses.statuses == [.starting, .started, .ready])
        }
    }

    @Test("An engine that goes away doesn't stop the work; that the container could not be removed is told")
    func engineGone() async throws {
        try await withSession { session in
            guard case .unix(let path) = session.engine.endpoint.transport else {
                Issue.record("this test needs an engine on a Unix socket")
                return
            }
            let relay = try EngineRelay(to: path)
            defer { relay.stop() }
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.endpoint = DockerEndpoint(.tcp(host: "127.0.0.1", port: relay.port, tls: nil))
            configuration.lease = 10
            let (stream, recorder) = (EventStream(), StatusRecorder())
            let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: session.id) {
                recorder.add($0)
            }
            try await runtime.connect()
            relay.stop()
            #expect(try await stream.run("echo hi")?.content == "hi")
            await runtime.close()
            let last = try #require(recorder.updates.last)
            #expect(last.status == .stopped)
            #expect(last.level == .warning)
            #expect(last.message.contains("\(runtime.containerName) could not be removed"))
            // Its lease is what ends it.
            try await until { try await session.containers().isEmpty }
        }
    }
}
