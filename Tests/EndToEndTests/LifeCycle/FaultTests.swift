import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct FaultTests {
    @Test("A full disk in the container is told by what fails for it, and the sandbox goes on when there is room again")
    func diskFull() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            // All that the server and the shell could write to.
            $0.options.memoryFileSystems = ["/workspace": "size=64k", "/tmp": "size=64k"]
            $0.options.hasReadOnlyRoot = true
            $0.gitIdentity = nil
        } _: { sandbox in
            let fill = "for d in /workspace /tmp; do dd if=/dev/zero of=$d/filler bs=1k 2>&1; done; echo $((1 + 1))"
            let filled = try #require(try await sandbox.stream.run(fill, timeout: 30))
            #expect(filled.content.contains("No space left on device"))
            #expect(filled.content.hasSuffix("2"))
            let write = FileWriteAction(path: "/workspace/new", content: String(repeating: "x", count: 100_000))
            let refused = try await sandbox.stream.perform(.write(write))
            #expect(refused?.error?.contains("No space left on device") == true)
            // Much more than is kept in memory: the rest would go to a file.
            let long = try #require(try await sandbox.stream.run("seq 1 30000", timeout: 30))
            #expect(long.content.hasSuffix("30000"))
            #expect(try await sandbox.stream.run("rm /workspace/filler /tmp/filler; ls")?.content == "")
            try await sandbox.stream.perform(.write(FileWriteAction(path: "/workspace/new", content: "x")))?
                .expectNoError()
        }
    }

    @Test("P8: a command whose container is cut off the network is answered once, in its time; closing leaves nothing")
    func networkCut() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.transport = .tcp
        } _: { sandbox in
            let engine = sandbox.session.engine
            let command = CommandAction(command: "echo run >> count; touch begun; sleep 1000", blocking: true)
            let action = try await sandbox.stream.publish(.run(command), timeout: 10)
            try await sandbox.session.waitForFile("/workspace/begun", in: sandbox.runtime)
            try await engine.disconnectNetwork("bridge", container: sandbox.runtime.containerName)
            let answer = try await sandbox.stream.answer(to: action)?.observation
            #expect(answer?.error != nil)
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
        }
    }

    @Test("A sandbox whose image is removed meanwhile works on, and the next one can't be had")
    func imageRemoved() async throws {
        try await withSession { session in
            // Of a registry that refuses connections at once.
            let image = "localhost:1/\(session.id):latest"
            let original = try await session.engine.inspectImage(TestEnvironment.imageWithoutBash)
            try await session.engine.tagImage(original.id, repository: "localhost:1/\(session.id)", tag: "latest")
            let (stream, configuration) = (EventStream(), try session.configuration(image: image))
            let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: session.id)
            try await runtime.connect()
            _ = try await session.engine.removeImage(image, force: true)
            #expect(try await stream.run("echo alive")?.content == "alive")
            await runtime.close()
            let next = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: DockerRuntimeError.self) { try await next.connect() }
            guard case .imageUnavailable(image, _)? = error else {
                Issue.record("the error is \(String(describing: error))")
                return
            }
        }
    }

    @Test("P9: a container whose process doesn't heed SIGTERM is removed all the same, and stopped in its time")
    func deafContainer() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.closing.keepsContainer = true
            $0.closing.stopTime = 1
        } _: { sandbox in
            let engine = sandbox.session.engine
            // A stopped process acts on no signal but SIGKILL.
            try await engine.killContainer(sandbox.runtime.containerName, signal: "SIGSTOP")
            try await sandbox.runtime.pause()
            #expect(try await sandbox.session.containers().map(\.status) == [.exited])
            try await sandbox.runtime.resume()
            try await engine.killContainer(sandbox.runtime.containerName, signal: "SIGSTOP")
            try await DockerRuntime.delete(sessionID: sandbox.session.id)
            let containers = try await sandbox.session.containers()
            #expect(containers.isEmpty)
        }
    }

    @Test("P9: runtimes of several processes that start at once all work, each in its own container, and leave nothing")
    func manyAtOnce() async throws {
        try await withSession { session in
            let perProcess = 5
            await withTaskGroup { group in
                for process in 0..<4 {
                    group.addTask {
                        await #expect(processExitsWith: .success) {
                            [id = session.id as String, process = process as Int] in
                            let session = TestSession(
                                id: id,
                                engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                            )
                            let configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                            try await withThrowingTaskGroup { group in
                                for number in 0..<5 {
                                    group.addTask {
                                        let name = "\(id)-\(process)-\(number)"
                                        let runtime = DockerRuntime(configuration: configuration, sessionID: name)
                                        try await runtime.connect()
                                        let action = Action.run(CommandAction(command: "hostname; echo \(name)"))
                                        let observation = try await runtime.execute(action)
                                        await runtime.close()
                                        guard case .run(let result) = observation, result.content.hasSuffix(name)
                                        else { exit(3) }
                                    }
                                }
                                try await group.waitForAll()
                            }
                        }
                    }
                }
            }
            for process in 0..<4 {
                for number in 0..<perProcess {
                    let labels = ["swift-docker-runtime.session": "\(session.id)-\(process)-\(number)"]
                    let left = try await session.engine.listContainers(all: true, filters: .labels(labels))
                    #expect(left.isEmpty)
                }
            }
        }
    }
}
