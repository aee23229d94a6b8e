import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// A shell to test with.
enum TestShell: String, CaseIterable, CustomTestStringConvertible {
    case bash
    case dash
    case busybox

    var testDescription: String { rawValue }

    /// The shell, which must be there: a test that can't run fails.
    ///
    /// - Parameter directory: where a link is made for a program that goes by its name.
    func make(in directory: String) throws -> Shell {
        let program = try #require(
            ProcessInfo.processInfo.environment[rawValue.uppercased()]
                ?? findProgram(rawValue, searchPath: "/bin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"),
            "\(rawValue) is needed in PATH, or its path in \(rawValue.uppercased()); scripts/test sees to that"
        )
        guard self == .busybox else { return Shell(path: program) }
        let link = directory + "/sh"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: program)
        return Shell(path: link)
    }

    /// Those that the system has to have.
    static var all: [TestShell] {
        #if os(Linux)
        allCases
        #else
        [.bash, .dash]
        #endif
    }
}

/// A command runner on a loop of its own, in a directory of its own that is its home too.
struct ShellFixture {
    let runner: CommandRunner
    let loop: EventLoop
    let shell: Shell
    /// The shell's first directory.
    let directory: String

    /// Runs a command and expects the observation of one.
    func run(
        _ command: String,
        isInput: Bool = false,
        timeout: Double? = 60,
        _ change: (inout CommandAction) -> Void = { _ in }
    ) async throws -> CommandObservation {
        var action = CommandAction(command: command, isInput: isInput)
        change(&action)
        guard case .run(let observation) = await runner.run(action, timeout: timeout) else {
            throw UnexpectedObservation(observation: await runner.run(action, timeout: timeout))
        }
        return observation
    }

    /// Runs a command that ends with this status, and gives what it wrote.
    func output(
        _ command: String,
        exitCode: Int = 0,
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let observation = try await run(command)
        #expect(observation.metadata.exitCode == exitCode, "\(observation)", sourceLocation: location)
        return observation.content
    }

    /// Expects a command to write this and end with status 0.
    func expect(_ command: String, _ output: String, _ location: SourceLocation = #_sourceLocation) async throws {
        let observation = try await run(command)
        #expect(observation.content == output, "\(observation)", sourceLocation: location)
        #expect(observation.metadata.exitCode == 0, sourceLocation: location)
    }

    struct UnexpectedObservation: Error {
        var observation: Observation
    }
}

func withShell(
    _ shell: TestShell = .bash,
    noChangeTimeout: Duration = .seconds(20),
    files: [String: String] = [:],
    isolation: isolated (any Actor)? = #isolation,
    _ change: (inout ShellSession.Configuration) -> Void = { _ in },
    _ body: (ShellFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { root in
        let directory = root + "/work"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, content) in files { try writeFile("\(root)/\(name)", Array(content.utf8), mode: 0o600) }
        var configuration = ShellSession.Configuration(
            shell: try shell.make(in: root),
            directory: directory,
            environment: ["HOME": root, "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "xterm-256color"],
            outputs: OutputDirectory(path: root + "/outputs")
        )
        change(&configuration)
        let loop = try EventLoop()
        try loop.runInBackground()
        defer { loop.stop() }
        let runner = CommandRunner(configuration, noChangeTimeout: noChangeTimeout, loop: loop)
        do {
            try await body(ShellFixture(runner: runner, loop: loop, shell: configuration.shell, directory: directory))
        } catch {
            await runner.close()
            throw error
        }
        await runner.close()
    }
}

/// Waits until a condition holds that nothing announces, such as the end of a foreign process.
///
/// Bounded by the test's limit.
func eventually(isolation: isolated (any Actor)? = #isolation, _ condition: () throws -> Bool) async throws {
    while try !condition() {
        try Task.checkCancellation()
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Whether a process exists and is no zombie.
func isAlive(_ process: pid_t) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    guard let status = try? FileAccess.read("/proc/\(process)/stat", limit: 4096).text,
        let close = status.lastIndex(of: ")")
    else { return false }
    return !status[close...].hasPrefix(") Z")
}

extension ShellSession {
    var hasShell: Bool { process != nil }
    /// The directory through which the shell is reached; empty without a shell.
    var controlPath: String { files?.path ?? "" }
}
