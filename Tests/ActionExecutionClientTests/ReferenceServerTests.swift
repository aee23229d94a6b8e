import ActionExecutionClient
import ActionExecutionServer
import CurlHTTP
import EventStream
import Foundation
import TestSupport
import Testing

/// The client with a server of ours and, where `REFERENCE_PYTHON` names a Python that has it, with the reference's.
@Suite("The client drives a server of ours and one of the reference alike", .timeLimit(.minutes(5)))
struct ReferenceServerTests {
    enum Peer: String, CaseIterable, CustomTestStringConvertible {
        case ours, reference
        var testDescription: String { rawValue }

        static var available: [Peer] { python == nil ? [.ours] : allCases }
        static var python: String? { ProcessInfo.processInfo.environment["REFERENCE_PYTHON"] }
    }

    @Test("Commands, their ends and their limits", arguments: Peer.available)
    func commands(peer: Peer) async throws {
        try await withServer(peer) { server in
            let first = try await server.run("mkdir -p sub && cd sub && echo héllo")
            #expect(first.content == "héllo")
            #expect(first.metadata.exitCode == 0)
            #expect(first.metadata.workingDirectory == server.directory + "/sub")
            #expect(first.metadata.suffix == "\n[The command completed with exit code 0.]")

            let failed = try await server.run("pwd; echo oops >&2; (exit 7)")
            #expect(failed.content == server.directory + "/sub\noops")
            #expect(failed.metadata.exitCode == 7)

            let asked = try await server.run(
                CommandAction(command: "read x; echo \"got $x\"", blocking: true),
                timeout: 1
            )
            #expect(asked.metadata.exitCode == -1)
            #expect(asked.metadata.suffix.hasPrefix("\n[The command timed out after 1.0 seconds. You may wait longer"))
            let answered = try await server.run(CommandAction(command: "this", isInput: true))
            #expect(answered.content == "got this")

            _ = try await server.run(CommandAction(command: "sleep 60", blocking: true), timeout: 1)
            let interrupted = try await server.run(CommandAction(command: "C-c", isInput: true))
            #expect(interrupted.metadata.exitCode == 130)
        }
    }

    @Test("Files are written, read and edited", arguments: Peer.available)
    func files(peer: Peer) async throws {
        try await withServer(peer) { server in
            let path = server.directory + "/note.txt"
            let written = try await server.client.execute(
                ActionInvocation(.write(FileWriteAction(path: path, content: "one\ntwo\nthree")))
            )
            #expect(written == .write(FileWriteObservation(content: "", path: path)))

            let read = try await server.client.execute(
                ActionInvocation(.read(FileReadAction(path: path, start: 1, end: 2)))
            )
            #expect(read == .read(FileReadObservation(content: "two\n", path: path)))

            let edited = try await server.client.execute(
                ActionInvocation(
                    .edit(
                        FileEditAction(path: path, command: "str_replace", oldString: "two", newString: "TWO")
                    )
                )
            )
            guard case .edit(let edit) = edited else {
                Issue.record("answered with \(edited)")
                return
            }
            #expect(edit.content.contains("     2\tTWO\n"))
            #expect(edit.diff == "--- \(path)\n+++ \(path)\n@@ -2 +2 @@\n-two\n+TWO")

            let missing = try await server.client.execute(ActionInvocation(.read(FileReadAction(path: "nowhere.txt"))))
            let text =
                "File not found: \(server.directory)/nowhere.txt. Your current working directory is \(server.directory)."
            #expect(missing == .error(ErrorObservation(content: text)))
        }
    }

    @Test("What no server performs is refused", arguments: Peer.available)
    func refusal(peer: Peer) async throws {
        try await withServer(peer) { server in
            await #expect(throws: RuntimeError.self) {
                try await server.client.execute(ActionInvocation(.think(ThinkAction(thought: "hm"))))
            }
            // It serves on.
            let served = try await server.run("echo on")
            #expect(served.content == "on")
        }
    }

    // MARK: Servers

    private func withServer(_ peer: Peer, _ body: (Driven) async throws -> Void) async throws {
        let http = try HTTPClient()
        defer { http.shutdown() }
        switch peer {
        case .ours:
            try await withOurs { url, directory in
                let client = ActionExecutionClient(endpoint: .init(url: url), http: http)
                try await client.waitUntilReady()
                try await body(Driven(client: client, directory: directory, pause: .zero))
            }
        case .reference:
            try await withReference { url, directory in
                let client = ActionExecutionClient(endpoint: .init(url: url), http: http)
                try await client.waitUntilReady()
                try await body(Driven(client: client, directory: directory, pause: .milliseconds(700)))
            }
        }
    }

    /// Lends a server of this process: where it is, and its working directory.
    private func withOurs(_ body: (_ url: String, _ directory: String) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let directory = directory.resolvingSymlinksInPath().path + "/workspace"
            let address = ServerAddress.tcp(host: "127.0.0.1", port: 0)
            var configuration = ServerConfiguration(addresses: [address], workingDirectory: directory)
            configuration.environment = ["HOME": directory, "PATH": "/usr/local/bin:/usr/bin:/bin"]
            let server = try ActionExecutionServer(configuration)
            guard case .tcp(_, let port)? = server.addresses.first else { return }
            let running = Task.detached { await server.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body("http://127.0.0.1:\(port)", directory))
            } catch {
                result = .failure(error)
            }
            running.cancel()
            await running.value
            try result.get()
        }
    }

    /// Lends a server of the reference: where it is, and its working directory.
    private func withReference(_ body: (_ url: String, _ directory: String) async throws -> Void) async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let script = tests.appending(path: "ActionExecutionServerTests/Fixtures/record_exchanges.py").path
        try await withTemporaryDirectory { directory in
            let process = try ChildProcess(
                try #require(Peer.python),
                [script, "--serve"],
                output: directory.appending(path: "log")
            )
            let result: Result<Void, any Error>
            do {
                try await process.waits(for: " .\n")
                let words = process.text.split(separator: " ")
                try #require(words.first == "ready" && words.count > 2, "\(process.text)")
                result = .success(try await body(String(words[1]), String(words[2])))
            } catch {
                result = .failure(error)
            }
            process.signal(SIGTERM)
            _ = await process.exitStatus()
            try result.get()
        }
    }
}

/// A server that is ready.
private struct Driven {
    var client: ActionExecutionClient
    var directory: String
    /// The reference's server loses the output of commands that come too soon after one another.
    var pause: Duration

    struct Unexpected: Error, CustomStringConvertible {
        var description: String
    }

    func run(_ command: String) async throws -> CommandObservation {
        try await run(CommandAction(command: command))
    }

    func run(_ action: CommandAction, timeout: Double = 30) async throws -> CommandObservation {
        try await Task.sleep(for: pause)
        let observation = try await client.execute(ActionInvocation(.run(action), timeout: timeout))
        guard case .run(let result) = observation else { throw Unexpected(description: "answered with \(observation)") }
        return result
    }
}
