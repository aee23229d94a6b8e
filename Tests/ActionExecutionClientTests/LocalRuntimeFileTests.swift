import ActionExecutionClient
import EventStream
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LocalRuntimeFileTests {
    private static func configuration() throws -> LocalRuntime.Configuration {
        var configuration = LocalRuntime.Configuration()
        configuration.serverBinary = try TestEnvironment.serverBinary()
        configuration.environment["HOME"] = "/nowhere"
        return configuration
    }

    private func run(_ command: String, in runtime: LocalRuntime) async throws -> String {
        guard case .run(let observation) = try await runtime.execute(.run(CommandAction(command: command))) else {
            Issue.record("\(command) was answered with something else")
            return ""
        }
        return observation.content
    }

    @Test("Files go in, are seen by the shell, and come out as it changed them")
    func files() async throws {
        let runtime = LocalRuntime(configuration: try Self.configuration())
        try await runtime.connect()
        do {
            try await withTemporaryDirectory { host in
                let source = host.appending(path: "project")
                try FileManager.default.createDirectory(at: source, withIntermediateDirectories: false)
                try Data("one\n".utf8).write(to: source.appending(path: "list"))
                let directory = try await run("pwd", in: runtime)
                try await runtime.copyIn(source.path, to: directory)
                #expect(try await run("cat project/list; echo two >> project/list", in: runtime) == "one")
                #expect(try await runtime.listFiles() == ["project/"])
                #expect(try await runtime.listFiles(in: directory + "/project") == ["list"])
                try await runtime.copyOut(directory + "/project/list", to: host.path)
                #expect(try String(contentsOf: host.appending(path: "list"), encoding: .utf8) == "one\ntwo\n")
                let archive = try await runtime.archive(of: directory)
                #expect(try await archive.reduce(0) { $0 + $1.count } > 0)
            }
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
    }

    @Test("Without a sandbox no files are copied, and the error says why")
    func withoutSandbox() async throws {
        let runtime = LocalRuntime(configuration: try Self.configuration())
        await #expect(throws: RuntimeError.notConnected(operation: "copyIn()")) {
            try await runtime.copyIn("/x", to: "/y")
        }
        await runtime.close()
        await #expect(throws: RuntimeError.disconnected(reason: "it was closed")) {
            try await runtime.copyOut("/x", to: "/y")
        }
        let replay = ReplayRuntime(RecordedSession(events: []))
        await #expect(throws: RuntimeError.unsupported(operation: "copying files")) {
            try await replay.copyIn("/x", to: "/y")
        }
        await #expect(throws: RuntimeError.unsupported(operation: "listing files")) { try await replay.listFiles() }
    }
}
