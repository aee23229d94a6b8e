import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A shell that is kept between commands, with its directory, variables, functions and jobs.
///
/// One task, the pump, reads the terminal and the reports for as long as the shell lives, also between commands, so that
/// no background process is held up; who runs a command waits for what the pump finds. A shell that ends is replaced by a
/// new one in the same directory.
actor ShellSession {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// What a shell is started with.
    struct Configuration: Sendable {
        /// A program and how it's talked to.
        var shell: Shell
        var directory: String
        var environment: [String: String]
        var outputs: OutputDirectory
        /// How long the shell's start-up files may take.
        var startupTimeout: Duration = .seconds(30)
        /// Whether bash reads its start-up files.
        var readsStartupFiles = true
    }

    /// How a command's turn ended.
    enum Ending: Sendable, Equatable {
        case completed(exitCode: Int32)
        /// The shell ended, by `exit` for example, and the next command finds a new one.
        case shellExited(exitCode: Int32)
        /// The files through which the shell is reached were removed. It is gone, and the next command finds a new one.
        case shellLost
        /// The shell waited for the next command without having said that this one is done: something took away what it says
        /// so with. It is gone, and the next command finds a new one.
        case shellBroken
        /// Nothing was written for the time of the soft limit; the command runs on.
        case silent
        /// The hard limit passed; the command runs on.
        case timedOut
        /// The session was closed.
        case closed
    }

    private struct Running {
        var sequence: Int
        var ending: Ending?
        var report: ShellReport?
        /// Removes what came before the command.
        var beginning: MarkerFilter
        /// Removes the echo of the line that started the command.
        var echo: MarkerFilter
        /// Whether the prompt came that the shell prints after the command.
        var hasPrompt = false
        /// Whether an earlier prompt came again: the shell has not prepared for the command.
        var hasStalePrompt = false
        var wasInterrupted = false
    }

    private let configuration: Configuration
    /// False once they kept a shell from becoming ready.
    private(set) var readsStartupFiles: Bool
    private let promptToken: String
    private(set) var process: ShellProcess?
    private(set) var files: ControlDirectory?
    private var pump: Task<Void, Never>?
    private var reports = ShellReportParser()
    private var output: CommandOutput
    private var running: Running?
    /// Removes the prompts.
    private var prompts: PromptFilter
    /// Whether a prompt came since the last command ended.
    private var hasPrompt = false
    /// Whether the shell was ended for waiting without a report.
    private var isBroken = false
    private var waiter: EventLoop.WaitID?
    /// Whoever follows the output until it is taken.
    private var listener: OutputListener?
    private var lastActivity = ContinuousClock.now
    /// Whether anything but our own lines was typed since the last command began, which may not have been read.
    private var hasTypedInput = false
    private var sequence = 1
    private var isClosed = false
    /// Whether what runs are the shell's start-up files, which are nobody's command.
    private var isStarting = false
    /// Whose request uses the session.
    let turn: Turn

    /// Where the shell is, as far as it reported.
    private(set) var directory: String
    /// The status of the last command.
    private(set) var lastStatus: Int32 = 0
    /// The last report.
    private(set) var lastReport: ShellReport?
    /// What happened to the shell that the agent has to know.
    private var notes: [String] = []

    init(_ configuration: Configuration, loop: EventLoop) {
        self.configuration = configuration
        self.loop = loop
        turn = Turn(loop: loop)
        directory = configuration.directory
        readsStartupFiles = configuration.readsStartupFiles
        output = CommandOutput(directory: configuration.outputs)
        // Unlike anything that a command prints.
        promptToken = "aes-\(UInt64.random(in: .min ... .max))"
        prompts = PromptFilter(token: promptToken)
    }

    /// Whether a command was started that has not ended.
    var isRunning: Bool { running.map { $0.ending == nil } ?? false }
    /// Whether a command has ended that nobody waited for.
    var hasEnded: Bool { running?.ending != nil }

    /// What happened to the shell since the last call that the agent has to know: lines in brackets.
    func takeNotes() -> String {
        defer { notes = [] }
        return notes.map { "[\($0)]\n" }.joined()
    }

    // MARK: Starting and closing

    /// Starts the shell if none runs, and waits until it is ready for a command.
    ///
    /// When the start-up files end the shell or take too long, another is started without them: a sandbox whose
    /// `.bashrc` is broken must stay usable, if only to repair it.
    ///
    /// - Throws: ``SystemError`` when it can't be started, or does not become ready in time.
    func start() async throws(SystemError) {
        if process != nil { return }
        do throws(SystemError) {
            return try await launch()
        } catch {
            guard readsStartupFiles, configuration.shell.dialect == .bash, [ECHILD, ETIMEDOUT].contains(error.code)
            else {
                throw error
            }
            readsStartupFiles = false
            do throws(SystemError) {
                try await launch()
            } catch {
                readsStartupFiles = true
                throw error
            }
            notes.append("The shell was started without its start-up files, such as ~/.bashrc: \(error)")
        }
    }

    private func launch() async throws(SystemError) {
        guard !isClosed else { throw SystemError("start a shell in a session that is closed", code: ECANCELED) }
        let dialect = configuration.shell.dialect
        let files = try ControlDirectory()
        let script = dialect.startupScript(files, token: promptToken, readsStartupFiles: readsStartupFiles)
        try files.write(script, to: files.startupFile)
        var environment = configuration.environment
        environment.merge(dialect.environment(startupFile: files.startupFile)) { $1 }
        let place = Self.usableDirectory(directory)
        let process = try ShellProcess(
            path: configuration.shell.path,
            arguments: dialect.arguments(startupFile: files.startupFile, readsStartupFiles: readsStartupFiles),
            environment: environment,
            directory: place,
            echo: dialect.usesEcho
        )
        if place != directory { notes.append("The directory \(directory) is gone; the shell is in \(place)") }
        self.process = process
        self.files = files
        reports = ShellReportParser()
        sequence = 1
        isBroken = false
        prompts = PromptFilter(token: promptToken)
        hasPrompt = false
        isStarting = true
        defer { isStarting = false }
        beginRunning(mark: "", echo: "")
        // The preference lets continuations resume on the loop itself, without the detour of another thread.
        pump = Task(executorPreference: loop) { await self.runPump(process, files) }
        if dialect == .bash, !readsStartupFiles { await type(Array(". '\(files.startupFile)'\n".utf8)) }

        let ending = await waitForEnding(silence: nil, until: .now + configuration.startupTimeout)
        takeRunning()
        output.clear()
        lastStatus = 0
        if case .completed = ending { return }
        await stopShell()
        let operation = "start the shell \(configuration.shell.path)"
        switch ending {
        case .shellExited(let code): throw SystemError("\(operation), which exited with \(code)", code: ECHILD)
        case .shellBroken: throw SystemError("\(operation), which its start-up files made of no use", code: ECHILD)
        case .silent, .timedOut: throw SystemError("\(operation): its start-up files take too long", code: ETIMEDOUT)
        case .completed, .closed, .shellLost: throw SystemError(operation, code: ECANCELED)
        }
    }

    /// The directory, or the nearest above it that still exists.
    private static func usableDirectory(_ directory: String) -> String {
        var place = directory
        while access(place, X_OK) != 0, place.hasPrefix("/"), place != "/" {
            place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
            if place.isEmpty { place = "/" }
        }
        return place
    }

    /// Ends the shell and what it runs.
    ///
    /// Whoever waits is told.
    func close() async {
        isClosed = true
        end(.closed)
        await stopShell()
    }

    private func stopShell() async {
        // Taken before the wait, so that a shell that is started meanwhile isn't stopped.
        let stopped = (pump: pump.take(), process: process.take(), files: files.take())
        stopped.pump?.cancel()
        await stopped.pump?.value
        stopped.process?.terminate()
    }

    // MARK: Running

    /// Starts a command, and a shell if there is none; nothing may be running.
    ///
    /// - Throws: ``SystemError`` when the command could not be handed over.
    func begin(_ command: String) async throws(SystemError) {
        if let files, !files.isIntact {
            await stopShell()
            notes.append(Self.lostNote)
        }
        try await start()
        guard let process, let files else { throw SystemError("reach the shell", code: ESRCH) }
        let dialect = configuration.shell.dialect
        let quoted = dialect.quoted(command)
        if quoted == nil { try files.write(command, to: files.commandFile) }
        process.resetTerminalModes(echo: dialect.usesEcho)
        // Input that no program took, or a terminal's answer to one that is gone, isn't part of the line that is typed now.
        if hasTypedInput { process.discardInput() }
        hasTypedInput = false
        // The last prompt, if it has come: one that comes later is told from it.
        _ = readTerminal(process)
        sequence += 1
        let trigger = dialect.trigger(
            files,
            sequence: sequence,
            lastStatus: lastStatus,
            quoted: quoted,
            isTraced: lastReport?.isTraced ?? false
        )
        let mark = markOutput(process)
        output.clear()
        beginRunning(mark: mark, echo: trigger + "\r\n")
        await write(Array(trigger.utf8) + [0x0a])
    }

    private static let newShellNote =
        "A new shell runs in the same directory, without the old one's variables, functions and jobs."
    static let lostNote = "The files through which the shell is reached were removed. \(newShellNote)"
    static let brokenNote =
        "The shell could not be used any more, since what it is reached by was changed: a variable was made read-only, or a"
        + " builtin, a function or a limit changed. The command may not have run. \(newShellNote)"

    /// Marks the place in the terminal's output where the next command's begins.
    ///
    /// What a background process wrote before, and the echo of input that was discarded, belong to no command.
    ///
    /// - Returns: the mark; empty when there was never room for it.
    private func markOutput(_ process: ShellProcess) -> String {
        let mark = "\u{1}\(promptToken)+\(sequence)\u{2}"
        for _ in 0..<100 {
            if process.show(mark) { return mark }
            // Making room: a background process that fills it at once each time is hardly possible.
            _ = readTerminal(process)
        }
        return ""
    }

    private func beginRunning(mark: String, echo: String) {
        lastActivity = .now
        let dialect = configuration.shell.dialect
        running = Running(
            sequence: sequence,
            beginning: MarkerFilter(mark, .droppingWhatPrecedes),
            // A terminal without echo shows nothing of it, but a line editor may, which looks for another mode.
            echo: MarkerFilter(echo, dialect.usesEcho ? .anywhere : .beginning)
        )
    }

    /// Types into what runs.
    func type(_ bytes: [UInt8]) async {
        if bytes.contains(0x03) { running?.wasInterrupted = true }
        hasTypedInput = true
        await write(bytes)
    }

    private func write(_ bytes: [UInt8]) async {
        lastActivity = .now
        guard let process else { return }
        var typed = 0
        while typed < bytes.count {
            let count = bytes[typed...].withUnsafeBytes { process.type($0) }
            if count > 0 {
                typed += count
            } else if errno == EAGAIN {
                // The program doesn't read. It may never do: give up when the terminal takes nothing for a while.
                let outcome = await loop.wait(for: [.writable(process.controller)], until: .now + .seconds(10))
                guard outcome == .ready else { return }
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Waits until the running command ends or a limit passes.
    ///
    /// Only one caller at a time.
    ///
    /// - Parameters:
    ///   - silence: how long nothing may be written; nil for any time.
    ///   - deadline: when to stop waiting at the latest.
    func waitForEnding(silence: Duration?, until deadline: ContinuousClock.Instant?) async -> Ending {
        while true {
            if let ending = running?.ending {
                takeRunning()
                if case .completed(let code) = ending { lastStatus = code }
                return ending
            }
            let now = ContinuousClock.now
            if let deadline, now >= deadline { return .timedOut }
            let quiet = silence.map { lastActivity + $0 }
            if let quiet, now >= quiet { return .silent }
            let id = loop.makeWaitID()
            waiter = id
            let outcome = await loop.wait(until: [deadline, quiet].compactMap(\.self).min(), id: id)
            waiter = nil
            loop.forget(id)
            if outcome == .cancelled { return .closed }
        }
    }

    private func takeRunning() {
        hasPrompt = running.take()?.hasPrompt ?? hasPrompt
    }

    /// What was written since the last call.
    ///
    /// It ends there for whoever followed it.
    func takeOutput(isCut: Bool) -> String {
        listener.take()?.finish(with: output.endFollowing())
        return output.take(isCut: isCut)
    }

    /// Has somebody follow the output until it is taken, in place of whoever did.
    func follow(with listener: OutputListener) {
        self.listener?.finish()
        self.listener = listener
        output.follow()
        listener.begin(with: self)
    }

    /// Has somebody follow the output in place of whoever did, unless it has ended for them.
    func follow(with next: OutputListener, inPlaceOf listener: OutputListener) {
        if self.listener === listener { follow(with: next) } else { next.finish() }
    }

    /// What has changed since the last call, for whoever follows.
    func takeUpdate(for listener: OutputListener) -> OutputUpdate? {
        self.listener === listener ? output.takeUpdate() : nil
    }

    /// Interrupts what runs, as the key C-c does, whatever the modes of the terminal.
    ///
    /// - Parameter isForced: whether it is killed, with all that it started.
    /// - Returns: whether something ran.
    func interrupt(isForced: Bool) -> Bool {
        guard isRunning, !isStarting, let process else { return false }
        running?.wasInterrupted = true
        if isForced { process.killForeground() } else { process.signalForeground(SIGINT) }
        return true
    }

    // MARK: The pump

    private func runPump(_ process: ShellProcess, _ files: ControlDirectory) async {
        while true {
            // The reports first: what a command wrote was written before its report.
            var arrived = readReports(files)
            let hasOutput = readTerminal(process)
            if hasOutput {
                // The report comes before the prompt. What was written before a report that comes only now may have come
                // after the last look.
                let late = readReports(files)
                if !late.isEmpty { _ = readTerminal(process) }
                arrived += late
            }
            for report in arrived { take(report) }
            endIfBroken(process)
            if let code = process.exitCode() {
                // What it wrote between the last look and its end: no more than a terminal holds.
                _ = readTerminal(process)
                shellExited(process, files, code)
                return
            }
            if hasOutput {
                wakeWaiter()
                listener?.announceNews()
            }
            let outcome = await loop.wait(for: [
                .readable(process.controller), .readable(files.reports), loop.childChange,
            ])
            if outcome == .cancelled { return }
        }
    }

    private func readReports(_ files: ControlDirectory) -> [ShellReport] {
        withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            var found: [ShellReport] = []
            while true {
                let count = read(files.reports, buffer.baseAddress, buffer.count)
                if count > 0 { found += reports.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                // What comes after a short read is told by the next wait.
                guard count == buffer.count else { return found }
            }
        }
    }

    /// Reads until there is no more, or so much that others must have their turn.
    private func readTerminal(_ process: ShellProcess) -> Bool {
        var hasOutput = false
        for _ in 0..<64 {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
                let count = read(process.controller, buffer.baseAddress, buffer.count)
                if count > 0 { show(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            guard count > 0 else { break }
            hasOutput = true
        }
        if hasOutput { lastActivity = .now }
        let replies = output.takeReplies()
        // A program that asks and doesn't read gets no more answers; waiting for it would hold up its output.
        // Between commands nobody asks.
        if !replies.isEmpty, isRunning {
            hasTypedInput = true
            _ = replies.withUnsafeBytes { process.type($0) }
        }
        return hasOutput
    }

    private func show(_ bytes: UnsafeRawBufferPointer) {
        guard var current = running.take() else {
            prompts.feed(bytes) { output.feed($0) }
            hasPrompt = hasPrompt || !prompts.takeFound().isEmpty
            return
        }
        current.beginning.feed(bytes) { bytes in
            prompts.feed(bytes) { bytes in
                current.echo.feed(bytes) { output.feed($0) }
            }
        }
        for sequence in prompts.takeFound() {
            if sequence == current.sequence { current.hasPrompt = true }
            // One may be late. After a broken quotation bash prints the one before instead.
            if sequence != current.sequence, hasPrompt { current.hasStalePrompt = true }
            hasPrompt = true
        }
        if current.hasPrompt, current.ending == nil, configuration.shell.dialect == .posix {
            // The shell waits for a command: it reported before, or the command was cut short.
            let code = current.report?.exitCode ?? (current.wasInterrupted ? 130 : 2)
            current.ending = .completed(exitCode: code)
        }
        running = current
    }

    /// Ends a shell that waits for the next command without having reported on this one.
    private func endIfBroken(_ process: ShellProcess) {
        guard let running, running.ending == nil, running.report == nil, !isBroken else { return }
        guard running.hasPrompt || running.hasStalePrompt else { return }
        isBroken = true
        process.kill()
    }

    private func take(_ report: ShellReport) {
        // At once, not only before the next command: with some modes the shell would read an end of its input.
        process?.resetTerminalModes(echo: configuration.shell.dialect.usesEcho)
        files?.goOn(after: report)
        lastReport = report
        directory = report.directory
        guard running?.sequence == report.sequence else { return }
        running?.report = report
        switch configuration.shell.dialect {
        case .bash: end(.completed(exitCode: report.exitCode))
        case .posix:
            // The prompt ends the command; it may have been seen just before the report, or not be seen at all.
            if running?.ending != nil || !report.showsPrompt { end(.completed(exitCode: report.exitCode)) }
        }
    }

    private func shellExited(_ process: ShellProcess, _ files: ControlDirectory, _ code: Int32) {
        guard self.process === process else { return }
        self.process = nil
        self.files = nil
        pump = nil
        lastStatus = 0
        let ending: Ending = isBroken ? .shellBroken : files.isIntact ? .shellExited(exitCode: code) : .shellLost
        guard running == nil else { return end(ending) }
        notes.append(
            ending == .shellLost
                ? Self.lostNote : "The shell has exited with code \(code) since the last command. \(Self.newShellNote)"
        )
    }

    private func end(_ ending: Ending) {
        guard running != nil else { return }
        running?.ending = ending
        wakeWaiter()
    }

    private func wakeWaiter() {
        guard let id = waiter.take() else { return }
        loop.notify(id)
    }
}
