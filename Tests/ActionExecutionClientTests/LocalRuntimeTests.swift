import ActionExecutionClient
import EventStream
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LocalRuntimeTests {
    private static func configuration() throws -> LocalRuntime.Configuration {
        var configuration = LocalRuntime.Configuration()
        configuration.serverBinary = try TestEnvironment.serverBinary()
        // What this machine's user has in .bashrc is not ours to test.
        configuration.environment["HOME"] = "/nowhere"
        return configuration
    }

    /// Lends a connected runtime and its stream, and closes it.
    private func withRuntime(
        _ configure: (inout LocalRuntime.Configuration) -> Void = { _ in },
        _ body: (LocalRuntime, EventStream, Recorder) async throws -> Void
    ) async throws {
        var configuration = try Self.configuration()
        configure(&configuration)
        let stream = EventStream()
        let recorder = Recorder()
        let runtime = LocalRuntime(configuration: configuration, eventStream: stream) { recorder.add($0) }
        try await runtime.connect()
        do {
            try await body(runtime, stream, recorder)
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
        try await stream.close()
    }

    /// The process of the server that a runtime's shell belongs to.
    private func serverProcess(_ stream: EventStream) async throws -> Int32 {
        let result = try #require(try await stream.run("echo $PPID"))
        return try #require(Int32(result.content))
    }

    @Test("Commands, files and the shell's state")
    func actions() async throws {
        try await withRuntime { _, stream, _ in
            let failing = try #require(try await stream.run("echo out; echo err >&2; (exit 3)"))
            #expect(failing.content == "out\nerr")
            #expect(failing.metadata.exitCode == 3)

            #expect(try await stream.run("mkdir -p sub && cd sub && export GREETING=hi")?.metadata.exitCode == 0)
            let state = try #require(try await stream.run("echo \"$GREETING from ${PWD##*/}\""))
            #expect(state.content == "hi from sub")

            let written = try await stream.perform(.write(FileWriteAction(path: "note.txt", content: "one\ntwo\n")))
            guard case .write(let write)? = written else {
                Issue.record("answered with \(String(describing: written))")
                return
            }
            #expect(write.path.hasSuffix("sub/note.txt"))
            guard case .read(let read)? = try await stream.perform(.read(FileReadAction(path: "note.txt"))) else {
                Issue.record("not a file's text")
                return
            }
            #expect(read.content == "one\ntwo\n")
        }
    }

    @Test("The output of a command that ends at once is all there, a thousand times and again")
    func shortCommands() async throws {
        try await withRuntime { _, stream, _ in
            for number in 0..<3000 {
                let result = try #require(try await stream.run("echo \(number)"))
                #expect(result.content == "\(number)")
            }
        }
    }

    @Test("Output reaches whoever reads it while its command runs")
    func updates() async throws {
        try await withRuntime { runtime, stream, _ in
            _ = try await stream.run("mkfifo gate")
            let action = Action.run(CommandAction(command: "echo one; read x <gate; echo two"))
            var (shown, observation) = ("", Observation?.none)
            for try await update in runtime.updates(of: ActionInvocation(action)) {
                switch update {
                case .output(let change):
                    change.apply(to: &shown)
                    guard shown == "one\n" else { continue }
                    let opening = ActionInvocation(.run(CommandAction(command: "echo > gate")), shellSession: "other")
                    _ = try await runtime.execute(opening)
                case .observation(let last):
                    observation = last
                }
            }
            #expect(shown == "one\ntwo\n")
            guard case .run(let result)? = observation else {
                Issue.record("ended with \(String(describing: observation))")
                return
            }
            #expect(result.content == "one\ntwo")
        }
    }

    @Test("Who reads an action's updates again gets its observation, and the action isn't performed again")
    func updatesAgain() async throws {
        try await withRuntime { runtime, stream, _ in
            let action = Action.run(CommandAction(command: "echo x >> counter; cat counter"))
            let updates = runtime.updates(of: ActionInvocation(action))
            var last: [ActionUpdate] = []
            for _ in 0..<2 {
                var all: [ActionUpdate] = []
                for try await update in updates { all.append(update) }
                last.append(try #require(all.last))
            }
            #expect(last[0] == last[1])
            #expect(try await stream.run("cat counter")?.content == "x")
        }
    }

    @Test("An action that nobody performs is refused in its updates too, and a closed runtime has none")
    func refusedUpdates() async throws {
        var kept: LocalRuntime?
        try await withRuntime { runtime, _, _ in
            kept = runtime
            let updates = runtime.updates(of: ActionInvocation(.think(ThinkAction(thought: "hm"))))
            await #expect(
                throws: RuntimeError.refused(
                    status: 400,
                    detail: "Actions of the kind think are not performed here"
                )
            ) {
                for try await _ in updates {}
            }
        }
        let runtime = try #require(kept)
        await #expect(throws: RuntimeError.disconnected(reason: "it was closed")) {
            for try await _ in runtime.updates(of: ActionInvocation(.run(CommandAction(command: "true")))) {}
        }
        for await _ in runtime.liveOutput { Issue.record("a closed runtime has no output") }
    }

    @Test("The output of the stream's actions can be watched, without its secrets")
    func liveOutput() async throws {
        try await withRuntime { runtime, stream, _ in
            stream.setSecrets(["token": "s3cr3t-token"])
            let outputs = runtime.liveOutput
            _ = try await stream.run("mkfifo gate")
            let command = CommandAction(command: "T=s3cr3t; printf \"it is $T-\"; read x <gate; echo token; echo end")
            let action = try await stream.publish(.run(command))
            var shown = ""
            for await output in outputs {
                #expect(output.actionID == action.id)
                output.update.apply(to: &shown)
                if shown == "it is " {
                    let opening = ActionInvocation(.run(CommandAction(command: "echo > gate")), shellSession: "other")
                    _ = try await runtime.execute(opening)
                }
                if shown.hasSuffix("end\n") { break }
            }
            #expect(shown == "it is <secret_hidden>\nend\n")
        }
    }

    @Test("A command of the stream runs in the session that its event names")
    func shellSessions() async throws {
        try await withRuntime { _, stream, _ in
            _ = try await stream.run("NAME=default")
            var draft = EventDraft(.action(.run(CommandAction(command: "echo \"[$NAME]\""))), source: .agent)
            draft.shellSession = "other"
            let action = try await stream.publish(draft)
            guard case .run(let result)? = try await stream.answer(to: action)?.observation else {
                Issue.record("not a command's observation")
                return
            }
            #expect(result.content == "[]")
            #expect(try await stream.run("echo \"[$NAME]\"")?.content == "[default]")
        }
    }

    @Test("What runs can be interrupted, and killed when it doesn't listen")
    func interrupting() async throws {
        try await withRuntime { runtime, stream, _ in
            #expect(try await runtime.interrupt() == 0)
            for (command, isForced, code) in [
                ("sleep 1000", false, 130), ("bash -c 'trap \"\" INT; sleep 1000; :'", true, 137),
            ] {
                let invocation = ActionInvocation(.run(CommandAction(command: "echo ready; " + command)))
                var exitCode: Int?
                for try await update in runtime.updates(of: invocation) {
                    switch update {
                    case .output: _ = try await runtime.interrupt(isForced: isForced)
                    case .observation(.run(let result)): exitCode = result.metadata.exitCode
                    case .observation: break
                    }
                }
                #expect(exitCode == code)
            }
            #expect(try await stream.run("echo next")?.content == "next")
        }
    }

    @Test("Two runtimes at once have nothing in common")
    func twoAtOnce() async throws {
        try await withRuntime { _, first, _ in
            try await withRuntime { _, second, _ in
                async let one = first.run("NAME=one; echo $NAME > name; pwd")
                async let two = second.run("NAME=two; echo $NAME > name; pwd")
                let directories = [try await one?.content, try await two?.content]
                #expect(directories[0] != directories[1])
                let contents = [
                    try await first.run("echo $NAME; cat name")?.content,
                    try await second.run("echo $NAME; cat name")?.content,
                ]
                #expect(contents == ["one\none", "two\ntwo"])
            }
        }
    }

    @Test("The statuses come in order, to callbacks and sequences alike")
    func statuses() async throws {
        let recorder = Recorder()
        let runtime = LocalRuntime(configuration: try Self.configuration()) { recorder.add($0) }
        let sequence = runtime.statusUpdates
        try await runtime.connect()
        await runtime.close()
        let updates = await sequence.reduce(into: []) { $0.append($1) }
        #expect(updates.map(\.status) == [.starting, .started, .ready, .stopped])
        #expect(recorder.updates == updates)
    }

    @Test("P8: a server that is killed at work answers the action with one error, and those after it too")
    func serverKilled() async throws {
        try await withRuntime { runtime, stream, recorder in
            let disconnected = Task { [updates = runtime.statusUpdates] in
                await updates.first { $0.status == .disconnected }
            }
            let server = try await serverProcess(stream)
            let directory = try #require(try await stream.run("pwd")).content
            let action = try await stream.publish(.run(CommandAction(command: "touch begun; sleep 1000")))
            try await until { FileManager.default.fileExists(atPath: directory + "/begun") }
            #expect(kill(server, SIGKILL) == 0)

            guard case .error(let error)? = try await stream.answer(to: action)?.observation else {
                Issue.record("answered with \(try stream.answers(to: action))")
                return
            }
            #expect(error.content.contains("killed by signal 9"))
            #expect(await disconnected.value?.level == .error)
            guard case .error? = try await stream.perform(.run(CommandAction(command: "true"))) else {
                Issue.record("a later action was not answered with an error")
                return
            }
            #expect(try stream.answers(to: action).count == 1)
            await runtime.close()
            #expect(recorder.statuses == [.starting, .started, .ready, .disconnected, .stopped])
        }
    }

    @Test("P8: closing during a command answers it and ends what it runs")
    func closeDuringCommand() async throws {
        try await withRuntime { runtime, stream, _ in
            let server = try await serverProcess(stream)
            let directory = try #require(try await stream.run("pwd")).content
            let file = URL(fileURLWithPath: directory).appending(path: "pid")
            let action = try await stream.publish(
                .run(CommandAction(command: "sh -c 'echo $$ > pid.new; mv pid.new pid; exec sleep 1000'"))
            )
            try await until { FileManager.default.fileExists(atPath: file.path) }
            let text = try String(contentsOf: file, encoding: .utf8)
            let command = try #require(Int32(text.trimmingCharacters(in: .newlines)))
            #expect(isRunning(command))

            await runtime.close()
            #expect(!isRunning(server))
            #expect(!isRunning(command))
            #expect(!FileManager.default.fileExists(atPath: directory))
            let answers = try stream.answers(to: action)
            guard answers.count == 1, case .error(let error) = answers[0] else {
                Issue.record("answered with \(answers)")
                return
            }
            #expect(error.content.contains("closed"))
        }
    }

    @Test("A runtime that was closed says so, and can't be connected again")
    func afterClose() async throws {
        let runtime = LocalRuntime(configuration: try Self.configuration())
        await #expect(throws: RuntimeError.notConnected(operation: "execute()")) {
            try await runtime.execute(.run(CommandAction(command: "true")))
        }
        try await runtime.connect()
        await #expect(throws: RuntimeError.self) { try await runtime.connect() }
        await runtime.close()
        await runtime.close()
        await #expect(throws: RuntimeError.disconnected(reason: "it was closed")) {
            try await runtime.execute(.run(CommandAction(command: "true")))
        }
        await #expect(throws: RuntimeError.self) { try await runtime.connect() }
    }

    @Test("A program that isn't a server: the error has its words, and it may be tried again")
    func wrongProgram() async throws {
        var configuration = LocalRuntime.Configuration()
        configuration.serverBinary = "/bin/ls"
        let recorder = Recorder()
        let runtime = LocalRuntime(configuration: configuration) { recorder.add($0) }
        for _ in 0..<2 {
            let error = await #expect(throws: RuntimeError.self) { try await runtime.connect() }
            #expect(error?.description.contains("exited with status") == true)
            #expect(error?.description.contains("option") == true)
        }
        await runtime.close()
        #expect(recorder.statuses == [.starting, .started, .error, .starting, .started, .error, .stopped])
    }

    @Test("Cancelling or closing at any moment of connecting leaves nothing behind", .timeLimit(.minutes(5)))
    func interruptedConnect() async throws {
        await #expect(processExitsWith: .success) {
            try await Leftovers.expectNone {
                for step in 0..<40 { try await LocalRuntimeTests.interruptConnect(step) }
            }
        }
    }

    /// Cancels or closes ever later within the connecting.
    private static func interruptConnect(_ step: Int) async throws {
        let runtime = LocalRuntime(configuration: try configuration())
        let updates = runtime.statusUpdates
        let connecting = Task { try await runtime.connect() }
        for _ in 0..<step { await Task.yield() }
        // Some of them when the process runs and the server in it may or may not be there.
        if step >= 20 { _ = await updates.first { $0.status == .started } }
        if step >= 30 { try await Task.sleep(for: .milliseconds(step - 30)) }
        if step.isMultiple(of: 2) {
            connecting.cancel()
            _ = await connecting.result
        }
        await runtime.close()
        _ = await connecting.result
        await #expect(throws: RuntimeError.disconnected(reason: "it was closed")) {
            try await runtime.execute(.run(CommandAction(command: "true")))
        }
    }

    @Test("After fifty sandboxes there is no process, no directory and no descriptor more", .timeLimit(.minutes(5)))
    func nothingLeft() async throws {
        await #expect(processExitsWith: .success) {
            try await Leftovers.expectNone {
                for _ in 0..<50 {
                    let stream = EventStream()
                    let runtime = LocalRuntime(
                        configuration: try LocalRuntimeTests.configuration(),
                        eventStream: stream
                    )
                    try await runtime.connect()
                    #expect(try await stream.run("echo hi")?.content == "hi")
                    await runtime.close()
                    try await stream.close()
                }
            }
        }
    }
}
