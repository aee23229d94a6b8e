import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import Foundation
import Synchronization
import TestSupport
import Testing

/// A session of one test: an id that no other has, and the engine.
struct TestSession: Sendable {
    /// Unlike any other, also one of a test that runs elsewhere on the engine.
    var id = "e2e-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    let engine: DockerEngineClient

    /// What a container of the session is made of.
    func configuration(image: String = TestEnvironment.image) throws -> DockerRuntime.Configuration {
        var configuration = DockerRuntime.Configuration(image: image)
        configuration.serverBinary = try TestEnvironment.serverBinary()
        return configuration
    }

    /// The containers with the session's label, whatever they do.
    func containers() async throws -> [ContainerSummary] {
        let labels = ["swift-docker-runtime.session": id]
        return try await engine.listContainers(all: true, filters: .labels(labels))
    }

    /// Waits until a file is in the session's container, which is how a command says that it is at work.
    func waitForFile(_ path: String, in runtime: DockerRuntime) async throws {
        try await until {
            do {
                _ = try await engine.pathStatus(of: path, in: runtime.containerName)
                return true
            } catch let error as DockerEngineError where error.isNotFound {
                return false
            }
        }
    }
}

/// Lends a session, of which no container may be left afterwards.
func withSession(_ body: (TestSession) async throws -> Void) async throws {
    let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
    defer { engine.close() }
    let session = TestSession(engine: engine)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(session))
    } catch {
        result = .failure(error)
    }
    let left = try await session.containers()
    #expect(left.map(\.names) == [], "containers of the session are left")
    for container in left { try? await engine.removeContainer(container.id, force: true, removesVolumes: true) }
    try result.get()
}

/// A connected runtime with what belongs to it.
struct ConnectedRuntime: Sendable {
    let session: TestSession
    let runtime: DockerRuntime
    let stream: EventStream
    let statuses: StatusRecorder
}

/// Lends a connected runtime, and closes it.
func withRuntime(
    image: String = TestEnvironment.image,
    _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in },
    _ body: (ConnectedRuntime) async throws -> Void
) async throws {
    try await withSession { session in
        var configuration = try session.configuration(image: image)
        configure(&configuration)
        let (stream, statuses) = (EventStream(), StatusRecorder())
        let runtime = DockerRuntime(configuration: configuration, eventStream: stream, sessionID: session.id) {
            statuses.add($0)
        }
        try await runtime.connect()
        let connected = ConnectedRuntime(session: session, runtime: runtime, stream: stream, statuses: statuses)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(connected))
        } catch {
            result = .failure(error)
        }
        await runtime.close()
        try await stream.close()
        try result.get()
    }
}

/// Remembers status updates.
final class StatusRecorder: Sendable {
    private let state = Mutex<[RuntimeStatusUpdate]>([])

    var updates: [RuntimeStatusUpdate] { state.withLock { $0 } }
    /// The statuses, progress within one left out.
    var statuses: [RuntimeStatus] { updates.filter { $0.progress == nil }.map(\.status) }

    func add(_ update: RuntimeStatusUpdate) {
        state.withLock { $0.append(update) }
    }
}

extension Observation {
    /// The text of an error.
    var error: String? {
        if case .error(let error) = self { error.content } else { nil }
    }
}
