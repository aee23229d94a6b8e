import ActionExecutionClient
import CurlHTTP
import DockerEngine
import DockerRuntime
import EventStream
import Foundation
import TestSupport
import Testing

/// Podman's engine, which speaks Docker's API: one of the test's own, with storage of its own.
@Suite(.timeLimit(.minutes(3)))
struct PodmanTests {
    /// Lends an engine that has the test's image.
    private func withPodman(_ body: (DockerEngineClient, DockerEndpoint) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            func path(_ name: String) -> String { directory.appending(path: name).path }
            // Its own limits are higher than a container may have that this runs in.
            let limits = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n"
            try Data(limits.utf8).write(to: directory.appending(path: "containers.conf"))
            let endpoint = DockerEndpoint(.unix(path: path("podman.sock")))
            let process = try ChildProcess(
                "/bin/sh",
                [
                    "-c",
                    """
                    exec podman --root "$1/root" --runroot "$1/run" --storage-driver vfs system service --time 0 \
                        "unix://$1/podman.sock"
                    """, "sh", directory.path,
                ],
                output: directory.appending(path: "log"),
                environment: ["CONTAINERS_CONF": path("containers.conf")]
            )
            let engine = try DockerEngineClient(endpoint: endpoint)
            let result: Result<Void, any Error>
            do {
                let socket = path("podman.sock")
                try await until { FileManager.default.fileExists(atPath: socket) || !isRunning(process.id) }
                try #require(isRunning(process.id), "podman ended: \(process.text)")
                let docker = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                defer { docker.close() }
                let image = try await docker.saveImage(TestEnvironment.imageWithoutBash).collect(upTo: 64 << 20)
                try await engine.loadImages(.bytes(image))
                result = .success(try await body(engine, endpoint))
            } catch {
                result = .failure(error)
            }
            let left = try? await engine.listContainers(all: true)
            for container in left ?? [] {
                try? await engine.removeContainer(container.id, force: true, removesVolumes: true)
            }
            engine.close()
            process.signal(SIGTERM)
            _ = await process.exitStatus()
            try result.get()
            #expect(left?.map(\.id) == [], "containers are left")
        }
    }

    @Test("A sandbox runs on Podman as on Docker: connected, at work, its end told, and gone")
    func sandbox() async throws {
        try await withPodman { engine, endpoint in
            #expect(try await engine.isPodman())
            var configuration = DockerRuntime.Configuration(image: TestEnvironment.imageWithoutBash)
            configuration.serverBinary = try TestEnvironment.serverBinary()
            configuration.endpoint = endpoint
            let (stream, statuses) = (EventStream(), StatusRecorder())
            let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: "podman") {
                statuses.add($0)
            }
            try await runtime.connect()
            #expect(statuses.updates.last?.status == .ready)
            #expect(try await stream.run("echo $((6 * 7)); id -u")?.content == "42\n0")
            let inspection = try await engine.inspectContainer(runtime.containerName)
            #expect(inspection.state.isRunning)
            // Somebody kills it: that is noticed, and told.
            try await engine.killContainer(inspection.id)
            try await until { statuses.updates.contains { $0.status == .disconnected } }
            await runtime.close()
            try await stream.close()
            #expect(try await engine.listContainers(all: true).isEmpty)

            // A container that is refused, and one that isn't there, are the same errors as Docker's.
            let missing = await #expect(throws: DockerEngineError.self) { try await engine.inspectContainer("none") }
            #expect(missing?.isNotFound == true)
            configuration.image = "127.0.0.1:1/none"
            let unavailable = DockerRuntime(configuration: configuration, sessionID: "podman-2")
            let error = await #expect(throws: DockerRuntimeError.self) { try await unavailable.connect() }
            guard case .imageUnavailable("127.0.0.1:1/none", _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
