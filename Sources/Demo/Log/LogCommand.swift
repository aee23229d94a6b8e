import EventStream
import Foundation

/// The command `log`: shows, searches, checks and converts recorded sessions.
enum LogCommand {
    /// How a command ends.
    enum Status: Int32 {
        case good = 0
        /// The log is damaged; for `grep`, that there is no match.
        case bad = 1
        case failed = 2
        case interrupted = 130
        /// What a shell shows for a program that SIGPIPE ended.
        case brokenPipe = 141
    }

    /// Runs the command.
    ///
    /// - Parameter words: The command line after `log`.
    /// - Returns: the exit status.
    static func run(_ words: [String]) async -> Int32 {
        let output = Output()
        do {
            let status = try await run(try LogOptions(words), output)
            try output.flush()
            return status.rawValue
        } catch let error as DemoOptions.UsageError {
            Output.complain("\(error)\nTry log --help.")
        } catch is Output.Closed {
            return Status.brokenPipe.rawValue
        } catch {
            // What is readable comes first, whatever happened after it.
            try? output.flush()
            Output.complain("\(error)")
        }
        return Status.failed.rawValue
    }

    private static func run(_ options: LogOptions, _ output: Output) async throws -> Status {
        switch options.verb {
        case .help:
            try output.write(LogOptions.help)
            return .good
        case .show(let log): return try LogSearch(log, options, matcher: nil, output).show()
        case .grep(let pattern, let log):
            let matcher = try TextMatcher(pattern, isRegex: options.isRegex)
            return try LogSearch(log, options, matcher: matcher, output).grep()
        case .verify(let log): return try LogVerification(log, output).run()
        case .convert(let log, let target, let form):
            let conversion = LogConversion(
                from: log,
                to: target,
                form: form,
                keepsScreenshots: options.keepsScreenshots
            )
            return try await conversion.run(output)
        }
    }
}
