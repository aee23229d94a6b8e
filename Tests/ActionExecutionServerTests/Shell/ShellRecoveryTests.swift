import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Shells that end, can't be reached or can't be started.
///
/// One after another, since all shells at once would be more than the machine has processors for.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ShellRecoveryTests {
    @Test("`exit` ends the shell with its code, and a new one runs in the same directory", arguments: TestShell.all)
    func exit(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkdir sub; cd sub; x=lost")
            let observation = try await fixture.run("echo bye; exit 3")
            #expect(observation.content.hasPrefix("bye"))
            #expect(observation.metadata.exitCode == 3)
            #expect(
                observation.metadata.suffix.hasPrefix(
                    "\n[The shell exited with code 3. The next command runs in a new shell"
                )
            )
            try await fixture.expect("echo \"$? [$x]\"; pwd", "0 []\n\(fixture.directory)/sub")
        }
    }

    @Test("What a shell wrote just before its end is whole", arguments: TestShell.all)
    func lastOutput(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for _ in 0..<20 {
                let observation = try await fixture.run("seq 1 3000; exit 1") { $0.hidden = true }
                let expected = (1...3000).map(String.init).joined(separator: "\n")
                #expect(observation.content == expected || observation.content == expected + "\nexit")
            }
        }
    }

    @Test("`set -e` ends the shell at the first failure, and the next command runs", arguments: TestShell.all)
    func exitOnError(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            try await fixture.expect("set -e; echo on", "on")
            try await fixture.expect("true; echo fine", "fine")
            let observation = try await fixture.run("echo before; false; echo after")
            #expect(observation.metadata.exitCode == 1)
            #expect(observation.content.hasPrefix("before"))
            try await fixture.expect("echo next", "next")
        }
    }

    @Test("A shell that is killed during a command is replaced", arguments: TestShell.all)
    func killed(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let observation = try await fixture.run("echo before; kill -9 $$; sleep 600")
            #expect(observation.metadata.exitCode == 137)
            #expect(observation.metadata.suffix.contains("The shell exited with code 137."))
            try await fixture.expect("echo next", "next")
        }
    }

    @Test(
        "A shell that was killed between commands is replaced, and the next observation says so",
        arguments: TestShell.all
    )
    func killedBetween(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let process = try #require(pid_t(try await fixture.output("cd /; echo $$")))
            kill(process, SIGKILL)
            try await eventually { !isAlive(process) }
            while await fixture.runner.session.hasShell { try await Task.sleep(for: .milliseconds(1)) }
            let observation = try await fixture.run("pwd")
            #expect(observation.content == "/")
            #expect(observation.metadata.exitCode == 0)
            #expect(observation.metadata.prefix.contains("[The shell has exited with code 137 since the last command."))
            #expect(try await fixture.run("pwd").metadata.prefix == "")
        }
    }

    @Test(
        "A command that removes the shell's control files is noticed, and the next one runs",
        arguments: TestShell.all
    )
    func lostFiles(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for removal in ["rm -rf \(files)", "rm \(files)/report", "rm \(files)/report; touch \(files)/report"] {
                try await fixture.expect("pwd", fixture.directory)
                let path = await fixture.runner.session.controlPath
                let command = removal.replacing(files, with: path)
                let observation = try await fixture.run("echo before; \(command); echo after")
                #expect(observation.content.hasPrefix("before\nafter"))
                #expect(observation.metadata.exitCode == -1)
                #expect(
                    observation.metadata.suffix.contains("The files through which the shell is reached were removed.")
                )
                try? FileManager.default.removeItem(atPath: path)
            }
            try await fixture.expect("pwd", fixture.directory)
        }
    }

    @Test(
        "Control files that vanish between commands are noticed, and the command runs in a new shell",
        arguments: TestShell.all
    )
    func lostFilesBetween(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkdir sub; cd sub")
            try FileManager.default.removeItem(atPath: await fixture.runner.session.controlPath)
            let observation = try await fixture.run("pwd")
            #expect(observation.content == fixture.directory + "/sub")
            #expect(observation.metadata.exitCode == 0)
            #expect(observation.metadata.prefix.contains("The files through which the shell is reached were removed."))
            // Only the command file: nothing is lost.
            _ = try await fixture.output("x=kept")
            try FileManager.default.removeItem(atPath: await fixture.runner.session.controlPath + "/command")
            try await fixture.expect("echo $x", "kept")
        }
    }

    @Test(
        "A shell without a directory to return to starts in the nearest one above, and says so",
        arguments: TestShell.all
    )
    func lostDirectory(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("mkdir -p a/b/c; cd a/b/c; rm -r ../../../a/b")
            _ = try await fixture.run("exit 0")
            let observation = try await fixture.run("pwd")
            #expect(observation.content == fixture.directory + "/a")
            #expect(observation.metadata.prefix.contains("is gone; the shell is in \(fixture.directory)/a"))
        }
    }

    @Test(
        "A .bashrc that ends the shell, replaces it or doesn't end is passed over, and the observation says so",
        arguments: ["exit 5", "exec sleep 600", "cat", "sleep 600", "kill -9 $$", "while :; do :; done"]
    )
    func brokenStartup(script: String) async throws {
        let change = { (configuration: inout ShellSession.Configuration) in
            configuration.startupTimeout = .milliseconds(500)
        }
        try await withShell(.bash, files: [".bashrc": "echo noise\n\(script)\n"], change) { fixture in
            let observation = try await fixture.run("echo works")
            #expect(observation.content == "works")
            #expect(observation.metadata.exitCode == 0)
            #expect(
                observation.metadata.prefix.hasPrefix(
                    "[The shell was started without its start-up files, such as ~/.bashrc"
                )
            )
            #expect(try await fixture.run("echo again").metadata.prefix == "")
            // The next shell doesn't wait for them again.
            _ = try await fixture.run("exit 1")
            try await fixture.expect("echo new", "new")
            #expect(try await fixture.run("echo own") { $0.isStatic = true }.content == "own")
        }
    }

    @Test("A .bashrc is read, and what it prints isn't told")
    func startup() async throws {
        let bashrc = "echo welcome\nx=from-bashrc\nPS1='prompt> '\nPROMPT_COMMAND='echo prompt'\nset -o vi\nreturn 7\n"
        try await withShell(.bash, files: [".bashrc": bashrc]) { fixture in
            try await fixture.expect("echo $? $x", "0 from-bashrc")
        }
    }

    @Test(
        "A shell that can't be started is an error that says why, leaves nothing, and is tried again",
        arguments: TestShell.all
    )
    func startFailure(shell: TestShell) async throws {
        try await withTemporaryDirectory { root in
            let program = root + "/" + (shell == .bash ? "bash" : "sh")
            let change = { (configuration: inout ShellSession.Configuration) in
                configuration.shell = Shell(path: program)
            }
            try await withShell(shell, change) { fixture in
                for (content, mode) in [
                    (nil, 0), ("not a program", 0o700), ("#!/bin/false\n", 0o700), ("#!/bin/sh\nexit 9", 0o700),
                ] {
                    if let content { try writeExecutable(program, content, mode: mode_t(mode)) }
                    guard
                        case .error(let error) = await fixture.runner.run(CommandAction(command: "echo x"), timeout: 30)
                    else {
                        Issue.record("an observation of \(content ?? "nothing")")
                        return
                    }
                    #expect(error.content.hasPrefix("The command was not run: could not start the shell \(program)"))
                    #expect(await !fixture.runner.session.hasShell)
                    #expect(await !fixture.runner.session.isRunning)
                }
                try FileManager.default.removeItem(atPath: program)
                let place = root + "/real"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                let real = try shell.make(in: place).path
                try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: real)
                try await fixture.expect("echo now", "now")
            }
        }
    }

    @Test("Closing during a command ends it and all its processes, and the caller is told", arguments: TestShell.all)
    func close(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let directory = fixture.directory
            let runner = fixture.runner
            async let observation = runner.run(
                CommandAction(command: "sleep 601 & echo $! >pid.new; mv pid.new pid; sleep 600 & fg || wait"),
                timeout: nil
            )
            try await eventually { access(directory + "/pid", F_OK) == 0 }
            let text = try String(contentsOfFile: directory + "/pid", encoding: .utf8)
            let process = try #require(pid_t(text.filter(\.isNumber)))
            await runner.close()
            guard case .error(let error) = await observation else {
                Issue.record("\(await observation)")
                return
            }
            #expect(error.content.contains("shutting down"))
            try await eventually { !isAlive(process) }
            guard case .error(let later) = await runner.run(CommandAction(command: "echo x"), timeout: 1) else {
                Issue.record("a command ran in a closed session")
                return
            }
            #expect(later.content.contains("closed"))
        }
    }

    @Test("A session that is let go leaves no files, descriptors or processes")
    func noLeaks() async throws {
        let loop = try EventLoop()
        try loop.runInBackground()
        defer { loop.stop() }
        try await withTemporaryDirectory { root in
            let configuration = ShellSession.Configuration(
                shell: try TestShell.bash.make(in: root),
                directory: root,
                environment: ["HOME": root, "PATH": "/usr/bin:/bin"],
                outputs: OutputDirectory(path: root + "/outputs")
            )
            var paths: [String] = []
            for _ in 0..<5 {
                let session = ShellSession(configuration, loop: loop)
                try await session.start()
                paths.append(await session.controlPath)
                await session.close()
                #expect(await !session.hasShell)
            }
            try await eventually { paths.allSatisfy { access($0, F_OK) != 0 } }
        }
    }

    @Test("A turn that comes together with the waiting task's cancellation isn't lost")
    func turns() async throws {
        let loop = try EventLoop()
        try loop.runInBackground()
        defer { loop.stop() }
        let configuration = ShellSession.Configuration(
            shell: Shell(path: "/bin/bash"),
            directory: "/",
            environment: [:],
            outputs: OutputDirectory(path: "/nowhere")
        )
        let session = ShellSession(configuration, loop: loop)
        for _ in 0..<300 {
            #expect(await session.turn.take())
            let waiting = Task { await session.turn.take() }
            while await session.turn.waiting.isEmpty { await Task.yield() }
            async let ended: Void = session.turn.end()
            waiting.cancel()
            await ended
            if await waiting.value { await session.turn.end() }
            #expect(await !session.turn.isTaken)
        }
    }

    // MARK: Tools

    private let files = "FILES"

    private func writeExecutable(_ path: String, _ content: String, mode: mode_t) throws {
        _ = unlink(path)
        try writeFile(path, Array(content.utf8), mode: mode)
    }
}
