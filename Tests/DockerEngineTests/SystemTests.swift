import CurlHTTP
import DockerEngine
import Foundation
import SocketTestServer
import Testing

@Suite("The engine", .timeLimit(.minutes(2)))
struct SystemTests {
    @Test func answersAndTellsItsVersionAndHost() async throws {
        try await withEngine { engine, _ in
            try await engine.ping()
            let version = try await engine.version()
            let highest = try #require(EngineAPIVersion(version.apiVersion))
            let agreed = try await engine.apiVersion()
            #expect(agreed == min(highest, .maximum))
            let information = try await engine.information()
            #expect(information.serverVersion == version.version)
            #expect(information.osType == "linux")
            #expect(information.cpuCount > 0)
            #expect(information.memoryTotal > 0)
            #expect(information.runtimes?.keys.contains(information.defaultRuntime ?? "") == true)
        }
    }

    @Test func reportsWhatHappens() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            let start = Int(Date.now.timeIntervalSince1970) - 1
            var filters = scope.filter
            filters.add("type", "container")
            let events = try await engine.events(filters: filters, since: "\(start)")
            let id = try await scope.run("exit 3", image: image)
            var actions: [String] = []
            for try await event in events {
                #expect(event.kind == .container)
                #expect(event.actor.id == id)
                #expect(event.timeNanoseconds / 1_000_000_000 >= start)
                actions.append(event.action)
                if event.action == "die" {
                    #expect(event.actor.attributes?["exitCode"] == "3")
                    break
                }
            }
            #expect(actions == ["create", "start", "die"])
            // A stream with an end in the past replays and ends.
            let now = Int(Date.now.timeIntervalSince1970) + 1
            var replayed: [String] = []
            for try await event in try await engine.events(filters: filters, since: "\(start)", until: "\(now)") {
                replayed.append(event.action)
            }
            #expect(replayed.starts(with: actions))
        }
    }

    @Test func endingTheReaderOfEventsEndsThem() async throws {
        try await withEngine { engine, scope in
            let task = Task {
                for try await _ in try await engine.events(filters: scope.filter) {}
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

@Suite("Without an engine", .timeLimit(.minutes(1)))
struct UnreachableEngineTests {
    private func error(at endpoint: DockerEndpoint) async throws -> DockerEngineError? {
        let engine = try DockerEngineClient(endpoint: endpoint)
        defer { engine.close() }
        return try await engineError { try await engine.ping() }
    }

    @Test func aMissingSocketIsNamedWithAdvice() async throws {
        let error = try await error(at: DockerEndpoint(.unix(path: "/nonexistent/docker.sock")))
        guard case .unreachable(let endpoint, let underlying) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
            return
        }
        #expect(endpoint == "unix:///nonexistent/docker.sock")
        #expect(underlying.kind == .couldNotConnect)
        #expect(error?.description.contains("is Docker installed and running?") == true)
    }

    @Test func aRefusedPortIsNamedWithAdvice() async throws {
        let (descriptor, port) = try Socket.boundToLoopback()
        defer { Socket.close(descriptor) }
        let error = try await error(at: DockerEndpoint(.tcp(host: "127.0.0.1", port: Int(port), tls: nil)))
        #expect(error?.description.contains("start the engine") == true)
        #expect(error?.description.contains("tcp://127.0.0.1:\(port)") == true)
    }

    @Test func aPortWithoutTLSIsNamedWithAdvice() async throws {
        let server = try TestServer { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForClose()
        }
        defer { server.stop() }
        let port = try #require(Int(server.url.split(separator: ":").last ?? ""))
        let error = try await error(at: DockerEndpoint(.tcp(host: "127.0.0.1", port: port, tls: TLSConfiguration())))
        #expect(error?.description.contains("DOCKER_TLS_VERIFY") == true)
    }

    @Test func aClosedClientSaysSo() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        engine.close()
        guard case .transport(_, let underlying) = try await engineError(from: { try await engine.ping() }) else {
            Issue.record("no transport error")
            return
        }
        #expect(underlying.kind == .shutDown)
    }
}

/// Faults that a healthy engine doesn't show.
@Suite("An engine that misbehaves", .timeLimit(.minutes(1)))
struct FaultyEngineTests {
    /// Answers `/version` well and everything else with the given bytes; closes then.
    private func withFaultyEngine(
        version: String = #"{"Version":"1","ApiVersion":"1.41","MinAPIVersion":"1.12"}"#,
        answer: String,
        _ body: (DockerEngineClient) async throws -> Void
    ) async throws {
        let server = try TestServer(.unix) { connection in
            while let request = connection.readHead() {
                guard request.path == "/version" else {
                    connection.send(answer)
                    return
                }
                connection.respond(body: Array(version.utf8))
            }
        }
        defer { server.stop() }
        let engine = try DockerEngineClient(endpoint: DockerEndpoint(.unix(path: try #require(server.unixSocketPath))))
        defer { engine.close() }
        try await body(engine)
    }

    @Test(
        "with no common version is refused",
        arguments: [
            #"{"Version":"1","ApiVersion":"1.40","MinAPIVersion":"1.12"}"#,
            #"{"Version":"1","ApiVersion":"1.60","MinAPIVersion":"1.48"}"#,
            #"{"Version":"1","ApiVersion":"two"}"#,
        ]
    )
    func unsupported(version: String) async throws {
        try await withFaultyEngine(version: version, answer: "") { engine in
            guard case .unsupportedVersion = try await engineError(from: { try await engine.information() }) else {
                Issue.record("it was accepted")
                return
            }
        }
    }

    @Test(
        "is spoken to in the highest common version",
        arguments: [("1.41", "1.41"), ("1.44", "1.44"), ("1.47", "1.47"), ("1.52", "1.47")]
    )
    func negotiated(engineVersion: String, agreed: String) async throws {
        let version = #"{"Version":"1","ApiVersion":"\#(engineVersion)","MinAPIVersion":"1.24","New":{"x":[1]}}"#
        try await withFaultyEngine(version: version, answer: "") { engine in
            let negotiated = try await engine.apiVersion()
            #expect("\(negotiated)" == agreed)
        }
    }

    @Test func answersThatMakeNoSenseAreShown() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Id\": 1}"
        try await withFaultyEngine(answer: answer) { engine in
            guard
                case .decoding(let call, let body, _) = try await engineError(from: {
                    try await engine.inspectImage("x")
                })
            else {
                Issue.record("it was accepted")
                return
            }
            #expect(call == "GET /images/x/json")
            #expect(body == "{\"Id\": 1}")
        }
    }

    @Test func refusalsWithoutJSONKeepTheirText() async throws {
        try await withFaultyEngine(answer: "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nproxy") { engine in
            let error = try await engineError { try await engine.startContainer("x") }
            #expect(error == .api(status: 502, message: "proxy", call: "POST /containers/x/start"))
        }
    }

    @Test func aStreamThatBreaksOffIsATransportError() async throws {
        let line = #"{"status":"Downloading","id":"a"}"#
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n22\r\n\(line)\n\r\n"
        try await withFaultyEngine(answer: answer) { engine in
            var statuses: [String] = []
            let error = try await engineError {
                for try await progress in try await engine.pullImage("x") { statuses.append(progress.status) }
            }
            #expect(statuses == ["Downloading"])
            guard case .transport(let call, let underlying) = error else {
                Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
                return
            }
            #expect(call == "POST /images/create")
            #expect(underlying.kind == .connectionLostDuringResponse)
        }
    }

    @Test func aFailureWithinAStreamIsThrown() async throws {
        let line = #"{"errorDetail":{"message":"disk full"},"error":"disk full"}"#
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(line.utf8.count + 2)\r\n\r\n\(line)\r\n"
        try await withFaultyEngine(answer: answer) { engine in
            let error = try await engineError { for try await _ in try await engine.pullImage("x") {} }
            #expect(error == .operationFailed(message: "disk full", call: "POST /images/create"))
        }
    }

    @Test func anEngineThatHangsRunsIntoTheTimeLimit() async throws {
        let server = try TestServer(.unix) { $0.waitForClose() }
        defer { server.stop() }
        var configuration = DockerEngineClient.Configuration()
        configuration.callTimeout = .milliseconds(100)
        let endpoint = DockerEndpoint(.unix(path: try #require(server.unixSocketPath)))
        let engine = try DockerEngineClient(endpoint: endpoint, configuration: configuration)
        defer { engine.close() }
        guard case .transport(_, let underlying) = try await engineError(from: { try await engine.ping() }) else {
            Issue.record("it didn't time out")
            return
        }
        #expect(underlying.kind == .timedOut(.total))
    }

    @Test func emptyNamesAreRefusedBeforeTheyReachAnotherRoute() async throws {
        try await withFaultyEngine(answer: "HTTP/1.1 204 No Content\r\n\r\n") { engine in
            for operation in [
                engine.removeNetwork, { try await engine.removeContainer($0) }, { try await engine.removeVolume($0) },
            ] {
                guard case .invalidArgument = try await engineError(from: { try await operation("") }) else {
                    Issue.record("it was sent")
                    return
                }
            }
        }
    }
}
