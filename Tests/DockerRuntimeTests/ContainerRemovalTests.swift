import DockerEngine
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct ContainerRemovalTests {
    /// Makes a container that removes itself when it ends, as sandboxes do.
    private func container(_ command: [String], on engine: DockerEngineClient) async throws -> String {
        var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: command)
        request.configuration.labels = Labels.ofTest
        request.host.autoRemove = true
        request.host.networkMode = "none"
        return try await engine.createContainer(request).id
    }

    private func expectGone(_ container: String, _ engine: DockerEngineClient) async throws {
        let error = await #expect(throws: DockerEngineError.self) { try await engine.inspectContainer(container) }
        #expect(error?.isNotFound == true)
    }

    @Test("Whether it was never started, runs, is ending or is gone, a container is gone afterwards")
    func states() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        let created = try await container(["sleep", "1000"], on: engine)
        let running = try await container(["sleep", "1000"], on: engine)
        try await engine.startContainer(running)
        let ending = try await container(["sleep", "1000"], on: engine)
        try await engine.startContainer(ending)
        try await engine.killContainer(ending)
        for container in [created, running, ending, ending] {
            try await engine.removeOwnContainer(container)
            try await expectGone(container, engine)
        }
    }

    @Test("Removing at the moment of the end waits until it is gone, however the two meet")
    func races() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        for _ in 0..<5 {
            let container = try await container(["sleep", "1000"], on: engine)
            try await engine.startContainer(container)
            async let first: Void = engine.removeOwnContainer(container)
            async let second: Void = engine.removeOwnContainer(container)
            try? await engine.killContainer(container)
            _ = try await (first, second)
            try await expectGone(container, engine)
        }
    }

    @Test("Cancelling the task that removes doesn't keep the container")
    func cancelled() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        let container = try await container(["sleep", "1000"], on: engine)
        try await engine.startContainer(container)
        let removing = Task { try await engine.removeOwnContainer(container) }
        removing.cancel()
        try await removing.value
        try await expectGone(container, engine)
    }

    @Test("A container's first words and its end are not missed, however soon it ends")
    func watch() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        for code in 0..<5 {
            let container = try await container(["sh", "-c", "echo last words; exit \(code)"], on: engine)
            let watch = try await ContainerWatch(container, on: engine)
            try await engine.startContainer(container)
            try await watch.output()
            let ending = try await watch.end()
            #expect(ending.exitCode == code)
            #expect(ending.words == "last words")
            await watch.stop()
            try await engine.removeOwnContainer(container)
        }
    }
}

extension Labels {
    /// On containers that a test makes itself: what a test that was killed left behind can be told.
    static let ofTest = [owner: Owner.name, role: "test"]
}
