import DockerEngine
import DockerRuntime
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DemoTests {
    /// Lends an image of the test's own, which tells its containers from others: with a command that never ends instead of
    /// `uname`, with which the demo begins.
    private func withImage(
        isSlow: Bool,
        _ body: (_ image: String, DockerEngineClient) async throws -> Void
    ) async throws {
        try await withSession { session in
            let engine = session.engine
            let repository = "swift-docker-runtime/\(session.id)"
            let image = "\(repository):latest"
            let request = ContainerRequest(image: TestEnvironment.image, command: ["true"])
            let container = try await engine.createContainer(request).id
            if isSlow {
                var archive = TarArchive()
                archive.addFile("usr/bin/uname", bytes: Array("#!/bin/sh\nexec sleep 1000\n".utf8), mode: 0o755)
                try await engine.putArchive(archive.body, into: "/", of: container)
            }
            _ = try await engine.commitContainer(container, repository: repository, tag: "latest")
            try await engine.removeContainer(container)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(image, engine))
            } catch {
                result = .failure(error)
            }
            let left = try await engine.listContainers(all: true, filters: ["ancestor": [image]])
            #expect(left.map(\.names) == [], "containers of the demo are left")
            for container in left { try? await engine.removeContainer(container.id, force: true) }
            _ = try await engine.removeImage(image)
            try result.get()
        }
    }

    /// Starts the demo with its log, its output and its temporary files in a directory.
    private func demo(
        _ arguments: [String],
        in directory: URL,
        _ variables: [String: String] = [:]
    ) throws -> ChildProcess {
        let environment = [
            "ACTION_EXECUTION_SERVER": try TestEnvironment.serverBinary(), "TMPDIR": directory.path, "HOME": "/nowhere",
        ]
        let log = directory.appending(path: "log").path
        return try ChildProcess(
            try TestEnvironment.demo(),
            arguments + ["--log", log],
            output: directory.appending(path: "output"),
            environment: environment.merging(variables) { $1 }
        )
    }

    @Test("The demo does its task in a container and ends well")
    func run() async throws {
        try await withImage(isSlow: false) { image, _ in
            try await withTemporaryDirectory { directory in
                let demo = try demo(["--image", image], in: directory)
                let status = await demo.exitStatus()
                #expect(status == 0, "\(demo.text)")
                #expect(demo.text.contains(image))
                #expect(demo.text.contains("0 failures"))
            }
        }
    }

    @Test("The demo does its task on this machine and leaves nothing of it")
    func local() async throws {
        try await withTemporaryDirectory { directory in
            let demo = try demo(["--local"], in: directory)
            let status = await demo.exitStatus()
            #expect(status == 0, "\(demo.text)")
            #expect(demo.text.contains("0 failures"))
            try expectNothingLeft(in: directory)
        }
    }

    @Test(
        "Ctrl-C, or being asked to end, at work: the demo says so and its container is gone",
        arguments: [SIGINT, SIGTERM]
    )
    func interrupted(by signal: Int32) async throws {
        try await withImage(isSlow: true) { image, engine in
            try await withTemporaryDirectory { directory in
                let demo = try demo(["--image", image], in: directory)
                try await demo.waits(for: "uname")
                let running = try await engine.listContainers(filters: ["ancestor": [image]])
                #expect(running.count == 1, "\(demo.text)")
                demo.signal(signal)
                let status = await demo.exitStatus()
                #expect(status == 130, "\(demo.text)")
                #expect(demo.text.contains("interrupted"))
                let left = try await engine.listContainers(all: true, filters: ["ancestor": [image]])
                #expect(left.isEmpty)
            }
        }
    }

    @Test(
        "Ctrl-C while the demo's container starts: the container is gone",
        arguments: ["starting", "container started"]
    )
    func interruptedStart(at status: String) async throws {
        try await withImage(isSlow: true) { image, engine in
            try await withTemporaryDirectory { directory in
                let demo = try demo(["--image", image], in: directory)
                try await demo.waits(for: status)
                demo.signal(SIGINT)
                let exitStatus = await demo.exitStatus()
                #expect(exitStatus == 130, "\(demo.text)")
                let left = try await engine.listContainers(all: true, filters: ["ancestor": [image]])
                #expect(left.isEmpty)
            }
        }
    }

    @Test("Ctrl-C at work on this machine: the server and its command are gone")
    func interruptedLocally() async throws {
        try await withTemporaryDirectory { directory in
            // A function that bash takes from its environment: it keeps the demo at its first command, and isn't silent, since
            // the demo goes on after ten seconds of silence.
            let function = "() { while :; do echo; sleep 1; done; }"
            let demo = try demo(["--local"], in: directory, ["BASH_FUNC_uname%%": function])
            try await demo.waits(for: "uname")
            demo.signal(SIGINT)
            let status = await demo.exitStatus()
            #expect(status == 130, "\(demo.text)")
            try expectNothingLeft(in: directory)
        }
    }

    @Test("A wrong image ends the demo with an error that names it")
    func missingImage() async throws {
        try await withTemporaryDirectory { directory in
            let demo = try demo(["--image", "localhost:1/nothing:latest"], in: directory)
            let status = await demo.exitStatus()
            #expect(status == 1)
            #expect(demo.text.contains("localhost:1/nothing:latest is not there"))
        }
    }

    /// No directory of a local runtime, and no process that works there.
    private func expectNothingLeft(in directory: URL) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files.filter { $0.hasPrefix("local-runtime-") } == [])
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let working = processes.compactMap(Int32.init).filter { process in
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            let command = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))) ?? Data()
            return link?.hasPrefix(directory.path) == true
                || String(decoding: command, as: UTF8.self).contains(directory.path)
        }
        #expect(working == [])
    }
}
