import ActionExecutionClient
import DockerEngine
import Foundation
import Synchronization

/// Follows a container to its end: what it writes, what happens to it, and how it ends.
///
/// An engine that goes away is looked for until it is back: the container may live on without it.
final class ContainerWatch: Sendable {
    /// What happens to the container, for one reader; ends with the container, and with ``stop()``.
    let changes: AsyncStream<ContainerChange>

    private let hasWritten = OneShot<Void>()
    private let ending = OneShot<ContainerEnding>()
    private let record = Mutex(ContainerRecord())
    private let continuation: AsyncStream<ContainerChange>.Continuation
    /// Set when a process is killed for want of memory; the next one has another.
    private let outOfMemory = Mutex(OneShot<Void>())
    /// Owned: ``stop()`` waits for it.
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// For how long the last words, and the last events, are waited for when a container has ended; they come with its end.
    private static let lastTime = Duration.seconds(5)

    /// Follows a container.
    ///
    /// - Parameter isRunning: whether it runs; else it is about to be started.
    /// - Throws: `DockerEngineError`, `CancellationError`.
    init(_ container: String, on engine: DockerEngineClient, isRunning: Bool = false) async throws {
        (changes, continuation) = AsyncStream.makeStream()
        async let attaching = engine.attachContainer(container)
        async let listening = engine.events(filters: Self.filters(container))
        let exit = try await engine.beginWaiting(for: isRunning ? .notRunning : .nextExit, of: container)
        let (frames, events) = (try await attaching, try await listening)
        // What it said when it was started has been read by others.
        if isRunning {
            hasWritten.set(())
            observe(try await engine.inspectContainer(container).state)
        }
        let following = Task { await follow(container, on: engine, frames, events, exit) }
        task.withLock { $0 = following }
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

    /// Whether the container's processes are frozen.
    var isPaused: Bool { record.withLock { $0.isPaused } }

    /// Takes in that the container was paused or resumed, which the engine's event may tell a little later.
    func expect(isPaused: Bool) {
        tell(record.withLock { $0.setPaused(isPaused) })
    }

    /// How often the kernel killed a process of the container for want of memory.
    var outOfMemoryCount: Int { record.withLock { $0.outOfMemoryCount } }

    /// Waits until the kernel has killed another process than the first so many.
    ///
    /// - Throws: `CancellationError`.
    func outOfMemory(after count: Int) async throws {
        let next = outOfMemory.withLock { $0 }
        if outOfMemoryCount == count { try await next.wait() }
    }

    /// Stops following.
    func stop() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
    }

    // MARK: Following

    private func follow(
        _ container: String,
        on engine: DockerEngineClient,
        _ frames: LogFrames,
        _ events: EngineMessages<EngineEvent>,
        _ exit: ContainerExit
    ) async {
        let words = LastWords()
        let (wordsEnd, eventsEnd) = (OneShot<Void>(), OneShot<Void>())
        await withTaskGroup { group in
            group.addTask { [hasWritten] in
                do {
                    for try await frame in frames {
                        words.add(frame.bytes)
                        hasWritten.set(())
                    }
                } catch {
                    // What was read before counts.
                }
                wordsEnd.set(())
            }
            group.addTask { [self] in
                try? await followEvents(events, of: container, on: engine)
                eventsEnd.set(())
            }
            // Not with "try?", for which a container that is gone and a cancellation are the same.
            do {
                let code = try await Self.exitCode(exit, of: container, on: engine)
                try? await firstOf({
                    try await wordsEnd.wait()
                    try await eventsEnd.wait()
                }) { try await Task.sleep(for: Self.lastTime) }
                ending.set(ContainerEnding(exitCode: code, record: record.withLock { $0 }, words: words.text))
            } catch {
                // Stopped.
            }
            group.cancelAll()
        }
        continuation.finish()
    }

    private static func filters(_ container: String) -> EngineFilters {
        ["type": ["container"], "container": [container]]
    }

    /// Takes events in until the container has ended; a stream that breaks is resumed where it broke.
    private func followEvents(
        _ first: EngineMessages<EngineEvent>,
        of container: String,
        on engine: DockerEngineClient
    ) async throws {
        var events: EngineMessages<EngineEvent>? = first
        while true {
            do {
                if events == nil {
                    let resumption = record.withLock { $0.resumption }
                    events = try await engine.events(filters: Self.filters(container), since: resumption)
                    // An engine that was restarted has forgotten what it told before.
                    observe(try await engine.inspectContainer(container).state)
                }
                if let stream = events {
                    for try await event in stream { if receive(event) { return } }
                }
            } catch let error as DockerEngineError {
                if error.isNotFound { return }
            }
            events = nil
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// - Returns: whether it was the last.
    private func receive(_ event: EngineEvent) -> Bool {
        let (change, hasEnded) = record.withLock { ($0.receive(event), $0.hasEnded) }
        tell(change)
        return hasEnded
    }

    private func observe(_ state: ContainerState) {
        tell(record.withLock { $0.observe(state) })
    }

    private func tell(_ change: ContainerChange?) {
        guard let change else { return }
        continuation.yield(change)
        if change == .outOfMemory {
            let told = outOfMemory.withLock { current in
                defer { current = OneShot() }
                return current
            }
            told.set(())
        }
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
