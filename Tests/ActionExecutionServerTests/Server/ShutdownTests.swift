import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// How a server ends while it is in use.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ShutdownTests {
    /// Serves with a time to end in, and a command under way that ends when `gate` is written to.
    private func withRunningCommand(
        _ shutdownTime: Duration,
        _ body: (ActionExecutionServer, Task<Void, Never>, TestClient, _ gate: String) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { root in
            let configuration = serverConfiguration(in: root) {
                $0.shutdownTime = shutdownTime
                // However long another test has the processors while half a request is sent.
                $0.limits.headTime = .seconds(1000)
            }
            let server = try ActionExecutionServer(configuration)
            let running = Task.detached { await server.run() }
            do {
                let client = try await TestClient(server.addresses[0])
                let directory = configuration.workingDirectory
                _ = try await client.run("mkfifo gate started")
                let command = TestClient.command("echo >started; cat gate")
                try await client.send(TestClient.encoded("POST", "/execute_action", body: command))
                try await Self.waitForWriter(directory + "/started")
                try await body(server, running, client, directory + "/gate")
            } catch {
                await server.shutDownNow()
                await running.value
                throw error
            }
            await running.value
        }
    }

    /// Waits until the command has opened the pipe and closed it again.
    private static func waitForWriter(_ pipe: String) async throws {
        _ = try await Task.offloaded { try FileHandle(forReadingFrom: URL(filePath: pipe)).readToEnd() }
    }

    @Test("A command under way gets its end and its answer, while all else is refused")
    func inPeace() async throws {
        try await withRunningCommand(.seconds(1000)) { server, running, client, gate in
            let (idle, begun) = (try await TestClient(server.addresses[0]), try await TestClient(server.addresses[1]))
            for client in [idle, begun] { #expect(try await client.request("GET", "/alive").status == 200) }
            // The beginning of a request, which the server has when it answers the one before.
            try await begun.send(TestClient.encoded("GET", "/alive") + "GET /al")
            #expect(try await begun.receive().status == 200)
            running.cancel()
            let idleIsAtEnd = try await idle.isAtEnd()
            #expect(idleIsAtEnd)
            for address in server.addresses {
                await #expect(throws: TestClient.Failure.self) { try await TestClient(address) }
            }
            try await begun.send("ive HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let refused = try await begun.receive()
            #expect(refused.status == 503)
            #expect(refused.headers.single("connection") == "close")
            try await Task.offloaded { try writeFile(gate, Array("whole".utf8), mode: 0o600) }
            let response = try await client.receive()
            #expect(try response.json["content"]?.stringValue == "whole")
            #expect(response.headers.single("connection") == "close")
        }
    }

    @Test("A command that takes longer than the limit is ended, and its client told")
    func limit() async throws {
        try await withRunningCommand(.milliseconds(50)) { _, running, client, _ in
            running.cancel()
            let response = try await client.receive()
            #expect(try response.json["observation"]?.stringValue == "error")
        }
    }

    @Test("A command whose client is gone is not waited for")
    func clientGone() async throws {
        try await withRunningCommand(.seconds(1000)) { _, running, client, _ in
            running.cancel()
            await client.close()
        }
    }

    @Test("The end can be had at once after all")
    func atOnce() async throws {
        try await withRunningCommand(.seconds(1000)) { server, _, client, _ in
            server.shutDown()
            await server.shutDownNow()
            let response = try await client.receive()
            #expect(try response.json["observation"]?.stringValue == "error")
        }
    }

    @Test("The first signal ends the process in peace, the second at once", arguments: [SIGTERM, SIGINT])
    func signals(number: Int32) async throws {
        try await withTemporaryDirectory { root in
            let arguments = ["0", "--host", "127.0.0.1", "--working-dir", root, "--shutdown-time", "1000"]
            try await withServerProcess(arguments) { server in
                let port = try #require(try server.firstLine().split(separator: ":").last.flatMap { Int($0) })
                let address = ServerAddress.tcp(host: "127.0.0.1", port: port)
                let (client, idle) = (try await TestClient(address), try await TestClient(address))
                #expect(try await idle.request("GET", "/alive").status == 200)
                _ = try await client.run("mkfifo gate started")
                let command = TestClient.command("echo >started; cat gate")
                try await client.send(TestClient.encoded("POST", "/execute_action", body: command))
                try await Self.waitForWriter(root + "/started")
                kill(server.process.processIdentifier, number)
                let isAtEnd = try await idle.isAtEnd()
                #expect(isAtEnd)
                #expect(server.process.isRunning)
                kill(server.process.processIdentifier, number)
                #expect(try await client.receive().json["observation"]?.stringValue == "error")
                #expect(try await server.end().status == 0)
            }
        }
    }
}
