import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// What a sandbox sees of the host.
@Suite(.timeLimit(.minutes(5)))
struct MountTests {
    private typealias Mount = DockerRuntime.SandboxMount

    @Test("A directory of the host is read and written, or only read; a volume stays for the next sandbox")
    func directoriesAndVolumes() async throws {
        try await withTemporaryDirectory { directory in
            let volume = "sdr-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
            try Data("from the host".utf8).write(to: directory.appending(path: "file"))
            let volumes = "\(directory.path):/project,\(directory.path):/read:ro,volume:\(volume):/cache"
            for round in 1...2 {
                try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                    $0.mounts = (try? MountNotation.mounts(volumes)) ?? []
                } _: { sandbox in
                    let read = try await sandbox.stream.run("cat /project/file /read/file")
                    #expect(read?.content == "from the hostfrom the host")
                    let write = try await sandbox.stream.run(
                        "echo \(round) > /project/new && echo \(round) >> /cache/rounds"
                    )
                    #expect(write?.metadata.exitCode == 0)
                    let refused = try await sandbox.stream.run("echo x > /read/file")
                    #expect(refused?.metadata.exitCode != 0)
                    let rounds = try await sandbox.stream.run("cat /cache/rounds")
                    #expect(rounds?.content == (1...round).map(String.init).joined(separator: "\n"))
                }
                let new = try String(contentsOf: directory.appending(path: "new"), encoding: .utf8)
                #expect(new == "\(round)\n")
            }
            try await withSession { try await $0.engine.removeVolume(volume) }
        }
    }

    @Test("An overlay is changed in the sandbox alone; the changes are in its own directory, and the volume is gone")
    func overlay() async throws {
        try await withTemporaryDirectory { directory in
            let (lower, overlays) = (directory.appending(path: "lower"), directory.appending(path: "overlays"))
            try FileManager.default.createDirectory(at: lower, withIntermediateDirectories: false)
            try Data("original".utf8).write(to: lower.appending(path: "file"))
            var volume: String?
            var name = ""
            try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                $0.mounts = [Mount(.overlay(lower.path), at: "/project")]
                $0.overlayDirectory = overlays.path
            } _: { sandbox in
                name = sandbox.runtime.containerName
                let inspection = try await sandbox.session.engine.inspectContainer(name)
                volume = inspection.mounts?.first { $0.destination == "/project" }?.name
                let change = try await sandbox.stream.run(
                    "cd /project && cat file && echo changed > file && touch new && cat file"
                )
                #expect(change?.content == "originalchanged")
            }
            #expect(try String(contentsOf: lower.appending(path: "file"), encoding: .utf8) == "original")
            #expect(try FileManager.default.contentsOfDirectory(atPath: lower.path) == ["file"])
            let upper = overlays.appending(path: "\(name)/0/upper")
            #expect(try String(contentsOf: upper.appending(path: "file"), encoding: .utf8) == "changed\n")
            try await withSession { session in
                let volume = try #require(volume)
                let error = await #expect(throws: DockerEngineError.self) {
                    try await session.engine.inspectVolume(volume)
                }
                #expect(error?.isNotFound == true)
            }
        }
    }

    @Test("A mount that can't be is refused before anything is made: a missing path, the engine's socket")
    func refused() async throws {
        try await withSession { session in
            func error(_ mount: Mount) async throws -> (any Error)? {
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.mounts = [mount]
                let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
                return await #expect(throws: (any Error).self) { try await runtime.connect() }
            }
            let missing = try await error(Mount(.path("/nowhere/at/all"), at: "/x"))
            guard case .mountSourceMissing(let reason)? = missing as? DockerRuntimeError else {
                Issue.record("\(String(describing: missing))")
                return
            }
            #expect(reason.contains("/nowhere/at/all"))
            let socket = try await error(Mount(.path("/var/run/docker.sock"), at: "/s"))
            #expect(socket is ConfigurationError)
            let relative = try await error(Mount(.path("here"), at: "/s"))
            #expect(relative is ConfigurationError)
        }
    }

    @Test("The engine's socket is mounted when that is allowed in words")
    func socketAllowed() async throws {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        guard case .unix(let path) = engine.endpoint.transport else { return }
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.mounts = [Mount(.path(path), at: "/engine.sock")]
            $0.allowsEngineSocket = true
        } _: { sandbox in
            let test = try await sandbox.stream.run("test -S /engine.sock")
            #expect(test?.metadata.exitCode == 0)
        }
    }

    @Test("SELinux labels reach the engine")
    func labels() async throws {
        try await withTemporaryDirectory { directory in
            try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                $0.mounts = [Mount(.path(directory.path), at: "/x", isReadOnly: true, relabeling: .shared)]
            } _: { sandbox in
                let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
                #expect(inspection.host.binds == ["\(directory.path):/x:ro,z"])
            }
        }
    }
}
