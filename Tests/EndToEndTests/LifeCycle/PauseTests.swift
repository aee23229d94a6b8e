import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct PauseTests {
    @Test("P8: a container that somebody pauses at work answers the action once, refuses the next, and goes on later")
    func pausedByOthers() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let engine = sandbox.session.engine
            let command = "touch begun; until [ -e go ]; do sleep 0.05; done; echo run >> count"
            let action = try await sandbox.stream.publish(.run(CommandAction(command: command)), timeout: 1000)
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await engine.pauseContainer(sandbox.runtime.containerName)
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error == RuntimeError.paused(hasBegun: true).description)
            let next = try await sandbox.stream.perform(.run(CommandAction(command: "echo next >> count")))
            #expect(next?.error == RuntimeError.paused(hasBegun: false).description)
            #expect(sandbox.statuses.updates.last?.status == .stopped)
            #expect(sandbox.statuses.updates.last?.level == .warning)

            try await engine.unpauseContainer(sandbox.runtime.containerName)
            try await until { sandbox.statuses.updates.last?.status == .ready }
            // The command is where it was.
            try await sandbox.runtime.execute(
                .write(FileWriteAction(path: "/workspace/go", content: "")),
                timeout: 10
            ).expectNoError()
            #expect(try await sandbox.stream.run("cat count")?.content == "run")
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
            #expect(sandbox.statuses.statuses == [.starting, .started, .ready, .stopped, .ready])
        }
    }

    @Test("A sandbox that is paused and resumed has the shell that it had, also when its lease would have run out")
    func frozen() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.lease = 2
        } _: { sandbox in
            #expect(try await sandbox.stream.run("kept=here; cd /tmp")?.metadata.exitCode == 0)
            try await sandbox.runtime.pause()
            try await sandbox.runtime.pause()
            let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
            #expect(inspection.state.isPaused)
            try await until { sandbox.statuses.updates.last?.status == .stopped }
            let paused = ContinuousClock.now
            try await until { .now - paused > .seconds(3) }
            try await sandbox.runtime.resume()
            try await sandbox.runtime.resume()
            #expect(try await sandbox.stream.run("echo $kept $PWD")?.content == "here /tmp")
        }
    }

    @Test("A container that was frozen by others for longer than its lease lives on")
    func frozenBeyondLease() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.lease = 2
        } _: { sandbox in
            try await sandbox.session.engine.pauseContainer(sandbox.runtime.containerName)
            let paused = ContinuousClock.now
            try await until { .now - paused > .seconds(5) }
            try await sandbox.session.engine.unpauseContainer(sandbox.runtime.containerName)
            try await until { sandbox.statuses.updates.last?.status == .ready }
            #expect(try await sandbox.stream.run("echo alive")?.content == "alive")
        }
    }

    @Test("A kept sandbox is stopped when it is paused, and started again with its files and environment")
    func stopped() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.closing.keepsContainer = true
            $0.initialEnvironment = ["INITIAL": "value"]
        } _: { sandbox in
            #expect(try await sandbox.stream.run("echo kept > file; echo $INITIAL")?.content == "value")
            try await sandbox.runtime.pause()
            #expect(try await sandbox.session.containers().map(\.status) == [.exited])
            let refused = try await sandbox.stream.perform(.run(CommandAction(command: "echo run >> file")))
            #expect(refused?.error == RuntimeError.paused(hasBegun: false).description)
            try await sandbox.runtime.resume()
            #expect(try await sandbox.stream.run("cat file; echo $INITIAL")?.content == "kept\nvalue")
            #expect(
                sandbox.statuses.statuses == [.starting, .started, .ready, .stopped, .starting, .started, .ready]
            )
            #expect(sandbox.statuses.updates.allSatisfy { $0.level == .info })
            await sandbox.runtime.close()
            try await DockerRuntime.delete(sessionID: sandbox.session.id)
        }
    }

    @Test(
        "A sandbox that is closed while it is paused is left stopped, or removed, without complaint",
        arguments: [true, false]
    )
    func closedWhilePaused(isKept: Bool) async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.closing.keepsContainer = isKept
        } _: { sandbox in
            try await sandbox.runtime.pause()
            await sandbox.runtime.close()
            #expect(try await sandbox.session.containers().map(\.status) == (isKept ? [.exited] : []))
            #expect(sandbox.statuses.updates.last == RuntimeStatusUpdate(.stopped))
            try await DockerRuntime.delete(sessionID: sandbox.session.id)
        }
    }

    @Test("P8: a command under way when its sandbox is stopped is answered once")
    func stoppedAtWork() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.closing.keepsContainer = true
            $0.closing.stopTime = 1
        } _: { sandbox in
            let command = CommandAction(command: "touch begun; sleep 1000")
            let action = try await sandbox.stream.publish(.run(command))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await sandbox.runtime.pause()
            #expect(try await sandbox.stream.answer(to: action)?.observation?.error != nil)
            try await sandbox.runtime.resume()
            #expect(try await sandbox.stream.run("ls")?.content == "begun")
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
            try await DockerRuntime.delete(sessionID: sandbox.session.id)
        }
    }

    @Test("P8: a kept container that is killed is told of, and resuming starts it again")
    func killed() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.closing.keepsContainer = true
        } _: { sandbox in
            let action = try await sandbox.stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await sandbox.session.engine.killContainer(sandbox.runtime.containerName)
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error?.contains("somebody had the engine send it signal") == true)
            try await until { sandbox.statuses.updates.last?.status == .disconnected }
            try await sandbox.runtime.resume()
            #expect(try await sandbox.stream.run("ls")?.content == "begun")
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
            try await DockerRuntime.delete(sessionID: sandbox.session.id)
        }
    }

    @Test("Resuming a sandbox whose container is gone says so")
    func resumedTooLate() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            try await sandbox.session.engine.killContainer(sandbox.runtime.containerName)
            try await until { try await sandbox.session.containers().isEmpty }
            try await until { sandbox.statuses.updates.last?.status == .disconnected }
            await #expect(throws: RuntimeError.notFound(name: sandbox.runtime.containerName)) {
                try await sandbox.runtime.resume()
            }
        }
    }
}

extension Observation {
    /// Records an issue if it is an error.
    func expectNoError(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(error == nil, sourceLocation: sourceLocation)
    }
}
