import Dispatch
import EventStream
import Foundation

/// The demo executable: a scripted agent at work in a sandbox, or a recording of it.
@main
enum Demo {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.first == "log" { exit(await LogCommand.run(Array(words.dropFirst()))) }
        if words.first == "doctor" { exit(await DoctorCommand.run(Array(words.dropFirst()))) }
        do {
            exit(try await run(try DemoOptions(words)))
        } catch let error as DemoOptions.UsageError {
            FileHandle.standardError.write(Data("Demo: \(error)\nTry --help.\n".utf8))
            exit(64)
        } catch {
            FileHandle.standardError.write(Data("Demo: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ options: DemoOptions) async throws -> Int32 {
        switch options.mode {
        case .help:
            print(DemoOptions.help, terminator: "")
            return 0
        case .replay(let log):
            return try Replay.show(log)
        case .docker, .local:
            signal(SIGPIPE, SIG_IGN)
            let session = Task { try await DemoSession().run(options) }
            let sources = [SIGINT, SIGTERM, SIGHUP].map { onSignal($0) { session.cancel() } }
            defer { for source in sources { source.cancel() } }
            return try await session.value
        }
    }

    /// Has a signal cancel what is under way, which then cleans up, rather than end the process.
    static func onSignal(_ number: Int32, _ action: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler(handler: action)
        source.activate()
        return source
    }
}
