import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct SnapshotTests {
    @Test("A sandbox is forked: both have its files, then each its own; the image is no server's, and has no key")
    func fork() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let commands = "echo common > file; chmod 600 file; mkdir -p /opt/made; NAME=shell; sleep 1000 &"
            #expect(try await sandbox.stream.run(commands)?.metadata.exitCode == 0)
            let snapshot = try await sandbox.runtime.snapshot(comment: "before \"it\" gets $HARD")
            let key = try #require(await sandbox.runtime.sandbox?.client.endpoint.sessionAPIKey)
            let result: Result<Void, any Error>
            do {
                result = .success(try await expectFork(of: sandbox, snapshot, key: key))
            } catch {
                result = .failure(error)
            }
            try await DockerRuntime.removeSnapshot(snapshot)
            try await DockerRuntime.removeSnapshot(snapshot)
            #expect(try await !sandbox.session.engine.imageExists(snapshot.imageID))
            try result.get()
        }
    }

    private func expectFork(of sandbox: ConnectedRuntime, _ snapshot: SandboxSnapshot, key: String) async throws {
        #expect(try await sandbox.stream.run("echo $NAME; echo original >> file")?.content == "shell")
        #expect(try await DockerRuntime.snapshots(ofSession: sandbox.session.id) == [snapshot])
        #expect(try await DockerRuntime.snapshots().contains(snapshot))

        let engine = sandbox.session.engine
        let image = try await engine.inspectImage(snapshot.imageID)
        let base = try await engine.inspectImage(TestEnvironment.imageWithoutBash)
        #expect(image.configuration?.command == base.configuration?.command ?? ["/bin/sh"])
        #expect(image.configuration?.entrypoint ?? [] == base.configuration?.entrypoint ?? [])
        #expect(image.configuration?.labels?["swift-docker-runtime.owner"] == "")
        #expect(!String(reflecting: image).contains(key))

        try await withRuntime(image: snapshot.imageID) { fork in
            let seen = try await fork.stream.run(
                "cat file; stat -c %a file; ls -d /opt/made; echo \"<$NAME>\"; ps | grep -c '[s]leep 1000'"
            )
            #expect(seen?.content == "common\n600\n/opt/made\n<>\n0")
            #expect(try await fork.stream.run("echo fork >> file; cat file")?.content == "common\nfork")
            #expect(try await sandbox.stream.run("cat file")?.content == "common\noriginal")
            // In use, so it isn't removed.
            let error = await #expect(throws: DockerEngineError.self) {
                try await DockerRuntime.removeSnapshot(snapshot)
            }
            #expect(error?.isConflict == true)
        }
    }

    @Test("P10: an image that isn't a snapshot is not removed as one")
    func notASnapshot() async throws {
        try await withSession { session in
            let image = try await session.engine.inspectImage(TestEnvironment.imageWithoutBash)
            for id in [image.id, TestEnvironment.imageWithoutBash] {
                await #expect(throws: DockerRuntimeError.notASnapshot(image: id)) {
                    try await DockerRuntime.removeSnapshot(SandboxSnapshot(imageID: id, sessionID: session.id))
                }
            }
            #expect(try await session.engine.imageExists(image.id))
        }
    }

    @Test("A container that somebody makes of a snapshot isn't ours")
    func labels() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let snapshot = try await sandbox.runtime.snapshot()
            let request = ContainerRequest(image: snapshot.imageID, command: ["true"])
            let id = try await sandbox.session.engine.createContainer(request).id
            let labels = try await sandbox.session.engine.inspectContainer(id).configuration.labels
            try await sandbox.session.engine.removeContainer(id)
            try await DockerRuntime.removeSnapshot(snapshot)
            #expect(labels?["swift-docker-runtime.owner"] == "")
            #expect(labels?["swift-docker-runtime.role"] == "snapshot")
            #expect(labels?["swift-docker-runtime.session"] == "")
        }
    }
}
