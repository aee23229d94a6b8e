import ActionExecutionClient
import ActionExecutionServer
import CurlHTTP
import EventStream
import Foundation
import TestSupport
import Testing

/// What becomes of actions that a killed process has left without an observation.
@Suite(.timeLimit(.minutes(5)))
struct EarlierRunTests {
    /// A log in a directory, of a process that is gone.
    private func earlierRun(_ directory: URL, _ commands: [String]) async throws {
        let stream = try EventStream(directory: directory.appending(path: "log").path)
        for command in commands { try await stream.publish(.run(CommandAction(command: command)), timeout: 30) }
        try await stream.close()
    }

    /// A runtime that is a server in this process.
    private final class ServerRuntime: Runtime {
        let client: ActionExecutionClient

        init(_ client: ActionExecutionClient) { self.client = client }

        var statusUpdates: AsyncStream<RuntimeStatusUpdate> { RuntimeStatusHub().updates }
        func connect() async throws {}
        func execute(_ invocation: ActionInvocation) async throws -> Observation {
            try await client.execute(invocation)
        }
        func close() async {}
    }

    /// Runs a server while `body` runs, which gets a client of it.
    private func withServer(_ directory: URL, _ body: (ActionExecutionClient) async throws -> Void) async throws {
        var configuration = ServerConfiguration(
            addresses: [.tcp(host: "127.0.0.1", port: 0)],
            workingDirectory: directory.path
        )
        configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere"]
        let server = try ActionExecutionServer(configuration)
        guard case .tcp(_, let port)? = server.addresses.first else { throw CancellationError() }
        let serving = Task { await server.run() }
        let http = try HTTPClient()
        let result: Result<Void, any Error>
        do {
            let client = ActionExecutionClient(endpoint: .init(url: "http://127.0.0.1:\(port)"), http: http)
            try await client.waitUntilReady()
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        http.shutdown()
        serving.cancel()
        await serving.value
        try result.get()
    }

    /// Carries the actions of the log until the last one of them is answered.
    private func carry(
        _ directory: URL,
        to client: ActionExecutionClient
    ) async throws -> [(cause: Int?, Observation)] {
        let stream = try EventStream(directory: directory.appending(path: "log").path)
        let last = stream.nextID - 1
        let loop = ActionLoop(stream: stream, runtime: ServerRuntime(client), sessionID: "s")
        let running = Task { try await loop.run() }
        for try await event in stream.subscribe(from: 0, where: .observations) where event.cause == last { break }
        running.cancel()
        try await running.value
        let answers = try stream.events(where: .observations)
        try await stream.close()
        return answers.compactMap { event in event.observation.map { (event.cause, $0) } }
    }

    private func text(_ observation: Observation) -> String {
        switch observation {
        case .run(let result): result.content
        case .error(let error): error.content
        default: ""
        }
    }

    @Test("P7: an action that may have begun in a sandbox that is gone isn't run again; those after it are run")
    func newServer() async throws {
        try await withTemporaryDirectory { directory in
            try await earlierRun(directory, ["echo first >> runs", "echo second >> runs; cat runs", "cat runs"])
            try await withServer(directory) { client in
                let answers = try await carry(directory, to: client)
                #expect(answers.map(\.cause) == [0, 1, 2])
                #expect(text(answers[0].1) == RuntimeError.outcomeUnknown.description)
                #expect(answers.dropFirst().map { text($0.1) } == ["second", "second"])
            }
        }
    }

    @Test("P7: a server that was there all the time performs what never arrived, and answers what did with its result")
    func sameServer() async throws {
        for hadArrived in [true, false] {
            try await withTemporaryDirectory { directory in
                try await withServer(directory) { client in
                    try await earlierRun(directory, ["echo first >> runs; cat runs", "cat runs"])
                    if hadArrived {
                        let stream = try EventStream(directory: directory.appending(path: "log").path)
                        let event = try #require(try stream.events(where: .actions).first)
                        let action = try #require(event.action)
                        _ = try await client.execute(ActionInvocation(event: event, action: action, sessionID: "s"))
                        try await stream.close()
                    }
                    let answers = try await carry(directory, to: client)
                    #expect(answers.map(\.cause) == [0, 1])
                    #expect(answers.map { text($0.1) } == ["first", "first"])
                }
            }
        }
    }

    @Test("Actions that were published by this process before its loop ran have not begun, and are run")
    func sameProcess() async throws {
        try await withTemporaryDirectory { directory in
            let stream = EventStream()
            let action = try await stream.publish(.run(CommandAction(command: "echo run")), timeout: 30)
            try await withServer(directory) { client in
                let loop = ActionLoop(stream: stream, runtime: ServerRuntime(client), sessionID: "s")
                let running = Task { try await loop.run() }
                let answer = try await stream.answer(to: action)?.observation
                #expect(answer.map(text) == "run")
                running.cancel()
                try await running.value
            }
        }
    }

    @Test("A suspended client ends what is under way and refuses more; resumed, it goes on")
    func suspension() async throws {
        try await withTemporaryDirectory { directory in
            var configuration = ServerConfiguration(
                addresses: [.tcp(host: "127.0.0.1", port: 0)],
                workingDirectory: directory.path
            )
            configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere"]
            let server = try ActionExecutionServer(configuration)
            guard case .tcp(_, let port)? = server.addresses.first else { throw CancellationError() }
            let serving = Task { await server.run() }
            let http = try HTTPClient()
            let client = ActionExecutionClient(endpoint: .init(url: "http://127.0.0.1:\(port)"), http: http)
            try await client.waitUntilReady()
            let invocation = ActionInvocation(
                .run(CommandAction(command: "touch begun; until [ -e go ]; do :; done; echo went on"))
            )
            let waiting = Task { try await client.execute(invocation) }
            try await until { FileManager.default.fileExists(atPath: directory.appending(path: "begun").path) }
            http.suspend()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let error = await #expect(throws: HTTPError.self) { try await client.serverInfo() }
            #expect(error?.kind == .shutDown)
            http.resume()
            try Data().write(to: directory.appending(path: "go"))
            #expect(text(try await client.execute(invocation)) == "went on")
            http.shutdown()
            serving.cancel()
            await serving.value
        }
    }
}
