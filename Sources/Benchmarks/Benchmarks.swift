import Foundation

/// The benchmark executable: measures, and prints one figure per line.
@main
enum Benchmarks {
    /// All of them, by the prefix of their figures' names.
    private static let all: [(name: String, run: @Sendable (Options) async throws -> [Figure])] = [
        ("publish_memory", PublishBenchmark.runMemory),
        ("publish_os", PublishBenchmark.runOS),
        ("publish_synced", SyncedPublishBenchmark.run),
        ("deliver", DeliverBenchmark.run),
        ("fanout", FanoutBenchmark.run),
        ("replay", ReplayBenchmark.run),
        ("scan", ScanBenchmark.run),
        ("open_1gb", OpenBenchmark.run),
        ("server", ServerBenchmark.run),
        ("output", OutputBenchmark.run),
        ("endurance", EnduranceBenchmark.run),
        ("action_roundtrip", RoundTripBenchmark.run),
        ("cold_start", ColdStartBenchmark.run),
        ("warm_claim", WarmClaimBenchmark.run),
        ("parallel", ParallelBenchmark.run),
    ]

    static func main() async {
        do {
            try await run(try Options(Array(CommandLine.arguments.dropFirst())))
        } catch {
            FileHandle.standardError.write(Data("Benchmarks: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Off the main actor, as an embedder's agent loop is: its executor would add a hand-over to every step.
    @concurrent
    private static func run(_ options: Options) async throws {
        if options.isHelp {
            print(Options.help, terminator: "")
            return
        }
        #if DEBUG
        FileHandle.standardError.write(Data("Benchmarks: a debug build; use swift run -c release Benchmarks\n".utf8))
        #endif
        if let directory = options.openedLog {
            print(try await OpenBenchmark.measureInThisProcess(directory).json)
            return
        }
        for (name, run) in all where options.filter.map({ name.contains($0) }) ?? true {
            for figure in try await run(options) { print(options.isJSON ? figure.json : figure.row) }
        }
        try await options.reference?.stop()
    }
}

/// The command line.
struct Options: Sendable {
    /// What is wrong with a command line.
    struct UsageError: Error, CustomStringConvertible {
        var description: String
    }

    var isJSON = false
    var isHelp = false
    var filter: String?
    /// The directory of a log to open and measure in this process; what `open_1gb` starts itself with.
    var openedLog: String?
    var reference = ProcessInfo.processInfo.environment["REFERENCE_PYTHON"].map { Reference(python: $0) }
    var image = ProcessInfo.processInfo.environment["TEST_IMAGE"] ?? "swift-docker-runtime/debian:bookworm"

    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--json": isJSON = true
            case "--help", "-h": isHelp = true
            case "--filter": filter = try value(of: word, &rest)
            case "--image": image = try value(of: word, &rest)
            case "--reference": reference = Reference(python: try value(of: word, &rest))
            case OpenBenchmark.option: openedLog = try value(of: word, &rest)
            default: throw UsageError(description: "unknown argument: \(word); try --help")
            }
        }
    }

    private func value(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> String {
        guard let value = rest.popFirst() else { throw UsageError(description: "\(option) needs a value") }
        return value
    }

    static let help = """
        Usage: Benchmarks [options]

        Measures in one run what is compared in one run. Use a release build, and an engine that is idle.

          --json          one JSON object per figure: {"name","value","unit","n","note"}
          --filter TEXT   only benchmarks whose name has TEXT: publish_memory, publish_os, publish_synced, deliver,
                          fanout, replay, scan, open_1gb, server, output, endurance,
                          action_roundtrip, cold_start, warm_claim, parallel
          --image IMAGE   image for sandboxes (default: $TEST_IMAGE, or the one that scripts/demo makes)
          --reference PYTHON
                          a Python that has openhands-ai 0.62.0, to be measured beside (default: $REFERENCE_PYTHON)

        """
}
