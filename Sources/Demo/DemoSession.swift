import ActionExecutionClient
import DockerRuntime
import EventStream
import Foundation

/// One run of the demo: a stream, a runtime, the agent, and the timeline that shows them.
struct DemoSession {
    let timeline = Timeline()

    /// Runs the task in a sandbox.
    ///
    /// Nothing of the sandbox is left when it returns or throws, also when it is cancelled.
    ///
    /// - Returns: the exit status of the demo.
    func run(_ options: DemoOptions) async throws -> Int32 {
        let sessionID = "demo-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        let log = try logDirectory(options, sessionID: sessionID)
        let stream = EventStream(store: try JSONLinesEventStore(directory: log.path))
        let runtime: any Runtime
        switch options.mode {
        case .docker(let image):
            timeline.title("A scripted agent in a container of \(image)")
            runtime = DockerRuntime(
                configuration: DockerRuntime.Configuration(image: image),
                eventStream: stream,
                sessionID: sessionID,
                statusCallback: { [timeline] in timeline.show($0) }
            )
        default:
            timeline.title("A scripted agent on this machine, without Docker")
            runtime = LocalRuntime(
                eventStream: stream,
                sessionID: sessionID,
                statusCallback: { [timeline] in timeline.show($0) }
            )
        }

        let events = stream.subscribe(from: 0)
        let outcome = try await withThrowingTaskGroup { group in
            // Ends with the stream, after the last event.
            group.addTask { [timeline] in
                for try await event in events { timeline.show(event) }
            }
            let outcome: Result<Void, any Error>
            do {
                try await runtime.connect()
                outcome = .success(try await ScriptedAgent(stream: stream).run())
            } catch {
                outcome = .failure(error)
            }
            // In a task of its own: after Ctrl-C this one is cancelled, and the sandbox must go all the same.
            await Task { await runtime.close() }.value
            try await stream.close()
            try await group.waitForAll()
            return outcome
        }
        return summarize(outcome, log: log, count: stream.nextID)
    }

    private func summarize(_ outcome: Result<Void, any Error>, log: URL, count: Int) -> Int32 {
        let counts = timeline.counts
        let seconds = String(format: "%.0f", counts.waiting * 1000)
        timeline.title("Summary")
        timeline.note(
            "  \(counts.actions) actions, \(counts.failures) of them failed; \(seconds) ms from asking to knowing, in all"
        )
        timeline.note("  \(count) events in \(log.path)")
        timeline.note("  show them again with --replay \(log.path)")
        switch outcome {
        case .success:
            timeline.note("")
            return 0
        case .failure(is CancellationError):
            timeline.note("  interrupted; the sandbox is gone\n")
            return 130
        case .failure(let error):
            timeline.note("")
            FileHandle.standardError.write(Data("Demo: \(error)\n".utf8))
            return 1
        }
    }

    private func logDirectory(_ options: DemoOptions, sessionID: String) throws -> URL {
        let directory =
            options.logDirectory.map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("swift-docker-runtime/\(sessionID)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }
}
