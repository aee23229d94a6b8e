import EventStream

/// Turns `run_ipython` actions into what happens in a kernel, and that into observations.
///
/// The texts are part of the format (reference: `openhands/runtime/plugins/jupyter`): agents are trained on them.
actor CellRunner {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let commands: CommandRunner
    private let searchPath: String
    let session: KernelSession
    private let turn: Turn
    /// Where the shell was when the last cell began: until it goes elsewhere, cells stay where they went themselves.
    private var shellDirectory: String?

    /// How long a cell may take to end when it was interrupted, before the interpreter is killed.
    ///
    /// With what comes before and after less than the 5 seconds for which a client waits longer than the cell may take.
    private static let interruptionTimeout = Duration.seconds(2)

    init(_ configuration: ShellSession.Configuration, commands: CommandRunner, loop: EventLoop) {
        self.loop = loop
        self.commands = commands
        searchPath = configuration.environment["PATH"] ?? ""
        session = KernelSession(environment: configuration.environment, outputs: configuration.outputs, loop: loop)
        turn = Turn(loop: loop)
    }

    /// Ends the interpreter.
    func close() async {
        await session.close()
    }

    /// Interrupts the cell that runs.
    ///
    /// - Parameter isForced: whether the interpreter is killed.
    /// - Returns: whether one ran.
    func interrupt(isForced: Bool) async -> Bool {
        await session.interrupt(isForced: isForced)
    }

    /// Runs a cell.
    ///
    /// - Parameter timeout: seconds after which it is interrupted; nil for any time.
    func run(_ action: IPythonAction, timeout: Double?) async -> Observation {
        guard await turn.take() else { return Self.cancelled }
        let observation = await runInTurn(action, timeout: timeout)
        await turn.end()
        return observation
    }

    private func runInTurn(_ action: IPythonAction, timeout: Double?) async -> Observation {
        // Any number may be asked for, but not every number is a time.
        let deadline = timeout.map { ContinuousClock.now + .seconds(min(max($0, 0), 1e9)) }
        let isRestart = await session.hasLostVariables
        if await !session.isRunning {
            shellDirectory = nil
            do throws(KernelError) {
                try await session.start(searchPath: await currentSearchPath())
            } catch {
                if error == .closed { return Self.cancelled }
                return .error(ErrorObservation(content: "The cell was not run: \(error)"))
            }
        }
        var notes = await session.takeNotes()
        if isRestart { notes += "[\(Self.newInterpreter)]\n" }
        if isRestart, !action.kernelInitCode.isEmpty {
            _ = await session.begin(action.kernelInitCode, in: await moveToShell(), until: deadline)
            if await waitForEnding(until: deadline).ending == .closed { return Self.cancelled }
        }
        let earlier = await session.begin(action.code, in: await moveToShell(), until: deadline)
        let (ending, isLate) = await waitForEnding(until: deadline)
        if ending == .closed { return Self.cancelled }
        let output = await session.takeOutput()
        var content = notes + Self.beginning(after: earlier)
        content += Self.content(of: output, ending, limit: isLate ? timeout : nil)
        if action.includeExtra {
            var directory = await session.directory
            if directory.isEmpty { directory = await commands.directory }
            content +=
                "\n[Jupyter current working directory: \(directory)]"
                + "\n[Jupyter Python interpreter: \(await session.interpreter)]"
        }
        let images = earlier.images + output.images
        return .runIPython(
            IPythonObservation(content: content, code: action.code, imageURLs: images.isEmpty ? nil : images)
        )
    }

    /// Waits for the cell, and sees to it that it ends when its time is over.
    private func waitForEnding(
        until deadline: ContinuousClock.Instant?
    ) async -> (ending: KernelSession.Ending, isLate: Bool) {
        var ending = await session.waitForEnding(until: deadline)
        guard ending == .timedOut else { return (ending, false) }
        _ = await session.interrupt(isForced: false)
        ending = await session.waitForEnding(until: .now + Self.interruptionTimeout)
        if ending == .timedOut { await session.kill() }
        return (ending, true)
    }

    /// Where programs are found: as in the shell, so that a virtual environment that is active there is used.
    private func currentSearchPath() async -> String {
        if await commands.session.lastReport == nil { try? await commands.start() }
        return await commands.session.lastReport?.searchPath ?? searchPath
    }

    /// The directory to go to before a cell; nil when the shell is where it was.
    private func moveToShell() async -> String? {
        let directory = await commands.directory
        guard directory != shellDirectory else { return nil }
        shellDirectory = directory
        return directory
    }

    // MARK: Texts

    private static let newInterpreter =
        "This cell runs in a new Python interpreter, without the variables of the cells before."

    private static let cancelled = Observation.error(
        ErrorObservation(content: "The execution server is shutting down; the cell was ended.")
    )

    /// What was written since the last cell, by a thread or a program that it left running.
    static func beginning(after earlier: KernelSession.Output) -> String {
        guard !earlier.text.isEmpty else { return "" }
        return "[Below is what was written since the last cell.]\n\(earlier.text)\n"
            + "[Below is the output of this cell.]\n"
    }

    /// What a cell wrote, and what became of it.
    ///
    /// - Parameter limit: the seconds that it was given, if they passed.
    static func content(of output: KernelSession.Output, _ ending: KernelSession.Ending, limit: Double?) -> String {
        var lines = output.text.isEmpty ? [] : [output.text]
        if output.leftOutImages > 0 {
            lines.append("[Images left out, since they are too large together: \(output.leftOutImages)]")
        }
        if let limit { lines.append("[Execution timed out (\(limit) seconds).]") }
        let next = "The next cell runs in a new one, without the old one's variables."
        switch ending {
        case .done:
            let isSilent = output.isEmpty && output.images.isEmpty && limit == nil
            if isSilent { lines.append("[Code executed successfully with no output]") }
        case .ended(let end):
            lines.append("[The Python interpreter \(end) during this cell. \(next)]")
        case .killed:
            lines.append("[The Python interpreter was killed during this cell, as asked. \(next)]")
        case .lost:
            lines.append("[The Python interpreter could not be reached any more, and was killed. \(next)]")
        case .timedOut:
            lines.append("[The cell did not end when it was interrupted: the interpreter was killed. \(next)]")
        case .closed:
            break
        }
        return lines.joined(separator: "\n")
    }
}
