import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// Servers in containers that are asked to be a user.
@Suite(.timeLimit(.minutes(5)))
struct UserTests {
    private static let images = [TestEnvironment.image, TestEnvironment.imageWithoutBash]
    private static let serverDirectory = "/.action-execution-server"
    private static let port = "30000"

    /// What a container was told to do by its server's arguments.
    private struct Container {
        let id: String
        let engine: DockerEngineClient
        let client: ActionExecutionClient

        func run(_ command: String) async throws -> CommandObservation {
            let invocation = ActionInvocation(.run(CommandAction(command: command)))
            guard case .run(let observation) = try await client.execute(invocation) else { throw NotACommand() }
            return observation
        }

        /// Expects a command to end with status 0, and gives what it wrote.
        func output(_ command: String, _ location: SourceLocation = #_sourceLocation) async throws -> String {
            let observation = try await run(command)
            #expect(observation.metadata.exitCode == 0, "\(observation)", sourceLocation: location)
            return observation.content
        }

        /// Expects a command to end with status 0, and to write this.
        func expect(_ command: String, _ expected: String, _ location: SourceLocation = #_sourceLocation) async throws {
            let observation = try await run(command)
            #expect(observation.content == expected, sourceLocation: location)
            #expect(observation.metadata.exitCode == 0, "\(observation)", sourceLocation: location)
        }

        func log() async throws -> String {
            String(decoding: try await engine.containerLogs(id).collect(upTo: 1 << 20).stderr, as: UTF8.self)
        }

        private struct NotACommand: Error {}
    }

    /// Lends a container that isn't started yet, and removes it.
    private func withContainer(
        image: String,
        _ arguments: [String],
        _ change: (inout ContainerRequest) -> Void = { _ in },
        prepare: (_ id: String, DockerEngineClient) async throws -> Void = { _, _ in },
        _ body: (_ id: String, DockerEngineClient) async throws -> Void
    ) async throws {
        try await withSession { session in
            let volume = try ServerVolume(binary: try TestEnvironment.serverBinary())
            var request = ContainerRequest(image: image, command: arguments)
            request.configuration.entrypoint = ["\(Self.serverDirectory)/\(ServerVolume.programName)"]
            request.configuration.command =
                [Self.port, "--working-dir", "/workspace", "--lease", "60"] + arguments
            request.configuration.workingDirectory = "/"
            request.configuration.labels = ["swift-docker-runtime.session": session.id]
            request.configuration.exposedPorts = ["\(Self.port)/tcp": EmptyObject()]
            request.host.mounts = [volume.mount(at: Self.serverDirectory, isReadOnly: true)]
            request.host.portBindings = ["\(Self.port)/tcp": [PortBinding(hostIP: "127.0.0.1", hostPort: "")]]
            request.host.capDrop = ["ALL"]
            request.host.capAdd = DockerRuntime.Configuration.shellCapabilities
            change(&request)
            let id = try await session.engine.createContainer(request, named: "swift-docker-runtime-\(session.id)").id
            let result: Result<Void, any Error>
            do {
                try await volume.complete(in: id, at: Self.serverDirectory, image: image, on: session.engine)
                try await prepare(id, session.engine)
                try await session.engine.startContainer(id)
                result = .success(try await body(id, session.engine))
            } catch {
                result = .failure(error)
            }
            try await session.engine.removeContainer(id, force: true, removesVolumes: true)
            try result.get()
        }
    }

    /// Lends a container whose server is ready.
    private func withServer(
        image: String,
        _ arguments: [String],
        _ change: (inout ContainerRequest) -> Void = { _ in },
        prepare: (_ id: String, DockerEngineClient) async throws -> Void = { _, _ in },
        _ body: (Container) async throws -> Void
    ) async throws {
        try await withContainer(image: image, arguments, change, prepare: prepare) { id, engine in
            let http = try HTTPClient()
            defer { http.shutdown() }
            let ports = try await engine.inspectContainer(id).hostPorts(for: "\(Self.port)/tcp")
            let port = try #require(ports.lazy.compactMap(\.hostPort).first)
            let host = if case .tcp(let host, _, _) = engine.endpoint.transport { host } else { "127.0.0.1" }
            let endpoint = ActionExecutionClient.Endpoint(url: "http://\(host):\(port)")
            let client = ActionExecutionClient(endpoint: endpoint, http: http)
            try await client.waitUntilReady()
            try await body(Container(id: id, engine: engine, client: client))
        }
    }

    @Test(
        "The server and what it starts are the user, who is made with a home and can't become root",
        arguments: images
    )
    func user(image: String) async throws {
        try await withServer(image: image, ["--username", "agent", "--user-id", "1234"]) { container in
            let observation = try await container.run("id -u; id -g; id -G; id -un; pwd; touch file")
            #expect(observation.content == "1234\n1234\n1234\nagent\n/workspace")
            #expect(observation.metadata.username == "agent")
            let home = try await container.output("echo $HOME $USER $LOGNAME; cd; touch x; pwd")
            #expect(home == "/home/agent agent agent\n/home/agent")
            // Process 1 is the server.
            let ids = "grep -E '^(Uid|Gid|NoNewPrivs|CapPrm|CapEff)' /proc/$p/status | tr -s '\\t' ' '"
            let none = "0000000000000000"
            let expected =
                "Uid: 1234 1234 1234 1234\nGid: 1234 1234 1234 1234\nCapPrm: \(none)\nCapEff: \(none)\nNoNewPrivs: 1"
            for process in ["1", "self"] { try await container.expect("p=\(process); \(ids)", expected) }
            // Files are written by the server itself.
            let write = FileWriteAction(path: "/workspace/written", content: "text")
            _ = try await container.client.execute(ActionInvocation(.write(write)))
            let owners = try await container.output("cd /workspace; stat -c '%u %g' file written ~ ~/x .")
            #expect(owners == Array(repeating: "1234 1234", count: 5).joined(separator: "\n"))
            let shadow = FileWriteAction(path: "/etc/passwd", content: "root::0:0::/:/bin/sh")
            guard case .error = try await container.client.execute(ActionInvocation(.write(shadow))) else {
                Issue.record("the server wrote what the user may not")
                return
            }
            let environment = try await container.run("cat /proc/1/environ")
            #expect(environment.metadata.exitCode != 0)
            // It reaps what it adopts, and the user can't kill it.
            try await container.expect("(sleep 0.01 &); kill -9 $PPID; echo alive", "alive")
            let zombies = "while grep -qs '^State:.Z' /proc/[0-9]*/status; do sleep 0.05; done"
            try await container.expect(zombies, "")
            let log = try await container.log()
            #expect(log == "")
        }
    }

    @Test("With root asked for by its name, the server is root", arguments: images)
    func root(image: String) async throws {
        try await withServer(image: image, ["--username", "root", "--user-id", "0"]) { container in
            try await container.expect("id -u; echo $HOME $USER; touch /etc/x", "0\n/root root")
        }
    }

    @Test("An account of the image is used as it is, and what differs from what was asked for is told")
    func existing() async throws {
        try await withServer(image: TestEnvironment.image, ["--username", "agent", "--user-id", "33"]) { container in
            try await container.expect("id -un; echo $HOME", "www-data\n/var/www")
            let told = "the user with the id 33 has the name www-data in this image, not agent"
            let log = try await container.log()
            #expect(log.contains(told))
        }
    }

    @Test(
        "Root's files in the working directory are given to the user, but not what is mounted or what a link leads to"
    )
    func workingDirectory() async throws {
        let image = TestEnvironment.imageWithoutBash
        let change = { (request: inout ContainerRequest) in
            request.host.mounts = (request.host.mounts ?? []) + [Mount(kind: .volume, target: "/data/mounted")]
        }
        let files = { (id: String, engine: DockerEngineClient) in
            var archive = TarArchive()
            for directory in ["data", "data/sub", "data/mounted"] { archive.addDirectory(directory) }
            archive.addFile("data/sub/file", bytes: [])
            archive.addFile("data/other", bytes: [], userID: 77, groupID: 77)
            archive.addFile("data/mounted/file", bytes: [])
            archive.addSymbolicLink("data/link", to: "/etc/passwd")
            try await engine.putArchive(archive.body, into: "/", of: id, keepsOwners: true)
        }
        let arguments = ["--username", "agent", "--working-dir", "/data"]
        try await withServer(image: image, arguments, change, prepare: files) { container in
            let owners = try await container.output(
                "stat -c '%n %u' . sub sub/file other link mounted mounted/file /etc/passwd"
            )
            #expect(
                owners
                    == ". 1000\nsub 1000\nsub/file 1000\nother 77\nlink 1000\nmounted 0\nmounted/file 0\n/etc/passwd 0"
            )
        }
        // A new volume is the user's; a folder that has somebody's files stays as it is, and that is told.
        let mounted = ["--username", "agent", "--working-dir", "/data/mounted"]
        try await withServer(image: image, mounted, change) { container in
            try await container.expect("stat -c %u .; touch x", "1000")
        }
        try await withServer(image: image, mounted, change, prepare: files) { container in
            try await container.expect("stat -c '%n %u' . file", ". 0\nfile 0")
            let log = try await container.log()
            #expect(log.contains("/data/mounted is mounted and belongs to the user 0"))
        }
    }

    @Test(
        "A server that can't be the user ends with the reason, and serves nobody",
        arguments: [
            (["--username", "toor", "--user-id", "0"], nil, "the id 0 is root's"),
            (["--username", "root", "--user-id", "7"], nil, "root has the id 0"),
            (["--username", "agent"], "4321", "only root can become another user"),
        ] as [([String], String?, String)]
    )
    func refused(arguments: [String], startedAs: String?, reason: String) async throws {
        let change = { (request: inout ContainerRequest) in request.configuration.user = startedAs }
        try await withContainer(image: TestEnvironment.imageWithoutBash, arguments, change) { id, engine in
            let status = try await engine.waitContainer(id)
            #expect(status == 1)
            let log = try await engine.containerLogs(id).collect(upTo: 1 << 20)
            #expect(log.stdout.isEmpty)
            #expect(String(decoding: log.stderr, as: UTF8.self).contains(reason))
        }
    }

    @Test("A server without the rights to become the user ends instead of going on as root")
    func withoutCapabilities() async throws {
        let change = { (request: inout ContainerRequest) in request.host.capAdd = ["CHOWN", "DAC_OVERRIDE", "FOWNER"] }
        let arguments = ["--username", "agent"]
        try await withContainer(image: TestEnvironment.imageWithoutBash, arguments, change) { id, engine in
            let status = try await engine.waitContainer(id)
            #expect(status == 1)
            let log = try await engine.containerLogs(id).collect(upTo: 1 << 20)
            #expect(String(decoding: log.stderr, as: UTF8.self).contains("capabilities SETUID and SETGID"))
        }
    }
}
