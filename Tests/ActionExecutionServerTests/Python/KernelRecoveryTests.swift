import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Cells that don't end, interpreters that do, and interpreters that can't be started.
@Suite(.timeLimit(.minutes(2)))
struct KernelRecoveryTests {
    private static let next = "The next cell runs in a new one, without the old one's variables.]"
    private static let fresh =
        "[This cell runs in a new Python interpreter, without the variables of the cells before.]\n"

    @Test(
        "A cell whose time is over is interrupted with its programs, and the variables stay",
        arguments: TestPython.allCases
    )
    func timeLimit(python: TestPython) async throws {
        try await withCells(python) { fixture in
            _ = try await fixture.output("import asyncio, subprocess, time\nx = 1")
            for wait in [
                "time.sleep(600)", "subprocess.run(['sleep', '600'])", "await asyncio.sleep(600)", "while True: pass",
            ] {
                let content = try await fixture.run("print('before')\n" + wait, timeout: 0.5).content
                #expect(content.hasPrefix("before\n"))
                #expect(content.contains("KeyboardInterrupt"))
                #expect(content.hasSuffix("\n[Execution timed out (0.5 seconds).]"), "\(content)")
                try await fixture.expect("x", "1")
            }
        }
    }

    @Test("A cell that can't be interrupted loses its interpreter with all that it runs")
    func stubborn() async throws {
        try await withCells(.plain) { fixture in
            let process = try await fixture.process()
            let content = try await fixture.run(
                """
                import signal, subprocess
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                print(subprocess.Popen(["sleep", "600"]).pid)
                while True: pass
                """,
                timeout: 1
            ).content
            let lines = content.split(separator: "\n")
            #expect(
                lines.dropFirst() == [
                    "[Execution timed out (1.0 seconds).]",
                    "[The cell did not end when it was interrupted: the interpreter was killed. \(Self.next)",
                ]
            )
            let sleeping = try #require(lines.first.flatMap { pid_t($0) })
            #expect(!isAlive(process))
            try await eventually { !isAlive(sleeping) }
            try await fixture.expect("print('on')", Self.fresh + "on")
            try await fixture.expect("print('on')", "on")
        }
    }

    @Test("A cell can be interrupted on request, and its interpreter killed")
    func interrupted() async throws {
        try await withCells(.plain) { fixture in
            #expect(await fixture.cells.interrupt(isForced: false) == false)
            for isForced in [false, true] {
                async let cell = fixture.run("open('started', 'w').close()\nwhile True: pass", timeout: nil)
                try await eventually { access(fixture.directory + "/started", F_OK) == 0 }
                #expect(await fixture.cells.interrupt(isForced: isForced))
                let content = try await cell.content
                let told = "[The Python interpreter was killed during this cell, as asked. \(Self.next)"
                #expect(isForced ? content == told : content.hasSuffix("\nKeyboardInterrupt"), "\(content)")
                _ = unlink(fixture.directory + "/started")
            }
            try await fixture.expect("1", Self.fresh + "1")
        }
    }

    @Test(
        "A cell that ends its interpreter says how, and the next cell has a new one",
        arguments: [
            ("print('last'); os._exit(3)", "last\n[The Python interpreter exited with code 3 during this cell. "),
            (
                "print('last'); os.kill(os.getpid(), 9)",
                "last\n[The Python interpreter was killed by signal 9, as the system does when memory runs out, during"
            ),
            ("exit()", "[The Python interpreter exited with code 0 during this cell. "),
        ]
    )
    func ended(code: String, told: String) async throws {
        try await withCells(.plain) { fixture in
            _ = try await fixture.output("import os\nx = 1")
            let content = try await fixture.output(code)
            #expect(content.hasPrefix(told), "\(content)")
            #expect(content.hasSuffix(Self.next))
            let fresh = try await fixture.run("x") { $0.kernelInitCode = "x = 'made again'" }
            #expect(fresh.content == Self.fresh + "'made again'")
        }
    }

    @Test("A crash is told with the place where it happened", arguments: TestPython.allCases)
    func crash(python: TestPython) async throws {
        try await withCells(python) { fixture in
            let content = try await fixture.output("import ctypes\nctypes.string_at(0)")
            #expect(content.hasPrefix("Fatal Python error: Segmentation fault"))
            #expect(content.contains(" line 2 in <module>\n"))
            #expect(content.contains("[The Python interpreter was ended by signal 11 during this cell. \(Self.next)"))
        }
    }

    @Test("IPython's `exit` ends the interpreter too")
    func ipythonExit() async throws {
        try await withCells(.ipython) { fixture in
            #expect(try await fixture.output("exit()").hasPrefix("[The Python interpreter exited with code 0"))
            try await fixture.expect("1", Self.fresh + "1")
        }
    }

    @Test("An interpreter that is killed between cells is replaced, which the next cell says")
    func killedBetween() async throws {
        try await withCells(.plain) { fixture in
            let process = try await fixture.process()
            kill(process, SIGKILL)
            while await fixture.cells.session.isRunning { try await Task.sleep(for: .milliseconds(1)) }
            try await fixture.expect(
                "print('on')",
                "[The Python interpreter has been killed by signal 9, as the system does when memory runs out, since the"
                    + " last cell.]\n\(Self.fresh)on"
            )
        }
    }

    @Test(
        "A cell that meddles with the channel loses its interpreter, and can't forge anything",
        arguments: ["os.close(3)", "os.write(3, b'nonsense\\n')", "os.closerange(3, 100)"]
    )
    func channel(meddling: String) async throws {
        try await withCells(.plain) { fixture in
            let content = try await fixture.output("import os, time\nprint('before')\n\(meddling)\ntime.sleep(600)")
            #expect(
                content == "before\n[The Python interpreter could not be reached any more, and was killed. \(Self.next)"
            )
            try await fixture.expect("print('done 1')", Self.fresh + "done 1")
        }
    }

    @Test("Programs that outlive their interpreter are still heard")
    func survivors() async throws {
        try await withCells(.plain) { fixture in
            let content = try await fixture.output(
                """
                import os, subprocess
                script = "until [ -e go ]; do sleep 0.01; done; echo survived; touch written"
                subprocess.Popen(script, shell=True)
                os._exit(0)
                """
            )
            #expect(content.contains("exited with code 0"))
            try writeFile(fixture.directory + "/go", [], mode: 0o600)
            try await eventually { access(fixture.directory + "/written", F_OK) == 0 }
            try await fixture.expect(
                "print('on')",
                Self.fresh
                    + "[Below is what was written since the last cell.]\nsurvived\n[Below is the output of this cell.]\non"
            )
        }
    }

    @Test("Control-C in the shell's terminal doesn't reach the interpreter")
    func shellKeys() async throws {
        try await withCells(.plain) { fixture in
            async let cell = fixture.run(
                """
                import os, time
                open("started", "w").close()
                while not os.path.exists("go"): time.sleep(0.01)
                "undisturbed"
                """
            )
            try await eventually { access(fixture.directory + "/started", F_OK) == 0 }
            _ = await fixture.commands.run(CommandAction(command: "sleep 600"), timeout: 0.1)
            let key = await fixture.commands.run(CommandAction(command: "C-c", isInput: true), timeout: 60)
            guard case .run(let interrupted) = key else { throw CellFixture.UnexpectedObservation(observation: key) }
            #expect(interrupted.metadata.exitCode == 130)
            try writeFile(fixture.directory + "/go", [], mode: 0o600)
            #expect(try await cell.content == "'undisturbed'")
        }
    }

    @Test("Without Python, a cell says what is missing")
    func noPython() async throws {
        try await withCells(.plain) {
            $0.environment["PATH"] = "/nowhere"
        } _: { fixture in
            let observation = await fixture.cells.run(IPythonAction(code: "1"), timeout: 60)
            guard case .error(let error) = observation else {
                throw CellFixture.UnexpectedObservation(observation: observation)
            }
            #expect(
                error.content.hasPrefix("The cell was not run: there is no Python here, neither python3 nor python in ")
            )
        }
    }

    @Test("A Python that can't start is told with what it wrote")
    func brokenPython() async throws {
        try await withTemporaryDirectory { directory in
            try writeFile(directory + "/python3", Array("#!/bin/sh\necho broken >&2\nexit 5\n".utf8), mode: 0o700)
            try await withCells(.plain) {
                $0.environment["PATH"] = directory + ":/usr/bin:/bin"
            } _: { fixture in
                let observation = await fixture.cells.run(IPythonAction(code: "1"), timeout: 60)
                let told =
                    "The cell was not run: \(directory)/python3 exited with code 5 before it was ready. It wrote:\nbroken"
                #expect(observation == .error(ErrorObservation(content: told)))
            }
        }
    }

    @Test("Closing ends the cell and its programs at once")
    func close() async throws {
        try await withCells(.plain) { fixture in
            let process = try await fixture.process()
            let cells = fixture.cells
            let running = Task {
                await cells.run(IPythonAction(code: "open('started', 'w').close()\nwhile True: pass"), timeout: nil)
            }
            try await eventually { access(fixture.directory + "/started", F_OK) == 0 }
            await cells.close()
            #expect(!isAlive(process))
            #expect(
                await running.value
                    == .error(ErrorObservation(content: "The execution server is shutting down; the cell was ended."))
            )
            #expect(
                await cells.run(IPythonAction(code: "1"), timeout: nil)
                    == .error(ErrorObservation(content: "The execution server is shutting down; the cell was ended."))
            )
        }
    }

    #if os(Linux)
    @Test("A server that is killed takes its interpreter with it, also one that is busy")
    func serverKilled() async throws {
        let path = try TestPython.plain.directory()
        try await withTemporaryDirectory { root in
            let arguments = ["--unix-socket", root + "/socket", "--working-dir", root]
            try await withServerProcess(arguments, environment: ["PATH": path + ":/usr/bin:/bin"]) { server in
                _ = try server.firstLine()
                let client = try await TestClient(.unix(path: root + "/socket"))
                let code =
                    "import os\nwith open('new', 'w') as file: file.write(str(os.getpid()))\nos.rename('new', 'pid')\nwhile True: pass"
                let action: JSONValue = ["action": ["action": "run_ipython", "args": ["code": .string(code)]]]
                try await client.send(TestClient.encoded("POST", "/execute_action", body: action.description))
                try await eventually { access(root + "/pid", F_OK) == 0 }
                let process = try #require(pid_t(try FileAccess.read(root + "/pid", limit: 20).text))
                #expect(isAlive(process))
                kill(server.process.processIdentifier, SIGKILL)
                try await eventually { !isAlive(process) }
            }
        }
    }
    #endif
}
