import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct OutOfMemoryTests {
    /// A command that wants all the memory that there is: it looks for the last line of what has none.
    private static let greedy = "tail -n 1 /dev/zero"

    @Test("P8: a command that is killed for want of memory is told so in its one observation; the sandbox goes on")
    func command() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.limits.memory = 48 << 20
        } _: { sandbox in
            #expect(try await sandbox.stream.run("kept=here")?.metadata.exitCode == 0)
            let action = try await sandbox.stream.publish(
                .run(CommandAction(command: "echo run >> count; (\(Self.greedy))")),
                timeout: 60
            )
            guard case .run(let result)? = try await sandbox.stream.answer(to: action)?.observation else {
                Issue.record("not a command's observation")
                return
            }
            #expect(result.metadata.exitCode == 137)
            #expect(result.metadata.suffix.contains("ran out of memory"))
            try await until { sandbox.statuses.statuses.contains(.outOfMemory) }
            let update = sandbox.statuses.updates.first { $0.status == .outOfMemory }
            #expect(update?.level == .warning)
            let after = try await sandbox.stream.run("echo $kept; cat count")
            #expect(after?.content == "here\nrun")
            #expect(after?.metadata.suffix.contains("memory") == false)
            let answers = try sandbox.stream.answers(to: action)
            #expect(answers.count == 1)
        }
    }

    @Test("Whoever watches the output of such a command gets the same observation")
    func watched() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.limits.memory = 48 << 20
        } _: { sandbox in
            let invocation = ActionInvocation(.run(CommandAction(command: "(\(Self.greedy))")), timeout: 60)
            for try await update in sandbox.runtime.updates(of: invocation) {
                guard case .observation(.run(let result)) = update else { continue }
                #expect(result.metadata.suffix.contains("ran out of memory"))
            }
        }
    }
}
