import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import TestSupport
import Testing

/// An image that the commands are tried in.
enum TestImage: String, CaseIterable, Sendable {
    case bash
    case noBash

    var reference: String {
        switch self {
        case .bash: TestEnvironment.image
        case .noBash: TestEnvironment.imageWithoutBash
        }
    }
}

@Suite(.timeLimit(.minutes(5)))
struct CommandTests {
    @Test("Commands: output, exit code, directory and variables that stay", arguments: TestImage.allCases)
    func commands(in image: TestImage) async throws {
        try await withRuntime(image: image.reference) { sandbox in
            let ok = try #require(try await sandbox.stream.run("echo out; echo err >&2"))
            #expect(ok.content == "out\nerr")
            #expect(ok.metadata.exitCode == 0)
            #expect(ok.metadata.workingDirectory == "/workspace")

            let failing = try #require(try await sandbox.stream.run("ls /nowhere"))
            #expect(failing.metadata.exitCode != 0)
            #expect(failing.content.contains("/nowhere"))

            let commands = ["mkdir -p sub && cd sub && NAME=Ada", "greet() { echo \"hello $NAME\"; }"]
            for command in commands {
                let result = try #require(try await sandbox.stream.run(command))
                #expect(result.metadata.exitCode == 0, "\(command): \(result.content)")
            }
            let state = try #require(try await sandbox.stream.run("greet; pwd"))
            #expect(state.content == "hello Ada\n/workspace/sub")
            #expect(state.metadata.workingDirectory == "/workspace/sub")
        }
    }

    @Test("A command that reads gets its input", arguments: TestImage.allCases)
    func input(in image: TestImage) async throws {
        try await withRuntime(image: image.reference) {
            $0.noChangeTimeout = 1
        } _: { sandbox in
            let asking = try #require(try await sandbox.stream.run("printf 'Name? '; read name; echo \"hello $name\""))
            #expect(asking.content.hasPrefix("Name?"))
            #expect(asking.metadata.exitCode == -1)
            #expect(asking.metadata.suffix.contains("no new output after 1 seconds"))
            let answered = try #require(try await sandbox.stream.run("Ada", isInput: true))
            #expect(answered.content.hasSuffix("hello Ada"))
            #expect(answered.metadata.exitCode == 0)
        }
    }

    @Test("A command that takes longer than its time runs on, until it is interrupted", arguments: TestImage.allCases)
    func timeout(in image: TestImage) async throws {
        try await withRuntime(image: image.reference) { sandbox in
            let slow = try #require(try await sandbox.stream.run("echo begun; sleep 1000", timeout: 1))
            #expect(slow.content == "begun")
            #expect(slow.metadata.exitCode == -1)
            #expect(slow.metadata.suffix.contains("timed out after 1"))

            let refused = try #require(try await sandbox.stream.run("echo other"))
            #expect(refused.metadata.suffix.contains("NOT executed"))

            let interrupted = try #require(try await sandbox.stream.run("C-c", isInput: true))
            #expect(interrupted.metadata.exitCode == 130)
            #expect(try await sandbox.stream.run("echo still here")?.content == "still here")
        }
    }

    @Test("Files are written and read", arguments: TestImage.allCases)
    func files(in image: TestImage) async throws {
        try await withRuntime(image: image.reference) { sandbox in
            let text = "eins\nzwei äöü ✓\n"
            let write = FileWriteAction(path: "folder/note.txt", content: text)
            guard case .write(let written)? = try await sandbox.stream.perform(.write(write)) else {
                Issue.record("the file was not written")
                return
            }
            #expect(written.path == "/workspace/folder/note.txt")
            let read = try await sandbox.stream.perform(.read(FileReadAction(path: "folder/note.txt")))
            guard case .read(let result)? = read else {
                Issue.record("the file was not read")
                return
            }
            #expect(result.content == text)
            #expect(try await sandbox.stream.run("cat folder/note.txt")?.content == "eins\nzwei äöü ✓")

            let missing = try await sandbox.stream.perform(.read(FileReadAction(path: "/nowhere")))
            #expect(missing?.error?.contains("/nowhere") == true)
        }
    }

    @Test("Two runtimes at once have nothing in common")
    func twoAtOnce() async throws {
        try await withRuntime { first in
            try await withRuntime(image: TestEnvironment.imageWithoutBash) { second in
                async let one = first.stream.run("NAME=one; echo $NAME > name; hostname")
                async let two = second.stream.run("NAME=two; echo $NAME > name; hostname")
                let hosts = [try await one?.content, try await two?.content]
                #expect(hosts[0] != hosts[1])
                let contents = [
                    try await first.stream.run("echo $NAME; cat name")?.content,
                    try await second.stream.run("echo $NAME; cat name")?.content,
                ]
                #expect(contents == ["one\none", "two\ntwo"])
            }
        }
    }

    @Test("Every action gets one observation, in order, with its tool-call metadata")
    func oneObservationEach() async throws {
        try await withRuntime { sandbox in
            var last: Event?
            for number in 0..<50 {
                last = try await sandbox.stream.publish(
                    .run(CommandAction(command: "echo \(number)")),
                    toolCallMetadata: ["tool_call_id": .string("call_\(number)")]
                )
            }
            _ = try await sandbox.stream.answer(to: #require(last))
            let answers = try sandbox.stream.events(where: .observations)
            #expect(answers.map(\.cause) == Array(0..<50))
            let contents = answers.compactMap { event -> String? in
                if case .run(let result)? = event.observation { result.content } else { nil }
            }
            #expect(contents == (0..<50).map(String.init))
            #expect(answers.map { $0.toolCallMetadata?["tool_call_id"]?.stringValue } == (0..<50).map { "call_\($0)" })
        }
    }

    @Test("An action without an event stream is performed too")
    func withoutStream() async throws {
        try await withSession { session in
            let runtime = DockerRuntime(configuration: try session.configuration(), sessionID: session.id)
            try await runtime.connect()
            guard case .run(let result) = try await runtime.execute(.run(CommandAction(command: "echo hi"))) else {
                Issue.record("not a command's observation")
                return await runtime.close()
            }
            #expect(result.content == "hi")
            await runtime.close()
        }
    }
}
