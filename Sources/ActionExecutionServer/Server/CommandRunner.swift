import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Turns `run` actions into what happens in a shell session, and that into observations.
///
/// Actions name the session that they belong to; those that name none share one. Sessions run side by side, and each
/// has one command at a time.
///
/// The texts are part of the format (reference: `openhands/runtime/utils/bash.py`): agents are trained on them.
actor CommandRunner {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let configuration: ShellSession.Configuration
    private let noChangeTimeout: Duration
    /// The session of actions that name none.
    let session: ShellSession
    /// The others, by their names; made when the first action names them.
    private var named: [String: ShellSession] = [:]
    /// Those of commands in shells of their own that are running.
    private var statics: [ObjectIdentifier: ShellSession] = [:]
    /// Found when it is first told: the process becomes the asked user after this is made.
    private lazy var username = UserDatabase.name(of: getuid()) ?? String(getuid())
    private let hostname: String
    /// Sessions whose command runs on after an observation.
    private var continued: Set<ObjectIdentifier> = []

    init(_ configuration: ShellSession.Configuration, noChangeTimeout: Duration, loop: EventLoop) {
        self.loop = loop
        self.configuration = configuration
        self.noChangeTimeout = noChangeTimeout
        session = ShellSession(configuration, loop: loop)
        hostname = Self.currentHostname()
    }

    /// The session's directory, for what is relative to it.
    var directory: String {
        get async { await session.directory }
    }

    /// Starts the shell ahead of the first command.
    func start() async throws(SystemError) {
        guard await session.turn.take() else { return }
        let result: Result<Void, SystemError>
        do throws(SystemError) {
            try await session.start()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await session.turn.end()
        try result.get()
    }

    /// Ends the shells.
    func close() async {
        for session in [session] + named.values { await session.close() }
    }

    /// Runs an action.
    ///
    /// - Parameters:
    ///   - timeout: seconds after which the observation comes back in any case; nil for no such limit.
    ///   - name: the session to run it in; nil for the one of actions that name none.
    ///   - listener: who is told of the output while it comes.
    func run(
        _ action: CommandAction,
        timeout: Double?,
        session name: SessionName? = nil,
        listener: OutputListener? = nil
    ) async -> Observation {
        defer { listener?.finish() }
        if action.isStatic { return await runStatic(action, timeout: timeout, listener: listener) }
        guard let session = findSession(name) else {
            return .error(ErrorObservation(content: "There are \(Self.sessionLimit) shell sessions; no more are made."))
        }
        guard await session.turn.take() else { return Self.cancelled }
        let observation = await runInTurn(action, in: session, timeout: timeout, listener: listener)
        await session.turn.end()
        return observation
    }

    /// How many named sessions there may be.
    private static let sessionLimit = 64

    private func findSession(_ name: SessionName?) -> ShellSession? {
        guard let name else { return session }
        if let known = named[name.text] { return known }
        guard named.count < Self.sessionLimit else { return nil }
        let new = ShellSession(configuration, loop: loop)
        named[name.text] = new
        return new
    }

    /// Interrupts what runs.
    ///
    /// - Parameters:
    ///   - name: the session; nil for all, and commands in shells of their own.
    ///   - isForced: whether it is killed.
    /// - Returns: how many commands were interrupted.
    func interrupt(session name: SessionName?, isForced: Bool) async -> Int {
        let sessions =
            if let name { [named[name.text]].compactMap(\.self) } else { [session] + named.values + statics.values }
        var count = 0
        for session in sessions where await session.interrupt(isForced: isForced) { count += 1 }
        return count
    }

    /// Runs a command in a shell of its own.
    private func runStatic(_ action: CommandAction, timeout: Double?, listener: OutputListener?) async -> Observation {
        var configuration = configuration
        configuration.directory = if let cwd = action.cwd { cwd } else { await session.directory }
        configuration.readsStartupFiles = await session.readsStartupFiles
        let session = ShellSession(configuration, loop: loop)
        statics[ObjectIdentifier(session)] = session
        let observation = await runInTurn(action, in: session, timeout: timeout, listener: listener)
        statics[ObjectIdentifier(session)] = nil
        continued.remove(ObjectIdentifier(session))
        await session.close()
        return observation
    }

    private func runInTurn(
        _ action: CommandAction,
        in session: ShellSession,
        timeout: Double?,
        listener: OutputListener?
    ) async -> Observation {
        let command = action.command.trimmed
        let key = SpecialKey(command)
        let isInput = action.isInput || key != nil
        // Any number may be asked for, but not every number is a time.
        let deadline = timeout.map { ContinuousClock.now + .seconds(min(max($0, 0), 1e9)) }
        var earlier = ""
        if await session.isRunning {
            if !action.isInput, !command.isEmpty { return await refuse(action, command, in: session) }
            if action.isInput, !command.isEmpty { await session.type(key?.bytes ?? Self.input(command)) }
        } else if await session.hasEnded, command.isEmpty || isInput {
            // It ended before the input came: there is no program to take it.
        } else {
            if command.isEmpty { return Self.failure("ERROR: No previous running command to retrieve logs from.") }
            if isInput { return Self.failure("ERROR: No previous running command to interact with.") }
            // Every shell would take it for the command's end, and run what comes before.
            if command.utf8.contains(0) {
                let text = "The command was not run: it has a zero byte in it, which no shell takes."
                return .error(ErrorObservation(content: text))
            }
            earlier = await endOfPrevious(in: session)
            continued.remove(ObjectIdentifier(session))
            do throws(SystemError) {
                try await session.begin(action.command)
            } catch {
                return .error(ErrorObservation(content: "The command was not run: \(error)"))
            }
        }
        if let listener { await session.follow(with: listener) }
        let silence = action.blocking ? nil : noChangeTimeout
        let ending = await session.waitForEnding(silence: silence, until: deadline)
        let observation = await observe(ending, action, command, key, timeout: timeout, in: session)
        guard case .run(var told) = observation, !earlier.isEmpty else { return observation }
        told.metadata.prefix = earlier + told.metadata.prefix
        return .run(told)
    }

    /// What is to be told of a command that ended after its last observation.
    private func endOfPrevious(in session: ShellSession) async -> String {
        guard await session.hasEnded else { return "" }
        let ending = await session.waitForEnding(silence: nil, until: nil)
        let content = await session.takeOutput(isCut: true)
        let outcome =
            switch ending {
            case .completed(let exitCode): "The previous command has completed with exit code \(exitCode)."
            case .shellExited(let exitCode): "The previous command ended the shell, with code \(exitCode)."
            case .shellLost: ShellSession.lostNote
            case .shellBroken: ShellSession.brokenNote
            case .silent, .timedOut, .closed: "The previous command has ended."
            }
        if content.isEmpty { return "[\(outcome)]\n" }
        return "[\(outcome) Below is the rest of its output.]\n\(content)\n[Below is the output of this command.]\n"
    }

    // MARK: Observations

    private func observe(
        _ ending: ShellSession.Ending,
        _ action: CommandAction,
        _ command: String,
        _ key: SpecialKey?,
        timeout: Double?,
        in session: ShellSession
    ) async -> Observation {
        var content = await session.takeOutput(isCut: !action.hidden)
        if action.isInput, key == nil { content = Self.removingEcho(of: command, from: content) }
        var metadata = CommandMetadata()
        switch ending {
        case .completed(let exitCode):
            metadata = await self.metadata(session, exitCode: exitCode)
            let sent = key.map { " CTRL+\($0.letter) was sent." } ?? ""
            metadata.suffix = "\n[The command completed with exit code \(exitCode).\(sent)]"
        case .shellExited(let exitCode):
            metadata = await self.metadata(session, exitCode: exitCode)
            metadata.suffix =
                "\n[The shell exited with code \(exitCode). The next command runs in a new shell"
                + " in the same directory, without the old one's variables, functions and jobs.]"
        case .shellLost, .shellBroken:
            metadata = await self.metadata(session, exitCode: -1)
            metadata.suffix = "\n[\(ending == .shellLost ? ShellSession.lostNote : ShellSession.brokenNote)]"
        case .silent:
            metadata.prefix = continuationPrefix(session)
            metadata.suffix =
                "\n[The command has no new output after \(noChangeTimeout.components.seconds) seconds. \(Self.goOn)]"
        case .timedOut:
            metadata.prefix = continuationPrefix(session)
            metadata.suffix = "\n[The command timed out after \(timeout ?? 0) seconds. \(Self.goOn)]"
        case .closed:
            return Self.cancelled
        }
        metadata.prefix = await session.takeNotes() + metadata.prefix
        continued.insert(ObjectIdentifier(session))
        return .run(
            CommandObservation(content: content, command: command, metadata: metadata, hidden: action.hidden)
        )
    }

    /// A new command while another runs.
    private func refuse(_ action: CommandAction, _ command: String, in session: ShellSession) async -> Observation {
        let content = await session.takeOutput(isCut: !action.hidden)
        var metadata = CommandMetadata()
        metadata.prefix = continuationPrefix(session)
        metadata.suffix =
            "\n[Your command \"\(command)\" is NOT executed. The previous command is still running - You CANNOT send new"
            + " commands until the previous command is completed. By setting `is_input` to `true`, you can interact with"
            + " the current process: \(Self.goOn)]"
        continued.insert(ObjectIdentifier(session))
        return .run(
            CommandObservation(content: content, command: command, metadata: metadata, hidden: action.hidden)
        )
    }

    private func metadata(_ session: ShellSession, exitCode: Int32) async -> CommandMetadata {
        let report = await session.lastReport
        let searchPath = report?.searchPath ?? ""
        return CommandMetadata(
            exitCode: Int(exitCode),
            pid: report?.lastBackgroundProcess ?? -1,
            username: username,
            hostname: hostname,
            workingDirectory: report?.directory,
            pythonInterpreterPath: findProgram("python", searchPath: searchPath)
                ?? findProgram("python3", searchPath: searchPath) ?? ""
        )
    }

    private func continuationPrefix(_ session: ShellSession) -> String {
        continued.contains(ObjectIdentifier(session)) ? "[Below is the output of the previous command.]\n" : ""
    }

    /// The reference's `TIMEOUT_MESSAGE_TEMPLATE`.
    private static let goOn =
        "You may wait longer to see additional output by sending empty command '', send other commands to interact with"
        + " the current process, send keys (\"C-c\", \"C-z\", \"C-d\") to interrupt/kill the previous command before"
        + " sending your new command, or use the timeout parameter in execute_bash for future commands."

    private static let cancelled = Observation.error(
        ErrorObservation(content: "The execution server is shutting down; the command was ended.")
    )

    private static func failure(_ text: String) -> Observation {
        .run(CommandObservation(content: text, command: ""))
    }

    // MARK: Input

    /// A line of input ends as the Enter key ends it.
    private static func input(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == 0x0a ? 0x0d : $0 } + [0x0d]
    }

    /// The terminal shows what is typed; the agent knows it.
    private static func removingEcho(of command: String, from content: String) -> String {
        guard content.hasPrefix(command) else { return content }
        return String(content.dropFirst(command.count).drop { $0.isWhitespace })
    }

    private static func currentHostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return String(name.prefix { $0 != "." })
    }
}

/// A key with Control, spelled as for tmux: `C-c`.
struct SpecialKey: Equatable {
    /// The letter in upper case.
    let letter: Character
    /// What the key sends.
    let bytes: [UInt8]

    init?(_ text: String) {
        let text = Array(text.utf8)
        guard text.count == 3, text[0] == UInt8(ascii: "C"), text[1] == UInt8(ascii: "-") else { return nil }
        letter = Character(Unicode.Scalar(text[2])).uppercased().first ?? "?"
        bytes = [text[2] & 0x1f]
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
