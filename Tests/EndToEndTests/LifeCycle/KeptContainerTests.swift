import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct KeptContainerTests {
    /// Lends a session with a configuration whose containers are kept, and removes what it left.
    private func withKeptSession(
        _ body: (TestSession, DockerRuntime.Configuration) async throws -> Void
    ) async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.closing.keepsContainer = true
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(session, configuration))
            } catch {
                result = .failure(error)
            }
            try await DockerRuntime.delete(sessionID: session.id)
            try result.get()
        }
    }

    private func connected(
        _ configuration: DockerRuntime.Configuration,
        _ session: TestSession,
        attaches: Bool = false,
        statuses: StatusRecorder = StatusRecorder()
    ) async throws -> DockerRuntime {
        let runtime = DockerRuntime(
            configuration: configuration,
            sessionID: session.id,
            attachesToExisting: attaches
        ) { statuses.add($0) }
        try await runtime.connect()
        return runtime
    }

    private func output(_ command: String, _ runtime: DockerRuntime) async throws -> String? {
        guard case .run(let result) = try await runtime.execute(.run(CommandAction(command: command))) else {
            return nil
        }
        return result.content
    }

    @Test("A kept container runs on when its runtime is closed, and the next of its session has the same shell")
    func takenOver() async throws {
        try await withKeptSession { session, configuration in
            var configuration = configuration
            configuration.lease = 2
            let first = try await connected(configuration, session)
            #expect(try await output("kept=here", first) == "")
            await first.close()
            let closed = ContinuousClock.now
            try await until { .now - closed > .seconds(3) }
            #expect(try await session.containers().map(\.status) == [.running])
            let second = try await connected(configuration, session)
            #expect(try await output("echo $kept", second) == "here")
            await second.close()
        }
    }

    @Test("A kept container that is stopped at closing is started by the next runtime, with its files and another port")
    func stopped() async throws {
        try await withKeptSession { session, configuration in
            var configuration = configuration
            configuration.closing.stopsKeptContainer = true
            let first = try await connected(configuration, session)
            #expect(try await output("echo kept > file", first) == "")
            await first.close()
            #expect(try await session.containers().map(\.status) == [.exited])
            let second = try await connected(configuration, session)
            #expect(try await output("cat file", second) == "kept")
            await second.close()
        }
    }

    @Test("P9: a kept container whose process is killed stops with its lease, and keeps its files")
    func processKilled() async throws {
        try await withKeptSession { session, configuration in
            await #expect(processExitsWith: .signal(SIGKILL)) { [id = session.id as String] in
                let session = TestSession(
                    id: id,
                    engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                )
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.closing.keepsContainer = true
                configuration.lease = 3
                let runtime = DockerRuntime(configuration: configuration, sessionID: id)
                try await runtime.connect()
                _ = try await runtime.execute(.run(CommandAction(command: "echo kept > file")))
                kill(getpid(), SIGKILL)
            }
            try await until { try await session.containers().map(\.status) == [.exited] }
            // Nobody sweeps it away.
            try await OrphanSweep(engine: session.engine).run()
            let next = try await connected(configuration, session)
            #expect(try await output("cat file", next) == "kept")
            await next.close()
        }
    }

    @Test("Attaching to nothing: the error names it, and the status is that of a disconnection")
    func nothingToAttachTo() async throws {
        try await withSession { session in
            let statuses = StatusRecorder()
            let name = "swift-docker-runtime-\(session.id)"
            await #expect(throws: RuntimeError.notFound(name: name)) {
                _ = try await connected(
                    try session.configuration(),
                    session,
                    attaches: true,
                    statuses: statuses
                )
            }
            #expect(statuses.statuses == [.starting, .disconnected])
            #expect(statuses.updates.last?.level == .error)
        }
    }

    @Test("Who attaches works in the container beside its owner, and leaves it running")
    func attached() async throws {
        try await withKeptSession { session, configuration in
            let owner = try await connected(configuration, session)
            #expect(try await output("kept=here", owner) == "")
            let other = try await connected(
                try session.configuration(image: TestEnvironment.imageWithoutBash),
                session,
                attaches: true
            )
            #expect(try await output("echo $kept", other) == "here")
            await other.close()
            #expect(try await output("echo $kept", owner) == "here")
            await owner.close()
        }
    }

    @Test("A container whose key isn't known isn't attached to; with its key it is; a wrong one is refused at once")
    func keys() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.transport = .tcp
            let owner = try await connected(configuration, session)
            await #expect(throws: DockerRuntimeError.keyUnknown(name: owner.containerName)) {
                _ = try await connected(configuration, session, attaches: true)
            }
            configuration.sessionAPIKey = "not-the-right-key-at-all"
            await #expect(throws: RuntimeError.self) {
                _ = try await connected(configuration, session, attaches: true)
            }
            configuration.sessionAPIKey = try #require(await owner.sandbox?.client.endpoint.sessionAPIKey)
            let other = try await connected(configuration, session, attaches: true)
            #expect(try await output("echo attached", other) == "attached")
            await other.close()
            #expect(try await output("echo owned", owner) == "owned")
            await owner.close()
        }
    }

    @Test("P11: the key of a kept container is in nothing that the engine shows")
    func keyIsSecret() async throws {
        try await withKeptSession { session, configuration in
            let runtime = try await connected(configuration, session)
            let key = try #require(await runtime.sandbox?.client.endpoint.sessionAPIKey)
            let inspection = try await session.engine.inspectContainer(runtime.containerName)
            #expect(!"\(inspection)".contains(key))
            await runtime.close()
        }
    }

    @Test("P10: closing with all removes this process's sandboxes, and neither kept ones nor what others made")
    func allRemoved() async throws {
        try await withKeptSession { session, configuration in
            // Runs in a process of its own: other tests have sandboxes too.
            let decoy = try await decoyContainer(session)
            let kept = try await connected(configuration, session)
            await kept.close()
            await #expect(processExitsWith: .success) { [id = session.id as String] in
                let session = TestSession(
                    id: id,
                    engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                )
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.closing.removesAllContainers = true
                let runtimes = (1...2).map { DockerRuntime(configuration: configuration, sessionID: "\(id)-\($0)") }
                for runtime in runtimes { try await runtime.connect() }
                await runtimes[0].close()
                for number in 1...2 {
                    let labels = ["swift-docker-runtime.session": "\(id)-\(number)"]
                    let left = try await session.engine.listContainers(all: true, filters: .labels(labels))
                    #expect(left.isEmpty)
                }
                await runtimes[1].close()
            }
            let inspection = try await session.engine.inspectContainer(decoy)
            #expect(inspection.state.isRunning)
            #expect(try await session.containers().map(\.status) == [.running])
            try await session.engine.removeContainer(decoy, force: true)
        }
    }

    @Test("P10: deleting a session removes its container, and no other of like name or labels")
    func deleted() async throws {
        try await withSession { session in
            let decoy = try await decoyContainer(session)
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.closing.keepsContainer = true
            let runtime = try await connected(configuration, session)
            await runtime.close()
            let removed = try await DockerRuntime.delete(sessionID: session.id)
            #expect(removed == [runtime.containerName])
            #expect(try await DockerRuntime.delete(sessionID: session.id).isEmpty)
            let inspection = try await session.engine.inspectContainer(decoy)
            #expect(inspection.state.isRunning)
            try await session.engine.removeContainer(decoy, force: true)
        }
    }

    /// A container of somebody else that looks much like ours.
    private func decoyContainer(_ session: TestSession) async throws -> String {
        var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["sleep", "1000"])
        request.host.networkMode = "none"
        request.configuration.labels = ["swift-docker-runtime.role": "sandbox"]
        let name = "swift-docker-runtime-\(session.id)-decoy"
        let decoy = try await session.engine.createContainer(request, named: name).id
        try await session.engine.startContainer(decoy)
        return decoy
    }
}
