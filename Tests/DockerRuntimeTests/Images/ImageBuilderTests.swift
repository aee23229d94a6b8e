import ActionExecutionClient
import DockerEngine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DockerRuntime

/// Images that are built by the real engine.
@Suite(.timeLimit(.minutes(3)))
struct ImageBuilderTests {
    /// A repository of one test.
    private final class Lent: Sendable {
        let engine: DockerEngineClient
        let repository: String
        let directory: URL
        let statuses = Mutex<[RuntimeStatusUpdate]>([])

        init(engine: DockerEngineClient, repository: String, directory: URL) {
            (self.engine, self.repository, self.directory) = (engine, repository, directory)
        }

        /// A program to put into images, of another content for each name.
        func program(_ name: String) throws -> String {
            let file = directory.appending(path: name)
            try Data("#!/bin/sh\necho \(name)\n".utf8).write(to: file)
            return file.path
        }

        func build(
            _ dependencies: String?,
            arguments: [String] = [],
            isForced: Bool = false,
            on base: String = TestEnvironment.imageWithoutBash,
            platform: String? = nil,
            program: String = "one"
        ) async throws -> String {
            var builder = ImageBuilder(
                engine: engine,
                status: RuntimeStatusHub { [self] update in statuses.withLock { $0.append(update) } }
            )
            builder.lockDirectory = directory.appending(path: "locks").path
            let build = DockerRuntime.ImageBuild(
                extraDependencies: dependencies,
                arguments: ["--network=none"] + arguments,
                isForced: isForced,
                repository: repository
            )
            return try await builder.image(build, on: base, platform: platform, binary: try self.program(program))
        }

        /// What a command writes in a container of an image.
        func output(_ command: String, in image: String) async throws -> String {
            var request = ContainerRequest(image: image, command: ["/bin/sh", "-c", command])
            request.configuration.labels = ["swift-docker-runtime.test": repository]
            request.host.networkMode = "none"
            let id = try await engine.createContainer(request).id
            let result: Result<String, any Error>
            do {
                try await engine.startContainer(id)
                _ = try await engine.waitContainer(id)
                let log = try await engine.containerLogs(id).collect(upTo: 1 << 20)
                result = .success(String(decoding: log.stdout + log.stderr, as: UTF8.self))
            } catch {
                result = .failure(error)
            }
            try await engine.removeContainer(id, force: true)
            return try result.get()
        }

        /// The tags in the repository.
        func tags() async throws -> Set<String> {
            let images = try await engine.listImages(filters: ["reference": ["\(repository):*"]])
            return Set(images.flatMap { $0.tags ?? [] }.filter { $0.hasPrefix("\(repository):") })
        }
    }

    /// Lends a repository, whose images are removed.
    private func withRepository(_ body: (Lent) async throws -> Void) async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        try await withTemporaryDirectory { directory in
            let name = "swift-docker-runtime-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
            let lent = Lent(engine: engine, repository: name, directory: directory)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(lent))
            } catch {
                result = .failure(error)
            }
            await Task {
                for tag in (try? await lent.tags()) ?? [] {
                    do {
                        try await engine.removeImage(tag, force: true)
                    } catch {
                        Issue.record(error, "the image \(tag) is left behind")
                    }
                }
            }.value
            try result.get()
        }
    }

    private static let unique = "cat /proc/sys/kernel/random/uuid > /unique"
    private static let show = "cat /unique; /.action-execution-server/action-execution-server"

    @Test("An image is built once; another server goes onto what is installed, another base or command is built anew")
    func once() async throws {
        try await withRepository { lent in
            let first = try await lent.build(Self.unique)
            let before = try await lent.output(Self.show, in: first)
            #expect(before.hasSuffix("\none\n"))
            let progress = lent.statuses.withLock { $0 }
            #expect(progress.allSatisfy { $0.status == .building && $0.level == .info })
            #expect(progress.contains { $0.message.contains("RUN") && $0.progress?.total ?? 0 > 1 })
            lent.statuses.withLock { $0 = [] }

            #expect(try await lent.build(Self.unique) == first)
            #expect(lent.statuses.withLock { $0 }.isEmpty)

            let second = try await lent.build(Self.unique, program: "two")
            #expect(second != first)
            #expect(try await lent.output(Self.show, in: second) == before.replacing("\none\n", with: "\ntwo\n"))

            let lock = second.split(separator: "_").dropLast().joined(separator: "_")
            #expect(try await lent.output("ls -A / | grep -c server", in: lock) == "0\n")
            #expect(try await lent.tags().count == 4)

            let other = try await lent.build(Self.unique + " # other")
            #expect(try await lent.output(Self.show, in: other) != before)
            // The name for people goes to the last one.
            let versioned = try #require(try await lent.tags().first { $0.contains("busybox") })
            let versionedID = try await lent.engine.inspectImage(versioned).id
            let otherLock = other.split(separator: "_").dropLast().joined(separator: "_")
            #expect(try await lent.engine.inspectImage(otherLock).id == versionedID)
        }
    }

    @Test("Of several who want the same, one builds it, and the others wait for it")
    func contention() async throws {
        try await withRepository { lent in
            let images = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 1...4 { group.addTask { try await lent.build(Self.unique) } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(images.count == 1)
            let messages = lent.statuses.withLock { $0.map(\.message) }
            #expect(messages.filter { $0.hasPrefix("Building ") }.count == 2)
            #expect(messages.filter { $0.hasPrefix("Waiting ") }.count == 3)
            let locks = try FileManager.default.contentsOfDirectory(
                atPath: lent.directory.appending(path: "locks").path
            )
            #expect(locks == [])
        }
    }

    @Test("A forced build begins anew, and what had the name is gone")
    func forced() async throws {
        try await withRepository { lent in
            let image = try await lent.build(Self.unique)
            let before = try await lent.output(Self.show, in: image)
            let id = try await lent.engine.inspectImage(image).id
            #expect(try await lent.build(Self.unique, isForced: true) == image)
            #expect(try await lent.output(Self.show, in: image) != before)
            #expect(try await !lent.engine.imageExists(id))
        }
    }

    @Test("Commands run as root with arguments and hosts; the image's user stays, and several lines are run in order")
    func commands() async throws {
        try await withRepository { lent in
            var context = TarArchive()
            context.addFile("Dockerfile", bytes: Array("FROM \(TestEnvironment.imageWithoutBash)\nUSER 1234\n".utf8))
            let base = "\(lent.repository):base"
            for try await _ in try await lent.engine.buildImage(context.body, options: BuildOptions(tags: [base])) {}
            let image = try await lent.build(
                "id -u > /all\n\necho \"$WORD\" >> /all\ngrep -o 'there$' /etc/hosts >> /all",
                arguments: ["--build-arg", "WORD=it's", "--add-host=there:192.0.2.1", "--label=mine=1"],
                on: base
            )
            #expect(try await lent.output("cat /all; id -u", in: image) == "0\nit's\nthere\n1234\n")
            let configuration = try await lent.engine.inspectImage(image).configuration
            #expect(configuration?.labels?["mine"] == "1")
            #expect(configuration?.labels?["swift-docker-runtime.role"] == "image")
        }
    }

    @Test(
        "A build that fails tells the step and the last that it wrote, and leaves no image; the next one isn't kept off"
    )
    func failure() async throws {
        try await withRepository { lent in
            let error = await #expect(throws: DockerRuntimeError.self) {
                try await lent.build("echo before\necho reason >&2\nexit 7\necho never")
            }
            guard case .buildFailed(let base, let step, let output)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(base == TestEnvironment.imageWithoutBash)
            #expect(step.hasPrefix("RUN [\"/bin/sh\""))
            #expect(output.contains("before"))
            #expect(output.contains("reason"))
            #expect(output.contains("7"))
            #expect(try await lent.tags() == [])
            _ = try await lent.build("true")
        }
    }

    @Test("A build that is cancelled stops, and leaves no container")
    func cancellation() async throws {
        try await withRepository { lent in
            func containers() async throws -> [ContainerSummary] {
                try await lent.engine.listContainers(all: true).filter { $0.command?.contains(lent.repository) == true }
            }
            let build = Task { try await lent.build(": \(lent.repository); sleep 1000") }
            try await until { try await !containers().isEmpty }
            build.cancel()
            await #expect(throws: CancellationError.self) { try await build.value }
            try await until { try await containers().isEmpty }
        }
    }
}
