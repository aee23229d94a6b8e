import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import Foundation
import TestSupport
import Testing

/// Sandboxes on an engine that is reached by ssh.
@Suite(.timeLimit(.minutes(3)))
struct RemoteEngineTests {
    @Test("Behind ssh, a sandbox's port is reached by ssh too; with the runtime, every ssh ends")
    func ssh() async throws {
        try await SSHServer.run { server in
            try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                $0.endpoint = server.endpoint
            } _: { sandbox in
                let result = try await sandbox.stream.run("echo $((6 * 7))")
                #expect(result?.content == "42")
                let clients = try await server.clients()
                #expect(!clients.isEmpty)
            }
            try await until { try await server.clients().isEmpty }
        }
    }
}
