/// The command line of the demo.
struct DemoOptions: Equatable {
    /// What is wrong with a command line.
    struct UsageError: Error, CustomStringConvertible {
        var description: String
    }

    /// What to do.
    enum Mode: Equatable {
        /// Runs the task in a container of an image.
        case docker(image: String)
        /// Runs the task on this machine, without protection.
        case local
        /// Prints a recorded session.
        case replay(log: String)
        case help
    }

    var mode: Mode
    /// Where the event log is written; nil for a new directory below the system's temporary one.
    var logDirectory: String?

    /// Parses the words after the program's name.
    init(_ words: [String]) throws(UsageError) {
        var image = Self.defaultImage
        var chosen: Mode?
        var rest = words[...]
        func value(of option: String) throws(UsageError) -> String {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(option) needs a value") }
            return value
        }
        while let word = rest.popFirst() {
            switch word {
            case "--image": image = try value(of: word)
            case "--local": chosen = .local
            case "--log": logDirectory = try value(of: word)
            case "--replay": chosen = .replay(log: try value(of: word))
            case "--help", "-h": chosen = .help
            default: throw UsageError(description: "unknown argument: \(word)")
            }
        }
        mode = chosen ?? .docker(image: image)
    }

    /// The image unless another is named.
    static let defaultImage = "debian:bookworm-slim"

    static let help = """
        Usage: Demo [options]
               Demo log show|grep|verify|convert ...    (see Demo log --help)
               Demo doctor ...                          (see Demo doctor --help)

        A scripted agent does a small programming task in a sandbox: it writes a program and a test, runs the
        test, reads the failure, fixes the program and runs the test again. Every step is an event in a log.

          --image IMAGE   run in a container of this image (default: \(defaultImage))
          --local         run on this machine, without Docker and without protection
          --log DIR       keep the event log there (default: a new temporary directory)
          --replay LOG    print a session from its log, without a sandbox
          --help          print this and exit

        log shows, searches, checks and converts recorded sessions; doctor says whether sandboxes work here.

        """
}
