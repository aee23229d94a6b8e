import ActionExecutionClient
import ActionExecutionServer
import CurlHTTP
import EventStream
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ExactlyOnceTests {
    private static let key = "0123456789abcdef"
    /// Without a home, whose .bashrc is not ours to test.
    private static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere"]

    /// Lends a client of a server in this process, with a proxy between the two.
    private func withServer(
        cuts: [CuttingProxy.Cut?],
        _ body: (ActionExecutionClient, CuttingProxy, URL) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            var configuration = ServerConfiguration(
                addresses: [.tcp(host: "127.0.0.1", port: 0)],
                workingDirectory: directory.path
            )
            configuration.environment = Self.environment
            configuration.sessionAPIKeyDigest = SHA256.digest(Self.key)
            try await Self.serve(configuration) { port in
                let proxy = try CuttingProxy(to: port, cuts: cuts)
                defer { proxy.stop() }
                let http = try HTTPClient()
                defer { http.shutdown() }
                let client = ActionExecutionClient(
                    endpoint: .init(url: "http://127.0.0.1:\(proxy.port)", sessionAPIKey: Self.key),
                    http: http
                )
                try await body(client, proxy, directory)
            }
        }
    }

    /// A server; one on a certain port when that is free, which its last user may still be about to give back.
    private static func server(_ configuration: ServerConfiguration) async throws -> ActionExecutionServer {
        while true {
            let failure: SystemError
            do {
                return try ActionExecutionServer(configuration)
            } catch {
                failure = error
            }
            guard failure.code == EADDRINUSE else { throw failure }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Checks a server that may take a while to have its turn on a busy machine.
    private static func checkReady(_ client: ActionExecutionClient) async throws {
        while true {
            do {
                return try await client.checkReady()
            } catch {
                guard error is HTTPError else { throw error }
            }
        }
    }

    /// Runs a server while `body` runs, which gets its port.
    private static func serve<Result>(
        _ configuration: ServerConfiguration,
        _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let server = try await self.server(configuration)
        guard case .tcp(_, let port)? = server.addresses.first else { throw CancellationError() }
        let serving = Task { await server.run() }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(port))
        } catch {
            result = .failure(error)
        }
        serving.cancel()
        await serving.value
        return try result.get()
    }

    /// A command that leaves a line in a file each time it runs, and takes long enough to be caught at it.
    private static func counting(_ number: Int = 0) -> ActionInvocation {
        ActionInvocation(.run(CommandAction(command: "echo \(number) >> counter; sleep 0.05; echo done \(number)")))
    }

    private static func lines(_ directory: URL) throws -> [String] {
        try String(contentsOf: directory.appending(path: "counter"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test("P7: a command whose stream of output is cut runs once, and nothing of its output is told twice")
    func cutStream() async throws {
        try await withServer(cuts: [nil, .duringResponse]) { client, proxy, directory in
            try await client.waitUntilReady()
            _ = try await client.execute(ActionInvocation(.run(CommandAction(command: "mkfifo gate"))))
            let command = "echo x >> counter; echo one; read x <gate; echo two"
            var shown = ""
            var observation: Observation?
            var isOpened = false
            for try await update in client.updates(of: ActionInvocation(.run(CommandAction(command: command)))) {
                switch update {
                case .output(let change):
                    change.apply(to: &shown)
                    // The connection that tells of the rest is the second one.
                    guard !isOpened, proxy.requestCount == 3 else { continue }
                    isOpened = true
                    try Data("\n".utf8).write(to: directory.appending(path: "gate"))
                case .observation(let last):
                    observation = last
                }
            }
            #expect(shown == "one\ntwo\n")
            guard case .run(let result)? = observation else {
                Issue.record("ended with \(String(describing: observation))")
                return
            }
            #expect(result.content == "one\ntwo")
            #expect(try Self.lines(directory) == ["x"])
        }
    }

    @Test(
        "P7: a command whose connection is cut runs once, and its observation arrives",
        arguments: CuttingProxy.Cut.allCases
    )
    func cut(_ cut: CuttingProxy.Cut) async throws {
        try await withServer(cuts: [cut]) { client, proxy, directory in
            try await client.waitUntilReady()
            guard case .run(let result) = try await client.execute(Self.counting()) else {
                Issue.record("not a command's observation")
                return
            }
            #expect(result.content == "done 0")
            #expect(result.metadata.exitCode == 0)
            #expect(try Self.lines(directory) == ["0"])
            #expect(proxy.requestCount == (cut == .afterResponse ? 1 : 2))
        }
    }

    @Test("P7: a command runs once though its connection is cut in every way in turn")
    func manyCuts() async throws {
        let cuts = CuttingProxy.Cut.allCases.filter { $0 != .afterResponse }
        try await withServer(cuts: cuts) { client, proxy, directory in
            try await client.waitUntilReady()
            guard case .run(let result) = try await client.execute(Self.counting()) else {
                Issue.record("not a command's observation")
                return
            }
            #expect(result.content == "done 0")
            #expect(try Self.lines(directory) == ["0"])
            #expect(proxy.requestCount == cuts.count + 1)
        }
    }

    @Test(
        "P7: through a loop, each action runs once and is answered once while connections are cut at random"
    )
    func randomCuts() async throws {
        let cuts = (0..<60).map { _ in Bool.random() ? CuttingProxy.Cut.allCases.randomElement() : nil }
        try await withServer(cuts: cuts) { client, _, directory in
            try await client.waitUntilReady()
            let stream = EventStream()
            let loop = ActionLoop(
                stream: stream,
                runtime: ScriptedRuntime { try await client.execute($0) },
                sessionID: "session with blanks and ünicode"
            )
            let running = Task { try await loop.run() }
            defer { running.cancel() }
            for number in 0..<30 {
                let command = CommandAction(command: "echo \(number) >> counter; echo done \(number)")
                let answer = try await stream.perform(.run(command))
                #expect(answer?.content == "done \(number)")
            }
            running.cancel()
            try await running.value
            #expect(try Self.lines(directory) == (0..<30).map(String.init))
            let answered = try stream.events(where: .observations).compactMap(\.cause)
            #expect(answered == (try stream.events(where: .actions).map(\.id)))
        }
    }

    @Test("P7: a server that was started anew does not run the action again")
    func serverStartedAnew() async throws {
        try await withTemporaryDirectory { directory in
            var configuration = ServerConfiguration(
                addresses: [.tcp(host: "127.0.0.1", port: 0)],
                workingDirectory: directory.path
            )
            configuration.environment = Self.environment
            let http = try HTTPClient()
            defer { http.shutdown() }
            let client = try await Self.serve(configuration) { port in
                let client = ActionExecutionClient(endpoint: .init(url: "http://127.0.0.1:\(port)"), http: http)
                try await client.waitUntilReady()
                configuration.addresses = [.tcp(host: "127.0.0.1", port: port)]
                return client
            }
            try await Self.serve(configuration) { _ in
                let error = await #expect(throws: RuntimeError.self) { try await client.execute(Self.counting()) }
                #expect(error?.description.contains("started anew") == true)
            }
            #expect(!FileManager.default.fileExists(atPath: directory.appending(path: "counter").path))
        }
    }

    @Test("A server that lets in requests without its key is not taken for ready")
    func keyNotAsked() async throws {
        try await withTemporaryDirectory { directory in
            let configuration = ServerConfiguration(
                addresses: [.tcp(host: "127.0.0.1", port: 0)],
                workingDirectory: directory.path
            )
            let http = try HTTPClient()
            defer { http.shutdown() }
            try await Self.serve(configuration) { port in
                let client = ActionExecutionClient(
                    endpoint: .init(url: "http://127.0.0.1:\(port)", sessionAPIKey: Self.key),
                    http: http
                )
                let error = await #expect(throws: RuntimeError.self) { try await Self.checkReady(client) }
                #expect(error?.description.contains("200 without the key") == true)
            }
        }
    }

    @Test("A request with a wrong key is refused, not repeated")
    func wrongKey() async throws {
        try await withServer(cuts: []) { client, proxy, _ in
            var endpoint = client.endpoint
            endpoint.sessionAPIKey = "wrong"
            let http = try HTTPClient()
            defer { http.shutdown() }
            let intruder = ActionExecutionClient(endpoint: endpoint, http: http)
            await #expect(throws: RuntimeError.refused(status: 403, detail: "Invalid API Key")) {
                try await intruder.execute(Self.counting())
            }
            #expect(proxy.requestCount == 1)
        }
    }

    @Test("Cancelling the task ends a request at once")
    func cancellation() async throws {
        try await withServer(cuts: []) { client, _, directory in
            try await client.waitUntilReady()
            let invocation = ActionInvocation(.run(CommandAction(command: "echo > begun; sleep 1000")))
            let request = Task { try await client.execute(invocation) }
            try await until { FileManager.default.fileExists(atPath: directory.appending(path: "begun").path) }
            request.cancel()
            await #expect(throws: CancellationError.self) { try await request.value }
        }
    }
}
