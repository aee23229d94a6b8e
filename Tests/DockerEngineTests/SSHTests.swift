import CurlHTTP
import DockerEngine
import Foundation
import TestSupport
import Testing

/// Engines behind ssh, through a server of the test's own on the loopback address.
@Suite("An engine behind ssh", .timeLimit(.minutes(2)))
struct SSHTests {
    @Test func isCalledLikeAnyOther() async throws {
        try await SSHServer.run { server in
            let engine = try DockerEngineClient(endpoint: server.endpoint)
            let local = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
            defer { local.close() }
            let version = try await engine.version()
            let expected = try await local.version()
            #expect(version == expected)
            // Several at a time, and much in both directions.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 { group.addTask { _ = try await engine.listImages() } }
                try await group.waitForAll()
            }
            let scope = EngineScope(engine: engine)
            let result: Result<Void, any Error>
            do {
                let image = try await scope.image()
                let archive = try await engine.saveImage(image).collect(upTo: 64 << 20)
                #expect(archive.count > 500_000)
                let output = try await scope.output(of: "echo through ssh", image: image)
                #expect(output == "through ssh\n")
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await scope.cleanUp()
            try result.get()

            // What it started ends with it.
            let clients = try await server.clients()
            #expect(!clients.isEmpty)
            engine.close()
            try await until { try await server.clients().isEmpty }
            let closed = try await engineError { try await engine.ping() }
            #expect(closed != nil)
        }
    }

    @Test func hasPortsThatAreReachedThroughIt() async throws {
        try await SSHServer.run { server in
            let engine = try DockerEngineClient(endpoint: server.endpoint)
            defer { engine.close() }
            // The ssh server itself greets whoever connects.
            let path = try #require(try engine.socket(forwardingTo: server.port))
            let http = try HTTPClient()
            defer { http.shutdown() }
            let error = await #expect(throws: HTTPError.self) {
                try await http.execute(HTTPRequest(url: "http://port/", unixSocketPath: path))
            }
            #expect(error?.kind == .invalidResponse)
            let unixSocket = try DockerEngineClient(endpoint: .defaultSocket)
            defer { unixSocket.close() }
            #expect(try unixSocket.socket(forwardingTo: server.port) == nil)
        }
    }

    @Test func thatRefusesIsAnErrorWithTheWordsOfSSH() async throws {
        try await SSHServer.run { server in
            func failure(_ change: (inout SSHDestination) -> Void) async throws -> String {
                var destination = server.destination
                change(&destination)
                let engine = try DockerEngineClient(endpoint: DockerEndpoint(.ssh(destination)))
                defer { engine.close() }
                let error = try await engineError { try await engine.version() }
                guard case .sshFailed(let endpoint, let reason) = error else {
                    Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
                    return ""
                }
                #expect(endpoint.hasPrefix("ssh://"))
                return reason
            }
            let table: [(String, (inout SSHDestination) -> Void)] = [
                ("Permission denied", { $0.user = "no-such-user" }),
                (
                    "Host key verification failed",
                    { $0.options = ["-F", "/dev/null", "-o", "UserKnownHostsFile=/dev/null"] }
                ),
                ("Connection refused", { $0.port = 1 }),
                ("/no such'socket", { $0.socketPath = "/no such'socket" }),
                ("no-such-option", { $0.options += ["-o", "no-such-option"] }),
            ]
            for (words, change) in table {
                let reason = try await failure(change)
                #expect(reason.contains(words), "\(reason)")
            }
        }
    }

    @Test(
        arguments: [
            ("ssh://engine", SSHDestination(host: "engine")),
            ("ssh://me@engine:2222", SSHDestination(host: "engine", user: "me", port: 2222)),
            (
                "ssh://me@[::1]:22/run/docker.sock",
                SSHDestination(host: "::1", user: "me", port: 22, socketPath: "/run/docker.sock")
            ),
            ("ssh://engine/", SSHDestination(host: "engine")),
        ]
    )
    func isReadFromTheNotation(text: String, expected: SSHDestination) throws {
        let endpoint = try DockerEndpoint(parsing: text)
        #expect(endpoint.transport == .ssh(expected))
        let written = text.hasSuffix("/") ? String(text.dropLast()) : text
        #expect("\(endpoint)" == written)
    }

    @Test(arguments: [
        "ssh://", "ssh://me:secret@engine", "ssh://@engine", "ssh://engine:x", "ssh://[::1", "ssh://[::1]x",
        "ssh://a b",
    ])
    func isRefusedWhenItIsNone(text: String) {
        #expect(throws: DockerEngineError.self) { try DockerEndpoint(parsing: text) }
    }
}
