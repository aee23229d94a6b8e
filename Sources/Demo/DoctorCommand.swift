import DockerRuntime
import Foundation

/// `Demo doctor`: whether sandboxes work on this machine, and what to do where they don't.
enum DoctorCommand {
    /// The command line.
    struct Options {
        var configuration: DockerRuntime.Configuration
        var isHelp = false

        init(_ words: [String]) throws(DemoOptions.UsageError) {
            var configuration = DockerRuntime.Configuration(image: DemoOptions.defaultImage)
            var rest = words[...]
            func value(of option: String) throws(DemoOptions.UsageError) -> String {
                guard let value = rest.popFirst() else {
                    throw DemoOptions.UsageError(description: "\(option) needs a value")
                }
                return value
            }
            while let word = rest.popFirst() {
                switch word {
                case "--image": configuration.image = try value(of: word)
                case "--runtime": configuration.options.ociRuntime = try value(of: word)
                case "--offline": configuration.isOffline = true
                case "--help", "-h": isHelp = true
                case "--transport":
                    switch try value(of: word) {
                    case "automatic": configuration.transport = .automatic
                    case "socket": configuration.transport = .unixSocket
                    case "tcp": configuration.transport = .tcp
                    case let other:
                        throw DemoOptions.UsageError(
                            description: "--transport is automatic, socket or tcp, not \(other)"
                        )
                    }
                default: throw DemoOptions.UsageError(description: "unknown argument: \(word)")
                }
            }
            self.configuration = configuration
        }
    }

    /// Makes the checks and prints them.
    ///
    /// - Returns: the exit status: 0 if sandboxes work, 1 if not, 64 for a command line that can't be read.
    static func run(_ words: [String]) async -> Int32 {
        let options: Options
        do throws(DemoOptions.UsageError) {
            options = try Options(words)
        } catch {
            FileHandle.standardError.write(Data("Demo doctor: \(error)\nTry --help.\n".utf8))
            return 64
        }
        if options.isHelp {
            print(help, terminator: "")
            return 0
        }
        let style = Style.detected
        let findings = await Doctor(configuration: options.configuration) { show($0, style) }.run()
        let failures = findings.count { $0.outcome == .failure }
        print(failures == 0 ? "\nSandboxes work here." : "\n\(failures) of \(findings.count) checks failed.")
        return failures == 0 ? 0 : 1
    }

    private static func show(_ finding: Doctor.Finding, _ style: Style) {
        let mark =
            switch finding.outcome {
            case .pass: style.green("pass")
            case .warning: style.yellow("warn")
            case .failure: style.red("FAIL")
            }
        print("\(mark)  \(finding.check.padding(toLength: 14, withPad: " ", startingAt: 0))  \(finding.detail)")
        if let advice = finding.advice { print(String(repeating: " ", count: 22) + style.faint("→ \(advice)")) }
        fflush(nil)
    }

    static let help = """
        Usage: Demo doctor [options]

        Checks the Docker Engine, the execution server's program and the image, then starts a sandbox and tries from
        inside it what it must not be able to do. Each check passes, or says what to do. Nothing is left behind.

          --image IMAGE       the image of the sandbox (default: \(DemoOptions.defaultImage))
          --runtime NAME      another OCI runtime that the engine knows, such as runsc
          --transport HOW     automatic, socket or tcp (default: automatic)
          --offline           without a network
          --help              print this and exit

        Exit status: 0 when sandboxes work, 1 when a check failed, 64 for a wrong command line.

        """
}
