import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import Foundation

/// Fifty sandboxes at once, each with an event stream, all running commands.
enum ParallelBenchmark {
    private static let sandboxes = 50
    private static let commands = 200
    private static let rounds = 3
    /// How many are started at a time; more only wait for each other in the engine.
    private static let concurrency = 4

    /// What isn't as it must be.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func run(_ options: Options) async throws -> [Figure] {
        let bare = try await startBare(options.image)
        let sessions = (0..<sandboxes).map { _ in Session(image: options.image) }
        do {
            let (_, start) = try await measure { try await forEach(sessions) { try await $0.runtime.connect() } }
            try await forEach(sessions) { try await $0.openConnections() }
            let rates = try await rates(sessions)
            let (_, end) = await measure { await close(sessions) }
            return figures(bare: bare, start: start, rates: rates, end: end)
        } catch {
            await close(sessions)
            throw error
        }
    }

    private struct Session: Sendable {
        let stream = EventStream()
        let runtime: DockerRuntime

        init(image: String) {
            runtime = DockerRuntime(
                configuration: DockerRuntime.Configuration(image: image),
                eventStream: stream,
                sessionID: "benchmark-\(UInt64.random(in: .min ... .max))"
            )
        }

        /// Opens the two connections that a sandbox has: one for its commands, one for the renewal of its lease meanwhile.
        func openConnections() async throws {
            async let command = runtime.execute(.run(CommandAction(command: "sleep 0.2")))
            async let meanwhile = runtime.execute(.read(FileReadAction(path: "/etc/hostname")))
            _ = try await (command, meanwhile)
        }

        /// Runs commands one after the other, and sees to it that each has its answer.
        func runCommands() async throws {
            var observations = stream.subscribe(from: stream.nextID, where: .observations).makeAsyncIterator()
            for number in 0..<commands {
                let event = try await stream.publish(
                    .action(.run(CommandAction(command: "echo \(number)"))),
                    source: .agent
                )
                let answer = try await observations.next()
                guard answer?.cause == event.id, case .run(let result)? = answer?.observation,
                    result.content == "\(number)"
                else { throw Failure(description: "echo \(number) was answered with \(String(describing: answer))") }
            }
        }
    }

    /// Memory and descriptors of this process with the commands per second of a round.
    private struct Round {
        var rate: Double
        var memory: Int
        var descriptors: Int
    }

    private static func rates(_ sessions: [Session]) async throws -> [Round] {
        var all: [Round] = []
        for _ in 0..<rounds {
            let (_, time) = try await measure {
                try await withThrowingTaskGroup { group in
                    for session in sessions { group.addTask { try await session.runCommands() } }
                    try await group.waitForAll()
                }
            }
            all.append(
                Round(
                    rate: Double(sandboxes * commands) / (time / .seconds(1)),
                    memory: ResidentMemory.current,
                    descriptors: try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count
                )
            )
        }
        guard all.last?.descriptors ?? 0 <= all.first?.descriptors ?? 0 else {
            throw Failure(description: "the descriptors grew: \(all.map(\.descriptors))")
        }
        return all
    }

    private static func figures(bare: Duration, start: Duration, rates: [Round], end: Duration) -> [Figure] {
        func figure(_ name: String, _ value: Double, _ unit: String, _ count: Int, _ note: String) -> Figure {
            Figure(name: name, value: value, unit: unit, count: count, note: note)
        }
        let growth = Double((rates.last?.memory ?? 0) - (rates.first?.memory ?? 0)) / 1e6
        let all = "\(sandboxes) sandboxes"
        return [
            figure(
                "parallel_commands_s",
                rates.map(\.rate).max() ?? 0,
                "1/s",
                sandboxes * commands,
                "publish(echo N) to observation in \(all) at once; the best of \(rounds) rounds, all answers right"
            ),
            figure(
                "parallel_start_s",
                start / .seconds(1),
                "s",
                sandboxes,
                "connect() of \(all), \(concurrency) at a time"
            ),
            figure(
                "bare_parallel_start_s",
                bare / .seconds(1),
                "s",
                sandboxes,
                "create + start of \(sandboxes) containers, \(concurrency) at a time, by the engine alone"
            ),
            figure("parallel_close_s", end / .seconds(1), "s", sandboxes, "close() of all, \(concurrency) at a time"),
            figure(
                "parallel_memory_mb",
                Double(rates.last?.memory ?? 0) / 1e6,
                "MB",
                1,
                "this process after \(sandboxes * commands * rounds) commands in \(all), their logs in memory"
            ),
            figure(
                "parallel_memory_growth_mb",
                growth,
                "MB",
                rounds - 1,
                "from the end of the first round to the end of the last: \(2 * sandboxes * commands * (rounds - 1)) events"
            ),
            figure(
                "parallel_descriptors",
                Double(rates.last?.descriptors ?? 0),
                "",
                1,
                "open in this process, the same after the first round and the last"
            ),
        ]
    }

    private static func startBare(_ image: String) async throws -> Duration {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        let request = ContainerRequest(image: image, command: ["sleep", "600"])
        let made = Made()
        let result: Result<Duration, any Error>
        do {
            let (_, time) = try await measure {
                try await forEach(Array(0..<sandboxes)) { _ in
                    let container = try await engine.createContainer(request).id
                    await made.add(container)
                    try await engine.startContainer(container)
                }
            }
            result = .success(time)
        } catch {
            result = .failure(error)
        }
        try await forEach(await made.containers) { try await engine.removeContainer($0, force: true) }
        return try result.get()
    }

    private actor Made {
        var containers: [String] = []
        func add(_ container: String) { containers.append(container) }
    }

    private static func close(_ sessions: [Session]) async {
        try? await forEach(sessions) { session in
            await session.runtime.close()
            try? await session.stream.close()
        }
    }

    /// Does something for each, some at a time.
    private static func forEach<Element: Sendable>(
        _ elements: [Element],
        _ body: @escaping @Sendable (Element) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            var rest = elements[...]
            for element in rest.prefix(concurrency) { group.addTask { try await body(element) } }
            rest = rest.dropFirst(concurrency)
            while try await group.next() != nil {
                if let element = rest.popFirst() { group.addTask { try await body(element) } }
            }
        }
    }
}
