import CPlatform
import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The program `action-execution-server`, without its `main`.
public enum ServerCommand {
    /// The version that `--version` prints.
    public static let version = "0.1.0"

    /// Serves until a signal or the lease ends it, on the calling thread.
    ///
    /// - Parameter arguments: the words after the program's name.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        let parsed: ServerArguments
        do throws(ServerArguments.UsageError) {
            parsed = try ServerArguments(arguments)
        } catch {
            report("\(error.message)\nTry --help.")
            return 64
        }
        if parsed.isHelp { return say(ServerArguments.help) }
        if parsed.isVersion { return say("action-execution-server \(version)\n") }
        do {
            var configuration = try configuration(parsed)
            let user = try parsed.user.map { try prepare($0, parsed, &configuration) }
            try serve(configuration, as: user ?? nil, socketMode: parsed.socketMode)
            return 0
        } catch {
            report("\(error)")
            return 1
        }
    }

    /// Finds or makes the user, and what belongs to it.
    ///
    /// - Returns: the user to become; nil to stay who this is.
    private static func prepare(
        _ requested: RequestedUser,
        _ arguments: ServerArguments,
        _ configuration: inout ServerConfiguration
    ) throws -> SandboxUser? {
        let user: SandboxUser
        if geteuid() == 0 {
            let result = try UserSetup(allowsSudo: arguments.allowsSudo).prepare(requested)
            for note in result.notes { report(note) }
            user = result.user
        } else {
            user = try SandboxUser(current: requested)
        }
        let shell = configuration.shell ?? Shell.find(searchPath: configuration.environment["PATH"] ?? "")
        configuration.environment.merge(user.environment(shell: shell?.path)) { geteuid() == 0 ? $1 : $0 }
        guard geteuid() == 0, user.account.user != 0 else { return nil }
        if let path = arguments.workingDirectory {
            let group = configuration.environment["SANDBOX_GROUP_ID"].flatMap(gid_t.init)
            let outcome = try WorkingDirectory(path: path, user: user, group: group).prepare()
            if case .foreign(let reason) = outcome {
                report("\(reason), and \(user.account.name) (\(user.account.user)) can't write there")
            }
        }
        return user
    }

    private static func serve(
        _ configuration: ServerConfiguration,
        as user: SandboxUser?,
        socketMode: UInt32
    ) throws(SystemError) {
        let loop = try EventLoop()
        let signals = try Pipe()
        for number in [SIGTERM, SIGINT, SIGHUP] {
            guard platform_subscribe_signal(number, signals.writeEnd) == 0 else {
                throw SystemError("handle signal \(number)")
            }
        }
        // A peer that goes away is told by the write, not by a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        platform_adopt_orphans()
        let server = try ActionExecutionServer(configuration, loop: loop)
        for case .unix(let path) in server.addresses where chmod(path, mode_t(socketMode)) != 0 {
            throw SystemError("let others connect to \(path)")
        }
        // Now that the addresses are bound, and before anything of a request is looked at.
        try user?.become()
        for address in server.addresses {
            switch address {
            case .tcp(let host, let port):
                _ = say("listening on \(host.contains(":") ? "[\(host)]" : host):\(port)\n")
            case .unix(let path): _ = say("listening on \(path)\n")
            }
        }
        let serving = Task(executorPreference: loop) {
            await withTaskGroup { group in
                group.addTask(executorPreference: loop) { await server.run() }
                group.addTask(executorPreference: loop) { await end(server, on: signals, loop) }
                group.addTask(executorPreference: loop) { await Orphans.reap(on: loop) }
                await group.next()
                group.cancelAll()
            }
            Orphans.killAll()
            loop.stop()
        }
        loop.run()
        _ = serving
        platform_unsubscribe_signals(signals.writeEnd)
    }

    /// Has the first signal end the server in peace, and the second at once.
    private static func end(_ server: ActionExecutionServer, on signals: Pipe, _ loop: EventLoop) async {
        var count = 0
        while await loop.wait(for: [.readable(signals.readEnd)]) == .ready {
            count += signals.drain()
            if count == 1 { server.shutDown() } else { await server.shutDownNow() }
        }
    }

    private static func configuration(_ arguments: ServerArguments) throws(SystemError) -> ServerConfiguration {
        var addresses: [ServerAddress] = []
        if let port = arguments.port { addresses.append(.tcp(host: arguments.host, port: port)) }
        if let path = arguments.socketPath { addresses.append(.unix(path: path)) }
        var environment = currentEnvironment()
        let directory = arguments.workingDirectory ?? currentDirectory()
        var configuration = ServerConfiguration(addresses: addresses, workingDirectory: directory)
        // The key opens the server to the sandbox's own programs too, but it isn't theirs to have.
        if let key = environment.removeValue(forKey: "SESSION_API_KEY"), !key.isEmpty {
            configuration.sessionAPIKeyDigest = SHA256.digest(key)
        }
        if let file = arguments.sessionAPIKeyFile {
            configuration.sessionAPIKeyDigest = SHA256.digest(try key(in: file))
        }
        if let digest = arguments.sessionAPIKeyDigest { configuration.sessionAPIKeyDigest = digest }
        configuration.allowedHosts.formUnion(arguments.allowedHosts.map { $0.lowercased() })
        configuration.shell = arguments.shellPath.map { Shell(path: $0) }
        configuration.lease = arguments.lease.map { .seconds($0) }
        if let seconds = arguments.shutdownTime { configuration.shutdownTime = .seconds(seconds) }
        let variable = environment["NO_CHANGE_TIMEOUT_SECONDS"].flatMap(ServerArguments.seconds)
        if let seconds = arguments.noChangeTimeout ?? variable { configuration.noChangeTimeout = .seconds(seconds) }
        environment["TERM"] = environment["TERM"] ?? "xterm-256color"
        // A pager would wait for keys that nobody presses.
        environment["PAGER"] = environment["PAGER"] ?? "cat"
        environment["GIT_PAGER"] = environment["GIT_PAGER"] ?? "cat"
        configuration.environment = environment
        return configuration
    }

    private static func key(in file: String) throws(SystemError) -> String {
        do throws(FileAccess.Failure) {
            let bytes = try FileAccess.read(file, limit: 4096)
            let key = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
            guard !key.isEmpty else { throw .system(SystemError("find a key in \(file)", code: EINVAL)) }
            return key
        } catch {
            if case .system(let error) = error { throw error }
            throw SystemError("read the key in \(file)", code: EINVAL)
        }
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    private static func currentEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = platform_environment()
        while let pointer = entry?.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry = entry?.advanced(by: 1)
        }
        return variables
    }

    private static func say(_ text: String) -> Int32 {
        try? writeAll(STDOUT_FILENO, Array(text.utf8), path: "standard output")
        return 0
    }

    private static func report(_ text: String) {
        try? writeAll(STDERR_FILENO, Array("action-execution-server: \(text)\n".utf8), path: "standard error")
    }
}
