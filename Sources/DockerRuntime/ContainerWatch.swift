import ActionExecutionClient
import DockerEngine
import Foundation
import Synchronization

/// How a container ended.
struct ContainerEnding: Sendable {
    /// Nil when it was removed before the engine could tell.
    var exitCode: Int?
    /// The last that its server wrote.
    var words: String

    /// What comes after the container's name in a sentence.
    var description: String {
        let how = exitCode.map { "ended with exit code \($0)\(Self.meaning(of: $0))" } ?? "was removed"
        return words.isEmpty ? how : "\(how): \(words)"
    }

    /// What exit codes of a killed process mean.
    private static func meaning(of code: Int) -> String {
        switch code {
        case 137: " (killed, by somebody or for want of memory)"
        case 143: " (asked to end)"
        default: ""
        }
    }
}

/// Follows a container from before its start to its end: what it writes, and how it ends.
final class ContainerWatch: Sendable {
    private let hasWritten = OneShot<Void>()
    private let ending = OneShot<ContainerEnding>()
    /// Owned: ``stop()`` waits for it.
    private let task: Task<Void, Never>

    /// For how long the last words are waited for when a container has ended; they come with its end.
    private static let wordsTime = Duration.seconds(1)

    /// Follows a container that isn't started yet.
    ///
    /// - Throws: `DockerEngineError`, `CancellationError`.
    init(_ container: String, on engine: DockerEngineClient) async throws {
        async let attaching = engine.attachContainer(container)
        let exit = try await engine.beginWaiting(for: .nextExit, of: container)
        let frames = try await attaching
        let words = LastWords()
        task = Task { [hasWritten, ending] in
            await withTaskGroup { group in
                group.addTask {
                    do {
                        for try await frame in frames {
                            words.add(frame.bytes)
                            hasWritten.set(())
                        }
                    } catch {
                        // What was read before counts.
                    }
                }
                if let code = try? await Self.exitCode(exit, of: container, on: engine) {
                    group.addTask { try? await Task.sleep(for: Self.wordsTime) }
                    await group.next()
                    ending.set(ContainerEnding(exitCode: code, words: words.text))
                }
                group.cancelAll()
            }
        }
    }

    /// Waits until the container has written something.
    ///
    /// - Throws: `CancellationError`.
    func output() async throws {
        try await hasWritten.wait()
    }

    /// Waits for the end of the container.
    ///
    /// - Throws: `CancellationError`.
    func end() async throws -> ContainerEnding {
        try await ending.wait()
    }

    /// Whether the container has ended.
    var hasEnded: Bool { ending.current != nil }

    /// Stops following.
    func stop() async {
        task.cancel()
        await task.value
    }

    /// The exit code; nil when the container is gone.
    ///
    /// An engine that doesn't answer is asked again: the container may live on without it.
    private static func exitCode(
        _ exit: ContainerExit,
        of container: String,
        on engine: DockerEngineClient
    ) async throws -> Int? {
        do {
            return try await exit.exitCode()
        } catch is DockerEngineError {
            // Lost its connection, most likely: the engine was restarted.
        }
        while true {
            do {
                return try await engine.waitContainer(container)
            } catch let error as DockerEngineError {
                if error.isNotFound { return nil }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

/// The end of what a container wrote.
private final class LastWords: Sendable {
    private static let limit = 4000
    private let bytes = Mutex<[UInt8]>([])

    func add(_ more: [UInt8]) {
        bytes.withLock { $0 = ($0 + more).suffix(Self.limit) }
    }

    var text: String {
        String(decoding: bytes.withLock { $0 }, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
