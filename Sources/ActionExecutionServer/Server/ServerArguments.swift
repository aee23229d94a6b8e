/// The command line of `action-execution-server`.
///
/// What the reference's client passes to its server is accepted, so that ours can stand in its place.
struct ServerArguments: Equatable {
    /// What is wrong with a command line, as one line for standard error.
    struct UsageError: Error, Equatable {
        var message: String
    }

    var port: Int?
    var host = "0.0.0.0"
    var socketPath: String?
    /// Who may connect to the socket, as of `chmod(2)`.
    var socketMode: UInt32 = 0o600
    var workingDirectory: String?
    var sessionAPIKeyFile: String?
    var sessionAPIKeyDigest: [UInt8]?
    var allowedHosts: [String] = []
    var lease: Double?
    var noChangeTimeout: Double?
    var shutdownTime: Double?
    var shellPath: String?
    /// Whom to be; nil for who started the server.
    var user: RequestedUser?
    var allowsSudo = false
    var isHelp = false
    var isVersion = false

    /// Parses the words after the program's name.
    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": isHelp = true
            case "--version": isVersion = true
            case "--host": host = try Self.value(of: word, &rest)
            case "--unix-socket": socketPath = try Self.value(of: word, &rest)
            case "--unix-socket-mode": socketMode = try Self.mode(of: word, &rest)
            case "--working-dir": workingDirectory = try Self.value(of: word, &rest)
            case "--session-api-key-file": sessionAPIKeyFile = try Self.value(of: word, &rest)
            case "--session-api-key-sha256":
                sessionAPIKeyDigest = try Self.digest(try Self.value(of: word, &rest), option: word)
            case "--allowed-host": allowedHosts.append(try Self.value(of: word, &rest))
            case "--lease": lease = try Self.seconds(of: word, &rest)
            case "--no-change-timeout": noChangeTimeout = try Self.seconds(of: word, &rest)
            case "--shutdown-time": shutdownTime = try Self.seconds(of: word, &rest)
            case "--shell": shellPath = try Self.value(of: word, &rest)
            case "--username": user = RequestedUser(name: try Self.value(of: word, &rest), id: user?.id)
            case "--user-id": user = RequestedUser(name: user?.name, id: try Self.userID(of: word, &rest))
            case "--sudo": allowsSudo = true
            // Of the reference; there is nothing for them to change here.
            case "--browsergym-eval-env": _ = try Self.value(of: word, &rest)
            case "--plugins": while let next = rest.first, !next.hasPrefix("-") { rest = rest.dropFirst() }
            case "--enable-browser", "--no-enable-browser": break
            default:
                guard let number = Int(word), port == nil else {
                    throw UsageError(message: "unknown argument: \(word)")
                }
                guard (0...65535).contains(number) else { throw UsageError(message: "\(word) is not a port") }
                port = number
            }
        }
        if !isHelp, !isVersion, port == nil, socketPath == nil {
            throw UsageError(message: "a port or --unix-socket PATH is needed")
        }
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> String {
        guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
        return value
    }

    private static func seconds(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> Double {
        let value = try value(of: option, &rest)
        guard let seconds = seconds(value) else {
            throw UsageError(message: "\(option) needs a positive number of seconds, not \(value)")
        }
        return seconds
    }

    /// The highest number stands for none: chown(2).
    private static func userID(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> UInt32 {
        let value = try value(of: option, &rest)
        guard let id = UInt32(value), id < .max else {
            throw UsageError(message: "\(option) needs a number from 0 to \(UInt32.max - 1), not \(value)")
        }
        return id
    }

    private static func mode(of option: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> UInt32 {
        let value = try value(of: option, &rest)
        guard let mode = UInt32(value, radix: 8), mode <= 0o777 else {
            throw UsageError(message: "\(option) needs octal permissions such as 660, not \(value)")
        }
        return mode
    }

    private static func digest(_ text: String, option: String) throws(UsageError) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        guard text.count == 64, digits.count == 64 else {
            throw UsageError(message: "\(option) needs 64 hexadecimal digits, not \(text)")
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// A time in seconds as it is written; nil when it is none that can be waited for.
    static func seconds(_ text: String) -> Double? {
        guard let seconds = Double(text), seconds > 0, seconds <= 1e9 else { return nil }
        return seconds
    }

    static let help = """
        Usage: action-execution-server [PORT] [options]

        Performs actions (commands, files) for an agent, over HTTP. At least one of PORT and --unix-socket is needed.

          PORT                         TCP port; 0 lets the system choose
          --host ADDRESS               IP address of the TCP port (default 0.0.0.0)
          --unix-socket PATH           listen on a Unix socket too, or only
          --unix-socket-mode MODE      who may connect to it, as chmod has it (default 600)
          --working-dir DIR            first directory of the shell (default: the current one), made if missing
          --session-api-key-file FILE  requests must carry the file's content in X-Session-API-Key
          --session-api-key-sha256 HEX the same by the key's digest, which is no secret
          --allowed-host NAME          a name that requests may have in Host, besides addresses and localhost
          --lease SECONDS              exit after this time without a request
          --no-change-timeout SECONDS  observation after this time without output (default 10)
          --username NAME              be this user, made if missing, with a home directory; needs to be started as root
          --user-id ID                 that user's id; without a name, whoever has it (default with a name: 1000)
          --sudo                       let that user become root by the image's sudo, without a password
          --shutdown-time SECONDS      when asked to end, wait so long for commands that run (default 4)
          --shell PATH                 shell to use (default: bash if there is one, else sh)
          --version                    print the version and exit
          --help                       print this and exit

        The first line of standard output says where the server listens, as soon as it does.
        SIGTERM, SIGINT and SIGHUP end it; a second one without waiting for commands.
        SESSION_API_KEY, NO_CHANGE_TIMEOUT_SECONDS and SANDBOX_GROUP_ID (the group of a working directory that is given to
        the user) in the environment work as with OpenHands.

        """
}
