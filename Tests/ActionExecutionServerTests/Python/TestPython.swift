import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// An interpreter to test with.
enum TestPython: String, CaseIterable, CustomTestStringConvertible {
    /// With nothing but the standard library.
    case plain
    /// With IPython and Matplotlib.
    case ipython

    var testDescription: String { rawValue }

    /// The directory of the interpreters, which must be there: a test that can't run fails.
    static func root() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["TEST_PYTHONS"],
            "TEST_PYTHONS has to name a directory with two virtual environments; scripts/test sees to that"
        )
    }

    /// The directory that has `python3`.
    func directory() throws -> String { try "\(Self.root())/\(rawValue)/bin" }
}

/// A cell runner, with its shell, on a loop of its own, in a directory of its own that is its home too.
struct CellFixture {
    let cells: CellRunner
    let commands: CommandRunner
    /// The shell's first directory.
    let directory: String

    /// Runs a cell and expects the observation of one.
    func run(
        _ code: String,
        timeout: Double? = 60,
        _ change: (inout IPythonAction) -> Void = { _ in }
    ) async throws -> IPythonObservation {
        var action = IPythonAction(code: code, includeExtra: false)
        change(&action)
        let observation = await cells.run(action, timeout: timeout)
        guard case .runIPython(let cell) = observation else { throw UnexpectedObservation(observation: observation) }
        return cell
    }

    /// Runs a cell and gives what it wrote.
    func output(_ code: String) async throws -> String { try await run(code).content }

    /// Expects a cell to write this.
    func expect(_ code: String, _ output: String, _ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await run(code).content == output, sourceLocation: location)
    }

    /// Runs a command in the shell.
    func shell(_ command: String) async throws {
        guard case .run(let observation) = await commands.run(CommandAction(command: command), timeout: 60) else {
            return
        }
        #expect(observation.metadata.exitCode == 0, "\(observation)")
    }

    /// The interpreter's process.
    func process() async throws -> pid_t {
        try #require(pid_t(try await output("import os; print(os.getpid())")))
    }

    struct UnexpectedObservation: Error {
        var observation: Observation
    }
}

func withCells(
    _ python: TestPython,
    isolation: isolated (any Actor)? = #isolation,
    _ change: (inout ShellSession.Configuration) -> Void = { _ in },
    _ body: (CellFixture) async throws -> Void
) async throws {
    let (interpreters, root) = (try python.directory(), try TestPython.root())
    var made: ShellSession.Configuration?
    try await withShell(isolation: isolation) { configuration in
        configuration.environment["PATH"] = interpreters + ":/usr/local/bin:/usr/bin:/bin"
        configuration.environment["MPLCONFIGDIR"] = root + "/matplotlib"
        change(&configuration)
        made = configuration
    } _: { shell in
        let configuration = try #require(made)
        let cells = CellRunner(configuration, commands: shell.runner, loop: shell.loop)
        do {
            try await body(CellFixture(cells: cells, commands: shell.runner, directory: shell.directory))
        } catch {
            await cells.close()
            throw error
        }
        await cells.close()
    }
}
