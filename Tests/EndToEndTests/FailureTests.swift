import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct FailureTests {
    /// Expects that a runtime can't be connected, tells why, and goes to the error status.
    private func failure<Failure: Error>(
        _ type: Failure.Type,
        of configuration: DockerRuntime.Configuration,
        in session: TestSession,
        statuses: [RuntimeStatus]
    ) async throws -> Failure {
        let recorder = StatusRecorder()
        let runtime = DockerRuntime(configuration: configuration, sessionID: session.id) { recorder.add($0) }
        let error = await #expect(throws: type) { try await runtime.connect() }
        #expect(recorder.statuses == statuses)
        #expect(recorder.updates.last?.level == .error)
        #expect(recorder.updates.last?.message == error.map { "\($0)" })
        await runtime.close()
        return try #require(error)
    }

    @Test("An image that isn't there: the error names it and says what to do")
    func missingImage() async throws {
        try await withSession { session in
            // A registry that refuses connections at once.
            let image = "localhost:1/nothing:latest"
            let error = try await failure(
                DockerRuntimeError.self,
                of: try session.configuration(image: image),
                in: session,
                statuses: [.starting, .building, .error]
            )
            guard case .imageUnavailable(image, let reason) = error else {
                Issue.record("the error is \(error)")
                return
            }
            #expect(reason.contains("refused"))
            #expect(error.description.contains("Check the name"))
        }
    }

    @Test("An engine that isn't there: the error names its endpoint and says what to do")
    func noEngine() async throws {
        try await withSession { session in
            var configuration = try session.configuration()
            configuration.endpoint = DockerEndpoint(.unix(path: "/nowhere/docker.sock"))
            let error = try await failure(
                DockerEngineError.self,
                of: configuration,
                in: session,
                statuses: [.starting, .error]
            )
            guard case .unreachable(let endpoint, _) = error else {
                Issue.record("the error is \(error)")
                return
            }
            #expect(endpoint == "unix:///nowhere/docker.sock")
            #expect(error.description.contains("is Docker installed and running?"))
        }
    }

    @Test("P10: a name that somebody else's container has: the error says so, and that container is left alone")
    func nameInUse() async throws {
        try await withSession { session in
            let name = "swift-docker-runtime-\(session.id)"
            var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["sleep", "1000"])
            request.host.networkMode = "none"
            let decoy = try await session.engine.createContainer(request, named: name).id
            try await session.engine.startContainer(decoy)
            let before = try await session.engine.inspectContainer(decoy)
            let error = try await failure(
                DockerRuntimeError.self,
                of: try session.configuration(),
                in: session,
                statuses: [.starting, .error]
            )
            #expect(error == .nameInUse(name: name))
            let after = try await session.engine.inspectContainer(decoy)
            #expect(after.state == before.state)
            try await session.engine.removeContainer(decoy, force: true)
        }
    }

    @Test("A container that ends at once: the error has the server's own words")
    func imageWithoutShell() async throws {
        try await withSession { session in
            var archive = TarArchive()
            archive.addDirectory("tmp", mode: 0o1777)
            let image = "swift-docker-runtime/\(session.id)"
            _ = try await session.engine.importImage(archive.body, repository: image, tag: "latest")
            let error = try await failure(
                DockerRuntimeError.self,
                of: try session.configuration(image: "\(image):latest"),
                in: session,
                statuses: [.starting, .started, .error]
            )
            guard case .containerExited(_, let code, let log) = error else {
                Issue.record("the error is \(error)")
                return
            }
            #expect(code == 1)
            #expect(log.contains("neither bash nor sh"))
            _ = try await session.engine.removeImage("\(image):latest")
        }
    }

    @Test("A server's program that isn't there: the error says what builds it")
    func missingProgram() async throws {
        try await withSession { session in
            var configuration = try session.configuration()
            configuration.serverBinary = "/nowhere/server"
            let error = try await failure(
                RuntimeError.self,
                of: configuration,
                in: session,
                statuses: [.starting, .error]
            )
            #expect(error == .serverBinaryNotFound(searched: ["/nowhere/server (no program)"]))
        }
    }

    @Test("A program that can't run in the container: the error says why, and nothing is left")
    func brokenProgram() async throws {
        try await withSession { session in
            try await withTemporaryDirectory { directory in
                // The head of a static program for another machine: 64-bit, no segments.
                let program = directory.appending(path: "server")
                let head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 57)
                // With an end of its own, so that its volume is nobody else's.
                try (Data(head) + Data(session.id.utf8)).write(to: program)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.serverBinary = program.path
                let error = try await failure(
                    DockerRuntimeError.self,
                    of: configuration,
                    in: session,
                    statuses: [.starting, .started, .error]
                )
                #expect(error.description.contains("exec format error"))
                // It is of no use to anybody.
                try await session.engine.removeVolume(try ServerVolume(binary: program.path).name)
            }
        }
    }
}
