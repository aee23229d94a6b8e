import Foundation

/// The benchmark executable: measures, and prints one figure per line.
@main
enum Benchmarks {
    /// All of them, by the prefix of their figures' names.
    private static let all: [(name: String, run: @Sendable (Options) async throws -> [Figure])] = [
        ("publish", PublishBenchmark.run),
        ("server", ServerBenchmark.run),
        ("action_roundtrip", RoundTripBenchmark.run),
        ("cold_start", ColdStartBenchmark.run),
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
        for (name, run) in all where options.filter.map({ name.contains($0) }) ?? true {
            for figure in try await run(options) { print(options.isJSON ? figure.json : figure.row) }
        }
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
    var image = ProcessInfo.processInfo.environment["TEST_IMAGE"] ?? "swift-docker-runtime/debian:bookworm"

    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--json": isJSON = true
            case "--help", "-h": isHelp = true
            case "--filter", "--image":
                guard let value = rest.popFirst() else { throw UsageError(description: "\(word) needs a value") }
                if word == "--image" { image = value } else { filter = value }
            default: throw UsageError(description: "unknown argument: \(word); try --help")
            }
        }
    }

    static let help = """
        Usage: Benchmarks [options]

        Measures in one run what is compared in one run. Use a release build, and an engine that is idle.

          --json          one JSON object per figure: {"name","value","unit","n","note"}
          --filter TEXT   only benchmarks whose name has TEXT: publish, server, action_roundtrip, cold_start
          --image IMAGE   image for sandboxes (default: $TEST_IMAGE, or the one that scripts/demo makes)

        """
}
