import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// Sandboxes that are reached over a Unix socket.
@Suite(.timeLimit(.minutes(5)))
struct SocketTests {
    /// The permissions of a path, and whose it is.
    private func status(_ path: String) throws -> (permissions: Int, owner: Int) {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (
            (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1,
            (attributes[.ownerAccountID] as? NSNumber)?.intValue ?? -1
        )
    }

    @Test("By default nothing is published; the socket is in a directory of this user's alone, and gone at the end")
    func byDefault() async throws {
        var path = ""
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let socket = try #require(await sandbox.runtime.sandbox?.socket)
            path = socket.path
            for directory in [path, URL(fileURLWithPath: path).deletingLastPathComponent().path] {
                let status = try status(directory)
                #expect(status.permissions == 0o700)
                #expect(status.owner == Int(geteuid()))
            }
            #expect(await sandbox.runtime.sandbox?.client.endpoint.unixSocketPath == socket.socketPath)
            #expect(socket.socketPath.utf8.count < 104)
            let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
            #expect(inspection.network.ports?.values.compactMap { $0 }.flatMap { $0 } == [])
            #expect(try await sandbox.stream.run("echo \"<$port>\"; grep -c : /proc/net/tcp")?.content == "<>\n0")
            #expect(!sandbox.statuses.updates.contains { $0.message.contains("TCP") })
        }
        #expect(!path.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("Another user of this machine can't enter the directory")
    func otherUser() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let path = try #require(await sandbox.runtime.sandbox?.socket?.path)
            try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                $0.user = "65534:65534"
                $0.mounts = [DockerRuntime.SandboxMount(.path(path), at: "/other", isReadOnly: true)]
            } _: { other in
                #expect(try await other.stream.run("id -u")?.content == "65534")
                let looks = try #require(try await other.stream.run("ls /other; ls /other/server.sock"))
                #expect(looks.content.components(separatedBy: "Permission denied").count == 3, "\(looks.content)")
            }
        }
    }

    @Test("Without a network a sandbox has a loopback interface and nothing else, and works")
    func offline() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.isOffline = true
        } _: { sandbox in
            #expect(try await sandbox.stream.run("ls /sys/class/net")?.content == "lo")
            #expect(try await sandbox.stream.run("wc -l < /proc/net/route")?.content == "1")
            let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
            #expect(inspection.host.networkMode == "none")
        }
    }

    @Test(
        "P11: nothing that runs in the sandbox can make the server unreachable by its socket, or write to this machine",
        arguments: [nil, "1000:1000"]
    )
    func sabotage(_ user: String?) async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.user = user
        } _: { sandbox in
            let mounted = SocketDirectory.target
            let attempts = [
                "touch \(mounted)/file", "mkdir \(mounted)/directory", "ln -s / \(mounted)/server.sock",
                "rmdir \(mounted)",
                "rm \(mounted)/server.sock", "chmod 000 \(mounted)/server.sock", "mv /tmp \(mounted)/tmp",
            ]
            for attempt in attempts {
                let result = try #require(try await sandbox.stream.run(attempt))
                #expect(result.metadata.exitCode != 0, "\(attempt)")
            }
            #expect(try await sandbox.stream.run("ls -A \(mounted)")?.content == "")
            _ = try await sandbox.stream.run("chmod 000 \(mounted)")
            // By a connection that isn't there yet.
            let endpoint = try #require(await sandbox.runtime.sandbox?.client.endpoint)
            let http = try HTTPClient()
            defer { http.shutdown() }
            try await ActionExecutionClient(endpoint: endpoint, http: http).checkReady()
            let shared = try #require(await sandbox.runtime.sandbox?.socket?.sharedPath)
            #expect(try FileManager.default.contentsOfDirectory(atPath: shared) == [])
        }
    }

    @Test(
        "Where the engine doesn't have this machine's files, it goes over TCP and says why; and over nothing else if told so"
    )
    func notShared() async throws {
        try await withTemporaryDirectory { directory in
            // What this process calls itself is another process to the engine.
            let link = "/proc/self/fd/\(open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))"
            defer { close(Int32(link.split(separator: "/").last.flatMap { Int($0) } ?? -1)) }
            for _ in 1...2 {
                try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                    $0.socketDirectory = link
                } _: { sandbox in
                    #expect(await sandbox.runtime.sandbox?.socket == nil)
                    let said = try await sandbox.stream.run("echo hi")?.content
                    #expect(said == "hi")
                    let told = sandbox.statuses.updates.filter { $0.message.contains("Over TCP") }
                    #expect(told.count == 1)
                    #expect(told.first?.message.contains("doesn't share this machine's file system") == true)
                }
            }
            try await withSession { session in
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.socketDirectory = link
                configuration.transport = .unixSocket
                let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
                let error = await #expect(throws: DockerRuntimeError.self) { try await runtime.connect() }
                guard case .socketUnavailable? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
            let parent = directory.appending(path: "swift-docker-runtime-\(geteuid())").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["lock"])
        }
    }

    @Test("A container that is started again is found by its socket again")
    func restart() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.hostConfigurationOverlay = ["AutoRemove": false]
            let start = SandboxStart(configuration: configuration, sessionID: session.id, status: RuntimeStatusHub())
            let sandbox = try await start.run()
            let result: Result<Void, any Error>
            do {
                result = .success(try await expectFound(sandbox, session))
            } catch {
                result = .failure(error)
            }
            try await sandbox.remove()
            try result.get()
        }
    }

    private func expectFound(_ sandbox: Sandbox, _ session: TestSession) async throws {
        let socket = try #require(sandbox.socket)
        try await session.engine.stopContainer(sandbox.container)
        let inspection = try await session.engine.inspectContainer(sandbox.container)
        #expect(throws: SocketUnavailable.self) { try SocketDirectory(of: inspection) }
        socket.leave()
        #expect(FileManager.default.fileExists(atPath: socket.path))
        let found = try #require(try SocketDirectory(of: inspection))
        defer { found.remove() }
        #expect(found.path == socket.path)
        try await session.engine.startContainer(sandbox.container)
        let http = try HTTPClient()
        defer { http.shutdown() }
        let client = ActionExecutionClient(endpoint: sandbox.client.endpoint, http: http)
        try await found.connect(client, limit: .seconds(60))
        try await client.waitUntilReady()
    }
}
