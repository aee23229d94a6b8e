import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DockerRuntime

/// The ports that a sandbox is reached by.
@Suite(.timeLimit(.minutes(5)))
struct PortTests {
    /// Small ranges that no system hands out to clients, with lock files of the test's own.
    private func policy(_ first: Int, _ directory: URL) -> DockerRuntime.PortPolicy {
        .ranges(
            DockerRuntime.PortRanges(
                server: first...(first + 1),
                editor: (first + 2)...(first + 3),
                apps: [(first + 4)...(first + 5), (first + 6)...(first + 7)],
                lockDirectory: directory.path
            )
        )
    }

    /// What is served at an URL.
    private func get(_ url: String) async throws -> String {
        let http = try HTTPClient()
        defer { http.shutdown() }
        let (head, body) = try await http.send(HTTPRequest(url: url), bodyLimit: 1 << 20)
        #expect(head.status == 200)
        return String(decoding: body, as: UTF8.self)
    }

    @Test("What listens on the app ports in the sandbox is reached by the web hosts", arguments: [true, false])
    func webHosts(_ byEngine: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try await withRuntime {
                $0.publishesAppPorts = true
                if !byEngine { $0.portPolicy = policy(28_300, directory) }
            } _: { sandbox in
                let hosts = await sandbox.runtime.webHosts
                #expect(hosts.count == 2)
                for (index, (url, port)) in hosts.sorted(by: { $0.value < $1.value }).enumerated() {
                    let variable = try await sandbox.stream.run("echo $APP_PORT_\(index + 1)")
                    #expect(variable?.content == "\(port)")
                    if !byEngine { #expect(url == "http://localhost:\(port)") }
                    _ = try await sandbox.stream.run(
                        """
                        mkdir -p /tmp/\(port) && cd /tmp/\(port) && echo at \(port) > index.html
                        python3 -m http.server --bind 0.0.0.0 \(port) >log 2>&1 &
                        until grep -q Serving log; do sleep 0.05; done
                        """,
                        timeout: 60
                    )
                    #expect(try await get(url) == "at \(port)\n")
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        }
    }

    @Test("Runtimes that share ranges have different ports; when these are used up, that is the error")
    func sharedRanges() async throws {
        try await withTemporaryDirectory { directory in
            try await withSession { session in
                func runtime(_ number: Int) throws -> DockerRuntime {
                    var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                    configuration.portPolicy = policy(28_310, directory)
                    return DockerRuntime(configuration: configuration, sessionID: "\(session.id)-\(number)")
                }
                let (one, two, three) = (try runtime(1), try runtime(2), try runtime(3))
                async let first: Void = one.connect()
                try await two.connect()
                try await first
                let ports = [await one.sandbox?.ports.server, await two.sandbox?.ports.server]
                #expect(Set(ports.compactMap { $0?.host }) == [28_310, 28_311])
                #expect(ports.allSatisfy { $0?.host == $0?.container })
                await #expect(throws: DockerRuntimeError.portRangeUsedUp(range: 28_310...28_311)) {
                    try await three.connect()
                }
                await one.close()
                let again = try runtime(4)
                try await again.connect()
                #expect(await again.sandbox?.ports.server == ports[0])
                for runtime in [two, three, again] { await runtime.close() }
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
            }
        }
    }

    @Test("A port that another container has published isn't chosen")
    func publishedByOthers() async throws {
        try await withTemporaryDirectory { directory in
            try await withSession { session in
                var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["sleep", "1000"])
                request.configuration.labels = ["swift-docker-runtime.session": session.id]
                request.configuration.exposedPorts = ["80/tcp": EmptyObject()]
                // Not at the address that the runtime uses, so that only the engine can tell.
                request.host.portBindings = ["80/tcp": [PortBinding(hostIP: "127.0.0.9", hostPort: "28320")]]
                let other = try await session.engine.createContainer(request).id
                try await session.engine.startContainer(other)
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.portPolicy = policy(28_320, directory)
                let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
                try await runtime.connect()
                #expect(await runtime.sandbox?.ports.server.host == 28_321)
                await runtime.close()
                try await session.engine.removeContainer(other, force: true)
            }
        }
    }

    /// Takes the port that the engine was asked for just before the engine starts the container, once.
    private final class PortThief: Sendable {
        private let pattern: String
        private let state = Mutex<(port: Int?, listener: PortListener?)>((nil, nil))

        /// - Parameter pattern: what stands before the port in the request that makes the container.
        init(after pattern: String) { self.pattern = pattern }

        var port: Int? { state.withLock { $0.listener?.port } }

        func see(_ bytes: [UInt8]) {
            let text = String(decoding: bytes, as: UTF8.self)
            state.withLock { state in
                guard state.listener == nil else { return }
                if let range = text.firstRange(of: pattern) {
                    state.port = Int(text[range.upperBound...].prefix { $0.isNumber })
                }
                if let port = state.port, text.hasPrefix("POST "), text.prefix(200).contains("/start ") {
                    state.listener = try? PortListener(in: port...port)
                }
            }
        }

        func close() { state.withLock { $0.listener?.close() } }
    }

    @Test("A port that is taken between its choice and the start is replaced by another", arguments: [false, true])
    func takenMeanwhile(_ usesHostNetwork: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try await withSession { session in
                guard case .unix(let path) = session.engine.endpoint.transport else { return }
                // In the host's network the server is told its port, and the engine none.
                let thief = PortThief(after: usesHostNetwork ? "\"Cmd\":[\"" : "\"HostPort\":\"")
                defer { thief.close() }
                let relay = try EngineRelay(to: path) { thief.see($0) }
                defer { relay.stop() }
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.endpoint = DockerEndpoint(.tcp(host: "127.0.0.1", port: relay.port, tls: nil))
                configuration.usesHostNetwork = usesHostNetwork
                configuration.portPolicy = policy(usesHostNetwork ? 28_340 : 28_330, directory)
                let statuses = StatusRecorder()
                let runtime = DockerRuntime(configuration: configuration, sessionID: session.id) { statuses.add($0) }
                try await runtime.connect()
                let (taken, port) = (try #require(thief.port), await runtime.sandbox?.ports.server.host)
                #expect(port != nil && port != taken)
                #expect(statuses.updates.contains { $0.message.hasPrefix("Trying other ports") })
                guard case .run(let result) = try await runtime.execute(.run(CommandAction(command: "echo hi"))) else {
                    Issue.record("not a command's observation")
                    return
                }
                #expect(result.content == "hi")
                await runtime.close()
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
            }
        }
    }

    @Test("The editor's port that was asked for is published, or it is the error that it is taken")
    func editorPort() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.plugins = [.vscode]
            let listener = try PortListener(in: 28_350...28_359)
            configuration.editorPort = listener.port
            let refused = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: DockerRuntimeError.self) { try await refused.connect() }
            guard case .portTaken(let ports, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(ports == [listener.port])
            listener.close()
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            try await runtime.connect()
            let inspection = try await session.engine.inspectContainer(runtime.containerName)
            let bindings = inspection.hostPorts(for: "\(listener.port)/tcp")
            #expect(bindings == [PortBinding(hostIP: "127.0.0.1", hostPort: "\(listener.port)")])
            // The server has no editor, so there is nothing to open.
            #expect(try await runtime.vscodeURL == nil)
            await runtime.close()
        }
    }

    @Test("A sandbox is reached at the binding address, and at no other")
    func bindingAddress() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.bindingAddress = "127.0.0.2"
            $0.publishesAppPorts = true
        } _: { sandbox in
            let published = try #require(await sandbox.runtime.sandbox)
            #expect(published.client.endpoint.url == "http://127.0.0.2:\(try #require(published.ports.server.host))")
            #expect(FreePort.isFree(try #require(published.ports.server.host), at: "127.0.0.1"))
            let hosts = await sandbox.runtime.webHosts
            #expect(hosts.keys.allSatisfy { $0.hasPrefix("http://127.0.0.2:") })
        }
    }

    @Test("A server that can't be reached where it is said to be isn't ready, after the time for the start")
    func unreachable() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            // Published on 127.0.0.1 only.
            configuration.runtimeURL = "http://127.0.0.3"
            configuration.startTimeout = 0.2
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: RuntimeError.self) { try await runtime.connect() }
            guard case .notReady(let seconds, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(seconds == 0.2)
        }
    }

    @Test("Where a name leads to this machine, requests to that name are served")
    func byName() async throws {
        // Names below localhost lead to this machine (RFC 6761), for curl too, which asks nobody for them.
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.runtimeURL = "http://sandbox.localhost"
        } _: { sandbox in
            let answer = try await sandbox.stream.run("echo hi")
            #expect(answer?.content == "hi")
        }
    }
}
