import ActionExecutionClient
import CurlHTTP
import DockerEngine
import DockerRuntime
import EventStream
import Foundation
import TestSupport
import Testing

/// Sandboxes of images that are built, or used as they are.
@Suite(.timeLimit(.minutes(5)))
struct ImagePreparationTests {
    /// Lends a repository of the session's own, whose images are removed.
    private func withRepository(
        _ session: TestSession,
        _ body: (String) async throws -> Void
    ) async throws {
        let repository = "swift-docker-runtime-test-\(session.id)"
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(repository))
        } catch {
            result = .failure(error)
        }
        for image in try await session.engine.listImages(filters: ["reference": ["\(repository):*"]]) {
            for tag in image.tags ?? [] where tag.hasPrefix("\(repository):") {
                try await session.engine.removeImage(tag, force: true)
            }
        }
        try result.get()
    }

    @Test("A sandbox of a built image has what was installed, and mounts no server; the next one builds nothing")
    func build() async throws {
        try await withSession { session in
            try await withRepository(session) { repository in
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.imagePreparation = .build(
                    DockerRuntime.ImageBuild(
                        extraDependencies: "mkdir /opt\necho \"$WORD\" > /opt/installed",
                        arguments: ["WORD=here", "--network=none"],
                        repository: repository
                    )
                )
                for isBuilt in [false, true] {
                    let statuses = StatusRecorder()
                    let runtime = DockerRuntime(configuration: configuration, sessionID: session.id) {
                        statuses.add($0)
                    }
                    try await runtime.connect()
                    let steps = statuses.updates.filter { $0.status == .building }
                    #expect(steps.isEmpty == isBuilt)
                    #expect(steps.contains { $0.message.hasPrefix("Step ") } != isBuilt)
                    let observation = try await runtime.execute(.run(CommandAction(command: "cat /opt/installed")))
                    guard case .run(let result) = observation else {
                        Issue.record("\(observation)")
                        return
                    }
                    #expect(result.content == "here")
                    let inspection = try await session.engine.inspectContainer(runtime.containerName)
                    let mounts = (inspection.mounts ?? []).map(\.destination)
                    #expect(mounts.allSatisfy { $0 == "/.action-execution-socket" })
                    #expect(inspection.configuration.image?.hasPrefix("\(repository):v1_") == true)
                    await runtime.close()
                }
            }
        }
    }

    @Test("A build that fails is the error of connect(), with its step, and nothing is left")
    func failedBuild() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            let build = DockerRuntime.ImageBuild(extraDependencies: "echo why; exit 3", arguments: ["--network=none"])
            configuration.imagePreparation = .build(build)
            let statuses = StatusRecorder()
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id) { statuses.add($0) }
            let error = await #expect(throws: DockerRuntimeError.self) { try await runtime.connect() }
            guard case .buildFailed(_, let step, let output)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(step.contains("exit 3"))
            #expect(output.contains("why"))
            #expect(statuses.updates.last?.status == .error)
        }
    }

    /// An image with a server where the reference's images have theirs, that wants to be started as they are.
    private func makeStandIn(_ image: String, on engine: DockerEngineClient) async throws {
        let program = """
            #!/bin/sh
            # Stands for the program that starts the reference's server: the same words before, the same arguments after.
            expected='run -n openhands poetry run python -u -m openhands.runtime.action_execution_server'
            got="$1 $2 $3 $4 $5 $6 $7 $8 $9"
            [ "$got" = "$expected" ] || { echo "started by: $got" >&2; exit 64; }
            [ "$PWD" = /openhands/code ] || { echo "started in: $PWD" >&2; exit 65; }
            shift 9
            echo "$@" > /arguments
            exec /server "$@"

            """
        var context = TarArchive()
        context.addFile("micromamba", bytes: Array(program.utf8), mode: 0o755)
        context.addFile("server", from: try TestEnvironment.serverBinary(), mode: 0o755)
        let dockerfile = """
            FROM \(TestEnvironment.imageWithoutBash)
            COPY micromamba /openhands/micromamba/bin/micromamba
            COPY server /server
            ENTRYPOINT ["/bin/false"]

            """
        context.addFile("Dockerfile", bytes: Array(dockerfile.utf8))
        for try await _ in try await engine.buildImage(context.body, options: BuildOptions(tags: [image])) {}
    }

    @Test("An image of the reference runs its own server by the reference's command, behind a key that nobody sees")
    func asIs() async throws {
        try await withSession { session in
            try await withRepository(session) { repository in
                let image = "\(repository):stand-in"
                try await makeStandIn(image, on: session.engine)
                var configuration = try session.configuration(image: image)
                configuration.imagePreparation = .useAsIs(.openHands)
                configuration.serverBinary = nil
                configuration.plugins = [.jupyter, .agentSkills]
                let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
                try await runtime.connect()
                func output(_ command: String) async throws -> String {
                    guard case .run(let result) = try await runtime.execute(.run(CommandAction(command: command)))
                    else {
                        return "no result"
                    }
                    return result.content
                }
                let inspection = try await session.engine.inspectContainer(runtime.containerName)
                let port = try #require(inspection.network.ports?.keys.first?.split(separator: "/").first)
                #expect(
                    try await output("cat /arguments")
                        == "\(port) --working-dir /workspace --plugins agent_skills jupyter --username openhands --user-id 1000 --no-enable-browser"
                )
                #expect(try await output("id -un; id -u; pwd") == "openhands\n1000\n/workspace")
                // The key: asked for, and neither shown by the engine nor readable by the agent.
                #expect(try await output("cat /.session-api-key 2>&1").contains("Permission denied"))
                let status = try await session.engine.pathStatus(of: "/.session-api-key", in: runtime.containerName)
                #expect(status.size == 64)
                #expect(inspection.configuration.environment?.contains { $0.contains("SESSION_API_KEY") } == false)
                #expect(inspection.mounts ?? [] == [])
                let published = try #require(inspection.network.ports?.values.first??.first?.hostPort)
                let http = try HTTPClient()
                defer { http.shutdown() }
                let url = "http://127.0.0.1:\(published)/list_files"
                let refused = try await http.execute(
                    HTTPRequest(method: "POST", url: url, body: .bytes(Array("{}".utf8)))
                )
                #expect(refused.status == 403)
                await runtime.close()
            }
        }
    }

    @Test("An image without that server is an error with what the container wrote, and nothing is left")
    func notTheReferences() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.imagePreparation = .useAsIs(.openHands)
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: DockerRuntimeError.self) { try await runtime.connect() }
            guard case .containerExited(_, let exitCode, let log)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(exitCode == 127)
            #expect(log.contains("micromamba"))
        }
    }
}
