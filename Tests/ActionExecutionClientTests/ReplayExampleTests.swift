import ActionExecutionClient
import EventStream
import Foundation
import TestSupport
import Testing

// What `docs/replay.md` shows, to be run. An embedder has such an agent, and such a test.

/// An agent that reads a file and, where there is none, writes it; a stand-in for one that asks a language model what to do.
struct MyAgent {
    let stream: EventStream

    func run() async throws {
        for _ in 0..<3 {
            let result = try await stream.run("cat greeting.txt")
            if result?.metadata.exitCode == 0 { break }
            _ = try await stream.perform(.write(FileWriteAction(path: "greeting.txt", content: "hello\n")))
        }
        try await stream.publish(.finish(FinishAction(finalThought: "The greeting is there.")))
    }
}

@Suite("The example of the replay guide", .timeLimit(.minutes(2)))
struct ReplayExampleTests {
    /// A session that was recorded with `EventStream(directory:)`.
    private static let recording = Bundle.module.bundleURL.appending(path: "Fixtures/session").path

    @Test("An agent loop is tested on a recorded session, with no sandbox")
    func agentWritesTheGreeting() async throws {
        let session = try RecordedSession(contentsOf: Self.recording)
        try await ReplayRuntime.replay(session) { stream in
            try await MyAgent(stream: stream).run()
        }
    }

    @Test("The test fails when the agent does something else than what was recorded, and says what")
    func anotherAgent() async throws {
        let session = try RecordedSession(contentsOf: Self.recording)
        let error = try await #require(throws: ReplayMismatch.self) {
            try await ReplayRuntime.replay(session) { stream in
                _ = try await stream.run("cat -n greeting.txt")
                try await MyAgent(stream: stream).run()
            }
        }
        #expect(
            error.description == """
                The action differs from the recorded one, event 0:
                  args.command: expected "cat greeting.txt"
                    but got "cat -n greeting.txt"
                """
        )
    }

    @Test("A sandbox still does what was recorded, or the verification says where not")
    func verification() async throws {
        let session = try RecordedSession(contentsOf: Self.recording)
        let differences = try await withTemporaryDirectory { directory in
            var configuration = LocalRuntime.Configuration()
            configuration.serverBinary = try TestEnvironment.serverBinary()
            configuration.workingDirectory = directory.path
            let runtime = LocalRuntime(configuration: configuration)
            try await runtime.connect()
            let differences = try await session.verify(against: runtime)
            await runtime.close()
            return differences
        }
        #expect(differences.isEmpty, "\(differences.map(\.description).joined(separator: "\n"))")
    }
}
