import ActionExecutionClient
import DockerRuntime
import EventStream

/// The time from publishing `echo hi` to its observation.
enum RoundTripBenchmark {
    private static let count = 10_000

    static func run(_ options: Options) async throws -> [Figure] {
        let overTCP = try await withSandbox(image: options.image, transport: .tcp) { stream, _ in
            try await samples(stream, count: count)
        }
        let overSocket = try await withSandbox(image: options.image, transport: .automatic) { stream, _ in
            try await samples(stream, count: count)
        }
        let local = try await withLocalRuntime { stream in try await samples(stream, count: count) }
        return figures("action_roundtrip_ms", overTCP, "in a container, over TCP")
            + figures("action_roundtrip_container_socket_ms", overSocket, "in a container, over a Unix socket")
            + figures("action_roundtrip_socket_ms", local, "in a child process, over a Unix socket")
    }

    private static func figures(_ name: String, _ samples: Samples, _ place: String) -> [Figure] {
        let flatness = samples.median(of: count - 1000..<count) / samples.median(of: 1000..<2000)
        let note = "publish(echo hi) to observation, \(place)"
        return [
            Figure(name: name, value: samples.percentile(0.5) * 1000, unit: "ms", count: count, note: "p50, \(note)"),
            Figure(
                name: name + "_p99",
                value: samples.percentile(0.99) * 1000,
                unit: "ms",
                count: count,
                note: "p99, \(note)"
            ),
            Figure(
                name: name + "_flatness",
                value: flatness,
                unit: "ratio",
                count: 2000,
                note: "median of the last thousand ÷ median of the second thousand"
            ),
        ]
    }

    private static func samples(_ stream: EventStream, count: Int) async throws -> Samples {
        var samples = Samples()
        var observations = stream.subscribe(where: .observations).makeAsyncIterator()
        let action = Action.run(CommandAction(command: "echo hi"))
        for _ in 0..<count {
            let (_, time) = try await measure {
                let event = try await stream.publish(.action(action), source: .agent)
                let answer = try await observations.next()
                guard answer?.cause == event.id, case .run(let result)? = answer?.observation, result.content == "hi"
                else {
                    throw UnexpectedAnswer(event: answer)
                }
            }
            samples.append(time)
        }
        return samples
    }

    private struct UnexpectedAnswer: Error {
        var event: Event?
    }
}

/// Lends a sandbox in a container, with its stream.
func withSandbox<Value>(
    image: String,
    transport: DockerRuntime.Transport = .automatic,
    _ body: (EventStream, DockerRuntime) async throws -> Value
) async throws -> Value {
    let stream = EventStream()
    var configuration = DockerRuntime.Configuration(image: image)
    configuration.transport = transport
    let runtime = DockerRuntime(
        configuration: configuration,
        eventStream: stream,
        sessionID: "benchmark-\(UInt32.random(in: .min ... .max))"
    )
    return try await closing(runtime) {
        try await runtime.connect()
        return try await body(stream, runtime)
    }
}

/// Lends a server in a child process, with its stream.
func withLocalRuntime<Value>(_ body: (EventStream) async throws -> Value) async throws -> Value {
    let stream = EventStream()
    let runtime = LocalRuntime(eventStream: stream, sessionID: "benchmark")
    return try await closing(runtime) {
        try await runtime.connect()
        return try await body(stream)
    }
}

private func closing<Value>(_ runtime: any Runtime, _ body: () async throws -> Value) async throws -> Value {
    do {
        let value = try await body()
        await runtime.close()
        return value
    } catch {
        await runtime.close()
        throw error
    }
}
