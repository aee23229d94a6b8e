import ActionExecutionClient
import DockerEngine
import DockerRuntime
import EventStream
import Foundation

/// The time until a sandbox is ready, beside that of a bare container, in turns.
enum ColdStartBenchmark {
    private static let count = 15

    static func run(_ options: Options) async throws -> [Figure] {
        let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
        defer { engine.close() }
        var bare = Samples()
        var connect = Samples()
        var close = Samples()
        // One of each goes before, so that images are in memory and the server's volume is there.
        _ = try await startBare(options.image, engine)
        _ = try await startSandbox(options.image)
        for _ in 0..<count {
            bare.append(try await startBare(options.image, engine))
            let (start, end) = try await startSandbox(options.image)
            connect.append(start)
            close.append(end)
        }
        let ratio = connect.percentile(0.5) / bare.percentile(0.5)
        return [
            Figure(
                name: "bare_start_ms",
                value: bare.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "create + start, bridge network, by the engine alone; median"
            ),
            Figure(
                name: "connect_ms",
                value: connect.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "connect() to ready; median"
            ),
            Figure(
                name: "cold_start_ratio",
                value: ratio,
                unit: "ratio",
                count: count,
                note: "connect_ms ÷ bare_start_ms"
            ),
            Figure(
                name: "close_ms",
                value: close.percentile(0.5) * 1000,
                unit: "ms",
                count: count,
                note: "close() until the container is gone; median"
            ),
        ]
    }

    private static func startBare(_ image: String, _ engine: DockerEngineClient) async throws -> Duration {
        var configuration = ContainerConfiguration()
        configuration.image = image
        configuration.command = ["sleep", "60"]
        let request = ContainerRequest(configuration: configuration)
        let (container, time) = try await measure {
            let container = try await engine.createContainer(request).id
            try await engine.startContainer(container)
            return container
        }
        try await engine.removeContainer(container, force: true)
        return time
    }

    private static func startSandbox(_ image: String) async throws -> (connect: Duration, close: Duration) {
        let runtime = DockerRuntime(
            configuration: DockerRuntime.Configuration(image: image),
            sessionID: "benchmark-\(UInt32.random(in: .min ... .max))"
        )
        do {
            let (_, start) = try await measure { try await runtime.connect() }
            let (_, end) = await measure { await runtime.close() }
            return (start, end)
        } catch {
            await runtime.close()
            throw error
        }
    }
}
