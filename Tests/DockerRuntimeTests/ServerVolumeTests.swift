import DockerEngine
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct ServerVolumeTests {
    private static let directory = "/server"

    /// A program of this test's own, the volume for it, and a container that mounts it; all removed afterwards.
    private func withVolume(
        _ body: (ServerVolume, _ container: String, DockerEngineClient) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let program = directory.appending(path: "program")
            // Its content, and so the volume's name, is like no other's.
            let content = Data("#!/bin/sh\necho \(UInt64.random(in: .min ... .max))\n".utf8)
            try (content + Data(count: 3 << 20)).write(to: program)
            let volume = try ServerVolume(binary: program.path)
            let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
            defer { engine.close() }
            let container = try await Self.container(with: volume, on: engine)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(volume, container, engine))
            } catch {
                result = .failure(error)
            }
            try await engine.removeOwnContainer(container)
            try await engine.removeVolume(volume.name)
            try result.get()
        }
    }

    /// A container that is never started, with the volume for reading.
    private static func container(with volume: ServerVolume, on engine: DockerEngineClient) async throws -> String {
        var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["true"])
        request.configuration.labels = Labels.ofTest
        request.host.mounts = [volume.mount(at: directory, isReadOnly: true)]
        return try await engine.createContainer(request).id
    }

    private func complete(_ volume: ServerVolume, in container: String, on engine: DockerEngineClient) async throws {
        try await volume.complete(
            in: container,
            at: Self.directory,
            image: TestEnvironment.imageWithoutBash,
            on: engine
        )
    }

    private func program(in container: String, _ engine: DockerEngineClient) async throws -> PathStatus {
        try await engine.pathStatus(of: "\(Self.directory)/action-execution-server", in: container)
    }

    /// Containers that this process made to fill volumes with.
    private func fillers(_ engine: DockerEngineClient) async throws -> [ContainerSummary] {
        let labels = [Labels.owner: Owner.name, Labels.role: Labels.fillerRole]
        return try await engine.listContainers(all: true, filters: .labels(labels))
    }

    @Test("An empty volume is filled once, and the container that filled it is gone")
    func filledOnce() async throws {
        try await withVolume { volume, container, engine in
            try await complete(volume, in: container, on: engine)
            let first = try await program(in: container, engine)
            #expect(first.size > 3 << 20)
            #expect(first.permissions == 0o755)
            #expect(try await engine.inspectVolume(volume.name).labels == [Labels.role: Labels.serverRole])

            volume.forgetCompleteness(on: engine)
            try await complete(volume, in: container, on: engine)
            let second = try await program(in: container, engine)
            #expect(second.modified == first.modified)
        }
    }

    @Test("A program that is cut short is replaced")
    func repaired() async throws {
        try await withVolume { volume, container, engine in
            // Through a container that may write: what an interrupted attempt would leave.
            var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["true"])
            request.configuration.labels = Labels.ofTest
            request.host.mounts = [volume.mount(at: Self.directory, isReadOnly: false)]
            let writer = try await engine.createContainer(request).id
            var archive = TarArchive()
            archive.addFile("action-execution-server", bytes: Array("half".utf8), mode: 0o755)
            try await engine.putArchive(archive.body, into: Self.directory, of: writer)
            try await engine.removeOwnContainer(writer)
            #expect(try await program(in: container, engine).size == 4)

            try await complete(volume, in: container, on: engine)
            #expect(try await program(in: container, engine).size > 3 << 20)
        }
    }

    @Test("Several runtimes at once fill it together, and each finds it whole")
    func atOnce() async throws {
        try await withVolume { volume, container, engine in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                        defer { engine.close() }
                        try await complete(volume, in: container, on: engine)
                        let status = try await program(in: container, engine)
                        #expect(status.size > 3 << 20)
                    }
                }
                try await group.waitForAll()
            }
        }
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        try await until { try await fillers(engine).isEmpty }
    }

    @Test("A program with other content has a volume of its own, also when it has the same path and size")
    func versions() async throws {
        try await withTemporaryDirectory { directory in
            let program = directory.appending(path: "program")
            try Data("version 1".utf8).write(to: program)
            let first = try ServerVolume(binary: program.path).name
            #expect(try ServerVolume(binary: program.path).name == first)
            // In its place, as builds do it.
            try Data("version 2".utf8).write(to: program, options: .atomic)
            let second = try ServerVolume(binary: program.path).name
            #expect(second != first)
            #expect(first.hasPrefix("swift-docker-runtime-server-"))
        }
    }

    @Test("A program that can't be read is an error")
    func missingProgram() {
        #expect(throws: (any Error).self) { try ServerVolume(binary: "/nowhere/server") }
    }
}
