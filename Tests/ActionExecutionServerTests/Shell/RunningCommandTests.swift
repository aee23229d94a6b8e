import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Commands that haven't ended when their observation comes back.
///
/// One after another, since all shells at once would be more than the machine has processors for.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct RunningCommandTests {
    private static let hint = "You may wait longer to see additional output by sending empty command ''"

    @Test("Input reaches the program, and its echo isn't told", arguments: TestShell.all)
    func input(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .milliseconds(500)) { fixture in
            let asked = try await fixture.run("printf 'name? '; read -r name; echo \"hello $name\"", timeout: nil)
            #expect(asked.metadata.exitCode == -1)
            #expect(asked.metadata.suffix.contains("[The command has no new output after 0 seconds. \(Self.hint)"))
            let answered = try await fixture.run("it's me", isInput: true)
            #expect((asked.content + answered.content).contains("name?"))
            #expect(answered.content.hasSuffix("hello it's me"))
            #expect(!answered.content.hasPrefix("it's me"))
            #expect(answered.metadata.exitCode == 0)
        }
    }

    @Test("The hard limit gives back what there is, and an empty command reads on", arguments: TestShell.all)
    func hardLimit(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkfifo gate")
            let first = try await fixture.run("echo one; read x <gate; echo two", timeout: 1)
            #expect(first.metadata.exitCode == -1)
            #expect(first.metadata.suffix.hasPrefix("\n[The command timed out after 1.0 seconds. \(Self.hint)"))
            #expect(first.metadata.workingDirectory == nil)
            let second = try await fixture.run("", timeout: 0.01)
            #expect(second.metadata.exitCode == -1)
            try await open(fixture.directory + "/gate")
            let third = try await fixture.run("")
            #expect(first.content + second.content == "one")
            #expect(third.content == "two")
            #expect(third.metadata.exitCode == 0)
            #expect(
                third.metadata.prefix == "[Below is the output of the previous command.]\n"
                    || third.metadata.prefix == ""
            )
            try await fixture.expect("echo next", "next")
        }
    }

    @Test("A new command is refused while one runs, and says so", arguments: TestShell.all)
    func refusal(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            // A key reaches a program that runs: until it has said so, the terminal may still be the shell's.
            var content = try await fixture.run("sh -c 'echo ready; exec cat'", timeout: 0.05).content
            while !content.contains("ready") { content += try await fixture.run("", timeout: 0.2).content }
            let refused = try await fixture.run("echo new")
            #expect(refused.metadata.exitCode == -1)
            #expect(
                refused.metadata.suffix.contains(
                    "Your command \"echo new\" is NOT executed. The previous command is still running"
                )
            )
            #expect(!refused.content.contains("new"))
            let ended = try await fixture.run("C-c", isInput: true)
            #expect(ended.metadata.exitCode == 130)
        }
    }

    @Test("C-c interrupts, and the next command runs in the same shell", arguments: TestShell.all)
    func interrupt(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("x=kept")
            for command in ["sleep 600", "while :; do sleep 600; done", "cat", "sleep 600; echo not reached"] {
                // Time for the program to take the terminal: a key that comes before goes to the shell, as for a person.
                _ = try await fixture.run(command, timeout: 0.5)
                let observation = try await fixture.run("C-c", isInput: true)
                #expect(observation.metadata.exitCode == 130)
                #expect(observation.metadata.suffix == "\n[The command completed with exit code 130. CTRL+C was sent.]")
                #expect(!observation.content.contains("not reached"))
                try await fixture.expect("echo $? $x", "130 kept")
            }
        }
    }

    @Test("C-d ends the input of a program, and the shell stays", arguments: TestShell.all)
    func endOfInput(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .milliseconds(300)) { fixture in
            _ = try await fixture.output("x=kept")
            _ = try await fixture.run("wc -l", timeout: 0.5)
            _ = try await fixture.run("line", isInput: true)
            let observation = try await fixture.run("C-d", isInput: true)
            #expect(observation.content.hasSuffix("1"))
            #expect(observation.metadata.exitCode == 0)
            try await fixture.expect("echo $x", "kept")
        }
    }

    @Test("C-z stops a job, which goes on in the background")
    func suspend() async throws {
        try await withShell(.bash) { fixture in
            _ = try await fixture.run("sleep 600", timeout: 0.2)
            let stopped = try await fixture.run("C-z", isInput: true)
            #expect(stopped.metadata.exitCode == 148)
            #expect(stopped.content.contains("Stopped"))
            #expect(try await fixture.output("bg >/dev/null 2>&1; jobs").contains("Running"))
            #expect(try await fixture.run("kill %1; wait %1").metadata.exitCode == 143)
        }
    }

    @Test("A blocking command isn't given up for its silence", arguments: TestShell.all)
    func blocking(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .milliseconds(20)) { fixture in
            let observation = try await fixture.run("sleep 0.3; echo done") { $0.blocking = true }
            #expect(observation.content == "done")
            #expect(observation.metadata.exitCode == 0)
        }
    }

    @Test(
        "A command that ended meanwhile doesn't keep the next one away, and what it wrote is told",
        arguments: TestShell.all
    )
    func endedMeanwhile(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkfifo gate")
            let first = try await fixture.run("read x <gate; echo late; touch done; (exit 4)", timeout: 0.05)
            #expect(first.metadata.exitCode == -1)
            try await open(fixture.directory + "/gate")
            // Refused while it runs; from then on the end is known.
            var next = try await fixture.run("echo new")
            while next.metadata.suffix.contains("NOT executed") { next = try await fixture.run("echo new") }
            #expect(next.content == "new")
            #expect(next.metadata.exitCode == 0)
            #expect(next.metadata.prefix.contains("The previous command has completed with exit code 4."))
        }
    }

    @Test("Input for a command that ended meanwhile isn't run as a command", arguments: TestShell.all)
    func lateInput(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkfifo gate; mkdir sub")
            _ = try await fixture.run("read x <gate; echo late", timeout: 0.05)
            try await open(fixture.directory + "/gate")
            try await fixture.untilEnded()
            let observation = try await fixture.run("cd sub", isInput: true)
            #expect(observation.content == "late")
            #expect(observation.metadata.exitCode == 0)
            try await fixture.expect("pwd", fixture.directory)
        }
    }

    @Test("With nothing running there is nothing to read on or to type into", arguments: TestShell.all)
    func nothingRuns(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            #expect(try await fixture.run("").content == "ERROR: No previous running command to retrieve logs from.")
            for (text, isInput) in [("yes", true), ("C-c", true), ("C-c", false)] {
                let observation = try await fixture.run(text, isInput: isInput)
                #expect(observation.content == "ERROR: No previous running command to interact with.")
            }
        }
    }

    @Test(
        "A command in a shell of its own has its own directory and leaves the session alone",
        arguments: TestShell.all
    )
    func staticCommand(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkdir sub other; cd sub; x=session")
            let elsewhere = try await fixture.run("pwd; echo \"[$x]\"; cd /; x=lost") {
                $0.isStatic = true
                $0.cwd = fixture.directory + "/other"
            }
            #expect(elsewhere.content == "\(fixture.directory)/other\n[]")
            #expect(elsewhere.metadata.workingDirectory == "/")
            #expect(try await fixture.run("pwd") { $0.isStatic = true }.content == fixture.directory + "/sub")
            try await fixture.expect("pwd; echo $x", fixture.directory + "/sub\nsession")
        }
    }

    @Test(
        "A command in a shell of its own runs beside the session's, and its processes end with it",
        arguments: TestShell.all
    )
    func staticBeside(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.run("cat", timeout: 0.5)
            let observation = try await fixture.run("sleep 600 & echo beside $!") { $0.isStatic = true }
            let word = try #require(observation.content.firstMatch(of: #/beside (\d+)/#)).1
            try await eventually { !isAlive(pid_t(word) ?? 0) }
            let process = try await fixture.run("echo $$; sleep 600", timeout: 0.3) { $0.isStatic = true }
            #expect(process.metadata.suffix.contains("timed out"))
            if let shell = pid_t(process.content) { try await eventually { !isAlive(shell) } }
            #expect(try await fixture.run("C-c", isInput: true).metadata.exitCode == 130)
        }
    }

    /// Lets a `read x <gate` return.
    private func open(_ gate: String) async throws {
        await offload {
            let descriptor = Foundation.open(gate, O_WRONLY)
            _ = close(descriptor)
        }
    }
}

extension ShellFixture {
    /// Returns when the command that runs has ended, which isn't told thereby.
    func untilEnded() async throws {
        while await !runner.hasEndedCommand {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

extension CommandRunner {
    fileprivate var hasEndedCommand: Bool {
        get async { await session.hasEnded }
    }
}
