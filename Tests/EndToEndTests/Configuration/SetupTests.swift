import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// What a sandbox is given before the agent has it.
@Suite(.timeLimit(.minutes(5)))
struct SetupTests {
    private static let secret = #"it's "$HOME" `id`"#

    @Test("The initial environment is in the shell, in shells to come and in Python, and the engine doesn't show it")
    func initialEnvironment() async throws {
        try await withRuntime {
            $0.initialEnvironment = ["TOKEN": Self.secret, "lower": "1"]
        } _: { sandbox in
            let shell = try await sandbox.stream.run(#"printf '%s\n' "$TOKEN" "$lower""#)
            #expect(shell?.content == "\(Self.secret)\n1")
            let later = try await sandbox.stream.run(
                #"env -i HOME="$HOME" bash -c '. ~/.bashrc; printf "%s\n" "$TOKEN"'"#
            )
            #expect(later?.content == Self.secret)
            let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
            #expect(inspection.configuration.environment?.contains { $0.contains("TOKEN") } == false)
            // Nor are the actions that did it in the log.
            #expect(try sandbox.stream.events().allSatisfy { !"\($0.jsonBytes())".contains("TOKEN=") })
        }
    }

    @Test("What gives Python the environment gives it the values as they are")
    func python() async throws {
        let variables = ["QUOTES": Self.secret, "LINES": "one\ntwo\\n", "UNICODE": "grüße 😀 \u{1}", "EMPTY": ""]
        try await withRuntime { sandbox in
            let code =
                EnvironmentExport(variables).pythonCode
                + "print(repr([os.environ[k] for k in \(variables.keys.sorted())]))"
            let result = try await sandbox.stream.run("python3 -c \(ShellWord.quoted(code))")
            #expect(
                result?.content
                    == #"['', 'one\ntwo\\n', 'it\'s "$HOME" `id`', 'grüße 😀 \x01']"#
            )
        }
    }

    @Test("Variables are added while the sandbox runs; a name that no shell takes is refused")
    func addEnvironment() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            try await sandbox.runtime.addEnvironment(["LATE": "1"])
            #expect(try await sandbox.stream.run("echo $LATE")?.content == "1")
            await #expect(throws: ConfigurationError.self) { try await sandbox.runtime.addEnvironment(["A-B": "1"]) }
        }
    }

    @Test("An environment that can't be set is an error that names it without its value, and nothing is left")
    func failure() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.environment = ["HOME": "/nowhere"]
            configuration.initialEnvironment = ["TOKEN": "hush-hush"]
            let statuses = StatusRecorder()
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id) { statuses.add($0) }
            let error = await #expect(throws: DockerRuntimeError.self) { try await runtime.connect() }
            guard case .setupFailed(let step, let output)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(step == "adding TOKEN to ~/.bashrc")
            #expect(output.contains("/nowhere/.bashrc"))
            #expect(statuses.updates.last?.status == .error)
            #expect(!"\(statuses.updates)\(String(describing: error))".contains("hush"))
            #expect(try await session.containers().isEmpty)
        }
    }

    @Test("Git commits under the identity; none is set where none is wanted, and one that can't be is a warning")
    func gitIdentity() async throws {
        let commit = "git init -q r; cd r; git commit -q --allow-empty -m x; git log --format='%an <%ae>'"
        try await withRuntime {
            $0.gitIdentity = DockerRuntime.GitIdentity(name: "Ada O'Neil", email: "ada@example.com")
        } _: { sandbox in
            let author = try await sandbox.stream.run(commit)
            #expect(author?.content == "Ada O'Neil <ada@example.com>")
        }
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.gitIdentity = nil
        } _: { sandbox in
            let files = try await sandbox.stream.run("ls -A ~")
            #expect(files?.content == "")
        }
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.environment = ["HOME": "/nowhere"]
        } _: { sandbox in
            let warnings = sandbox.statuses.updates.filter { $0.level == .warning }
            #expect(warnings.count == 1)
            #expect(warnings.first?.message.contains("setting git's identity failed") == true)
        }
    }

    @Test("A user by number runs all, and has the working directory")
    func user() async throws {
        try await withRuntime {
            $0.user = "1234:1235"
            $0.workingDirectory = "/home/agent/work"
        } _: { sandbox in
            let result = try await sandbox.stream.run("id -u; id -g; touch made && stat -c '%u %g' . made; pwd")
            #expect(result?.content == "1234\n1235\n1234 1235\n1234 1235\n/home/agent/work")
        }
    }
}
