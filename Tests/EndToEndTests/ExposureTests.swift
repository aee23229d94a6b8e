import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct ExposureTests {
    /// Lends a container whose server is ready, with its key.
    private func withSandbox(
        _ transport: DockerRuntime.Transport = .tcp,
        _ body: (Sandbox, _ key: String, TestSession) async throws -> Void
    ) async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.transport = transport
            let start = SandboxStart(
                configuration: configuration,
                sessionID: session.id,
                status: RuntimeStatusHub()
            )
            let sandbox = try await start.run()
            let result: Result<Void, any Error>
            do {
                let key = try #require(sandbox.client.endpoint.sessionAPIKey)
                result = .success(try await body(sandbox, key, session))
            } catch {
                result = .failure(error)
            }
            try await sandbox.remove()
            try result.get()
        }
    }

    /// What the engine answers to a GET, as it stands on the wire.
    private func raw(_ path: String, _ engine: DockerEngineClient) async throws -> String {
        let http = try HTTPClient()
        defer { http.shutdown() }
        var request = HTTPRequest(url: "http://docker\(path)")
        switch engine.endpoint.transport {
        case .unix(let path): request.unixSocketPath = path
        case .tcp(let host, let port, let tls):
            request.url = "\(tls == nil ? "http" : "https")://\(host):\(port)\(path)"
            request.tls = tls
        case .ssh:
            Issue.record("this test talks to the engine by itself, which it can't by ssh")
        }
        let (head, body) = try await http.send(request, bodyLimit: 16 << 20)
        #expect(head.status == 200)
        return String(decoding: body, as: UTF8.self)
    }

    @Test(
        "P11: the key is in nothing that the engine shows, and nowhere that a command in the sandbox sees",
        arguments: [DockerRuntime.Transport.tcp, .unixSocket]
    )
    func keyIsSecret(_ transport: DockerRuntime.Transport) async throws {
        try await withSandbox(transport) { sandbox, key, session in
            #expect(key.count == 64)
            let shown = [
                try await raw("/containers/\(sandbox.container)/json", session.engine),
                try await raw("/containers/\(sandbox.container)/logs?stdout=1&stderr=1", session.engine),
                try await raw("/containers/\(sandbox.container)/top", session.engine),
            ]
            #expect(shown[0].contains(sandbox.name))
            #expect(shown[1].contains("listening"))
            for text in shown { #expect(!text.contains(key)) }

            // Of all processes that there are, whoever runs them.
            let look = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; set; ls -a / /tmp; mount"
            guard
                case .run(let seen) = try await sandbox.client.execute(
                    ActionInvocation(.run(CommandAction(command: look)))
                )
            else {
                Issue.record("not a command's observation")
                return
            }
            #expect(seen.content.contains("action-execution-server"))
            #expect(!seen.content.contains(key))
        }
    }

    @Test("P11: the port is published on the loopback address, and on no other")
    func loopbackOnly() async throws {
        try await withSandbox { sandbox, _, session in
            let inspection = try await session.engine.inspectContainer(sandbox.container)
            let bindings = inspection.hostPorts(for: "30000/tcp")
            #expect(bindings.map(\.hostIP) == ["127.0.0.1"])
            let published = inspection.network.ports?.values.compactMap { $0 }.flatMap { $0 }
            #expect(published?.count == 1)
            #expect(sandbox.client.endpoint.url == "http://127.0.0.1:\(bindings.first?.hostPort ?? "")")
        }
    }

    @Test("P11: requests without the key, with a wrong one, or from a web page are refused")
    func refusals() async throws {
        try await withSandbox { sandbox, key, _ in
            let http = try HTTPClient()
            defer { http.shutdown() }
            let url = sandbox.client.endpoint.url
            func status(_ method: String, _ path: String, _ headers: [String: String] = [:]) async throws -> Int {
                var request = HTTPRequest(method: method, url: url + path)
                for (name, value) in headers { request.headers[name] = value }
                if method == "POST" { request.body = .bytes(Array(#"{"action":{"action":"null","args":{}}}"#.utf8)) }
                return try await http.send(request, bodyLimit: 1 << 20).head.status
            }
            let routes = [
                ("POST", "/execute_action"), ("POST", "/lease"), ("GET", "/vscode/connection_token"),
                ("GET", "/nothing"),
            ]
            for (method, path) in routes {
                let bare = try await status(method, path)
                let wrong = try await status(method, path, ["X-Session-API-Key": String(key.reversed())])
                let empty = try await status(method, path, ["X-Session-API-Key": ""])
                let statuses: [Int] = [bare, wrong, empty]
                #expect(statuses == [403, 403, 403], "\(method) \(path)")
            }
            let keyed = ["X-Session-API-Key": key]
            let page = try await status("POST", "/lease", keyed.merging(["Origin": "http://example.com"]) { $1 })
            #expect(page == 403)
            let rebound = try await status("POST", "/lease", keyed.merging(["Host": "example.com"]) { $1 })
            #expect(rebound == 421)
            let alive = try await status("GET", "/alive")
            #expect(alive == 200)
        }
    }

    @Test("P11: what runs in the sandbox has no more capabilities than it needs, gains none, and sees no engine")
    func confinement() async throws {
        try await withRuntime { sandbox in
            let status = try #require(
                try await sandbox.stream.run("grep -E '^(Cap(Eff|Bnd)|NoNewPrivs)' /proc/self/status")
            )
            // capabilities(7): CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7,
            // NET_BIND_SERVICE 10, SYS_CHROOT 18.
            #expect(
                status.content
                    == "CapEff:\t00000000000404fb\nCapBnd:\t00000000000404fb\nNoNewPrivs:\t1"
            )
            let socket = try #require(try await sandbox.stream.run("ls /var/run/docker.sock /run/docker.sock"))
            #expect(socket.metadata.exitCode != 0)
            let write = try #require(try await sandbox.stream.run("touch /.action-execution-server/x"))
            #expect(write.metadata.exitCode != 0)
            #expect(write.content.contains("Read-only file system"))
        }
    }

    @Test("P10: a runtime leaves alone what has its name's prefix and not its labels, or labels of another owner")
    func decoys() async throws {
        try await withSession { session in
            func decoy(_ suffix: String, labels: [String: String]) async throws -> String {
                var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["sleep", "1000"])
                request.configuration.labels = labels
                request.host.networkMode = "none"
                let name = "swift-docker-runtime-\(session.id)\(suffix)"
                let id = try await session.engine.createContainer(request, named: name).id
                try await session.engine.startContainer(id)
                return id
            }
            let decoys = [
                try await decoy("-2", labels: [:]),
                try await decoy("x", labels: ["somebody": "else"]),
                try await decoy(
                    "-3",
                    labels: [
                        "swift-docker-runtime.owner": "another",
                        "swift-docker-runtime.session": "another-\(session.id)",
                        "swift-docker-runtime.role": "sandbox",
                    ]
                ),
            ]
            let runtime = DockerRuntime(
                configuration: try session.configuration(image: TestEnvironment.imageWithoutBash),
                sessionID: session.id
            )
            try await runtime.connect()
            await runtime.close()
            for decoy in decoys {
                let inspection = try await session.engine.inspectContainer(decoy)
                #expect(inspection.state.isRunning)
                try await session.engine.removeContainer(decoy, force: true)
            }
        }
    }
}
