import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import Foundation

/// The time until a sandbox of a warm pool is a session's, and until its first command is answered.
enum WarmClaimBenchmark {
    private static let count = 20
    private static let size = 4

    static func run(_ options: Options) async throws -> [Figure] {
        let pool = WarmPool(configuration: DockerRuntime.Configuration(image: options.image), size: size)
        do {
            let figures = try await measureClaims(pool, options)
            await pool.close()
            return figures
        } catch {
            await pool.close()
            throw error
        }
    }

    private static func measureClaims(_ pool: WarmPool, _ options: Options) async throws -> [Figure] {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        var (claims, commands, bare) = (Samples(), Samples(), Samples())
        for _ in 0..<count {
            // The pool is full and the engine at rest, as in a program that doesn't claim all the time.
            try await pool.fill()
            bare.append(try await rename(options.image, engine))
            let stream = EventStream()
            let sessionID = "benchmark-\(UInt32.random(in: .min ... .max))"
            let (runtime, claim) = try await measure { try await pool.claim(eventStream: stream, sessionID: sessionID) }
            claims.append(claim)
            do {
                var observations = stream.subscribe(where: .observations).makeAsyncIterator()
                let (_, command) = try await measure {
                    _ = try await stream.publish(.action(.run(CommandAction(command: "echo hi"))), source: .agent)
                    _ = try await observations.next()
                }
                commands.append(command)
            } catch {
                await runtime.close()
                throw error
            }
            await runtime.close()
        }
        return [
            Figure(
                name: "warm_claim_ms",
                value: claims.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "claim() of a ready sandbox, with the check of its health and its new name; median"
            ),
            Figure(
                name: "bare_rename_ms",
                value: bare.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "giving a container another name, by the engine alone; median"
            ),
            Figure(
                name: "warm_first_command_ms",
                value: commands.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "publish(echo hi) to observation, the first after the claim; median"
            ),
        ]
    }

    /// The time in which the engine gives a container another name.
    private static func rename(_ image: String, _ engine: DockerEngineClient) async throws -> Duration {
        let container = try await engine.createContainer(ContainerRequest(image: image, command: ["true"])).id
        let (_, time) = try await measure {
            try await engine.renameContainer(container, to: "benchmark-\(UInt32.random(in: .min ... .max))")
        }
        try await engine.removeContainer(container, force: true)
        return time
    }
}
