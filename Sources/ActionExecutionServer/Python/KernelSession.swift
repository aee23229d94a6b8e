#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A Python interpreter that is kept between cells, with its variables.
///
/// All that a cell writes, by whatever way, goes into one pipe; what the kernel itself has to say comes over a channel
/// that cells don't know. One task, the pump, reads both for as long as the session lives: the pipe outlives an
/// interpreter that ends, so that what it started and left can write on.
actor KernelSession {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// How a cell's turn ended.
    enum Ending: Sendable, Equatable {
        case done
        /// The interpreter ended, and the next cell finds a new one.
        case ended(ProcessEnd)
        /// Somebody had it killed.
        case killed
        /// The cell closed the channel or wrote to it. The interpreter was killed, and the next cell finds a new one.
        case lost
        /// The deadline passed; the cell runs on.
        case timedOut
        /// The session was closed.
        case closed
    }

    /// What a cell showed.
    struct Output: Sendable, Equatable {
        var text = ""
        /// Whether anything was written, white space too.
        var isEmpty = true
        /// Data URLs.
        var images: [String] = []
        /// How many images were left out, since there were too many bytes of them.
        var leftOutImages = 0

        mutating func append(_ next: Output) {
            text += (text.isEmpty || next.text.isEmpty ? "" : "\n") + next.text
            isEmpty = isEmpty && next.isEmpty
            images += next.images
            leftOutImages += next.leftOutImages
        }
    }

    /// Bytes of images in an observation at the most.
    private static let imageLimit = 32 << 20

    private let environment: [String: String]
    private let startupTimeout: Duration
    private var kernel: KernelProcess?
    private var pipe: Pipe?
    private var pump: Task<Void, Never>?
    private var pumpWait: EventLoop.WaitID?
    private var messages = KernelMessageParser()
    private var text: CommandOutput
    private var output = Output()
    private var imageSize = 0
    /// What was shown before the interpreter was started.
    private var unread = Output()
    /// Whether a cell runs, or the interpreter starts, whose ending nobody has taken.
    private var isBusy = false
    /// Whether the interpreter was killed on request.
    private var wasKilled = false
    private var ending: Ending?
    private var waiter: EventLoop.WaitID?
    private var isClosed = false

    /// The path of the interpreter, as it says itself; of the last one when none runs.
    private(set) var interpreter = ""
    /// Where the interpreter is.
    private(set) var directory = ""
    /// Whether an interpreter was lost with its variables, and none has been started since.
    private(set) var hasLostVariables = false
    /// What happened to the interpreter that the agent has to know.
    private var notes: [String] = []

    init(
        environment: [String: String],
        outputs: OutputDirectory,
        startupTimeout: Duration = .seconds(60),
        loop: EventLoop
    ) {
        self.environment = environment
        self.startupTimeout = startupTimeout
        self.loop = loop
        text = CommandOutput(directory: outputs)
    }

    /// Whether an interpreter runs.
    var isRunning: Bool { kernel != nil }

    /// What happened to the interpreter since the last call that the agent has to know: lines in brackets.
    func takeNotes() -> String {
        defer { notes = [] }
        return notes.map { "[\($0)]\n" }.joined()
    }

    // MARK: Starting and closing

    /// Starts an interpreter if none runs, and waits until it is ready for a cell.
    ///
    /// - Parameter searchPath: where it is looked for, and its `PATH`.
    func start(searchPath: String) async throws(KernelError) {
        guard kernel == nil else { return }
        guard !isClosed else { throw .closed }
        let found = ["python3", "python"].lazy.compactMap { findProgram($0, searchPath: searchPath) }.first
        guard let path = found else { throw .noInterpreter(searchPath: searchPath) }
        // What the last interpreter's programs wrote isn't this one's.
        unread.append(takeOutput())
        do throws(SystemError) {
            kernel = try launch(path, searchPath)
        } catch {
            throw .system(error)
        }
        interpreter = path
        begin()
        let deadline = ContinuousClock.now + startupTimeout
        await send(KernelProgram.start, until: deadline)
        let ending = await waitForEnding(until: deadline)
        let said = takeOutput().text
        if ending == .done { return }
        stopKernel()
        switch ending {
        case .ended(let end): throw .ended(interpreter: path, end: end, output: said)
        case .killed, .lost, .timedOut, .done: throw .slow(interpreter: path, limit: startupTimeout, output: said)
        case .closed: throw .closed
        }
    }

    private func launch(_ path: String, _ searchPath: String) throws(SystemError) -> KernelProcess {
        let pipe = if let pipe { pipe } else { try Pipe() }
        // The interpreter's end blocks: programs don't expect anything else of their output.
        _ = fcntl(pipe.writeEnd, F_SETFL, 0)
        let kernel = try KernelProcess(
            interpreter: path,
            arguments: KernelProgram.arguments,
            environment: environment.merging(["PATH": searchPath]) { $1 },
            output: pipe.writeEnd
        )
        self.pipe = pipe
        messages = KernelMessageParser()
        if pump == nil {
            pump = Task(executorPreference: loop) { await self.runPump(pipe) }
        } else if let id = pumpWait.take() {
            loop.notify(id)
        }
        return kernel
    }

    /// Ends the interpreter and what it runs.
    ///
    /// Whoever waits is told.
    func close() async {
        isClosed = true
        end(.closed)
        stopKernel()
        let pump = pump.take()
        pump?.cancel()
        await pump?.value
    }

    /// Kills the interpreter and what it runs; the next cell finds a new one.
    func kill() {
        hasLostVariables = true
        stopKernel()
    }

    private func stopKernel() {
        isBusy = false
        guard let stopped = kernel.take() else { return }
        stopped.terminate()
        // It waits for a channel that is closed now.
        if let id = pumpWait.take() { loop.notify(id) }
    }

    // MARK: Running

    /// Runs a cell; an interpreter must be there.
    ///
    /// - Parameters:
    ///   - directory: where the interpreter goes first; nil to stay.
    ///   - deadline: when to stop handing the cell over at the latest.
    /// - Returns: what was written since the last cell.
    func begin(_ code: String, in directory: String?, until deadline: ContinuousClock.Instant?) async -> Output {
        if let pipe { readOutput(pipe) }
        unread.append(takeOutput())
        let earlier = unread
        unread = Output()
        hasLostVariables = false
        begin()
        await send(KernelProgram.request(code: code, directory: directory), until: deadline)
        return earlier
    }

    private func begin() {
        isBusy = true
        // An interpreter that ended just now can't run it.
        ending = kernel == nil ? .lost : nil
    }

    private func send(_ bytes: [UInt8], until deadline: ContinuousClock.Instant?) async {
        var sent = 0
        while sent < bytes.count, let kernel {
            let count = bytes[sent...].withUnsafeBytes { kernel.send($0) }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                guard await loop.wait(for: [.writable(kernel.channel)], until: deadline) == .ready else { return }
            } else if errno != EINTR {
                // It is gone, or can't be reached any more: the pump finds out.
                return
            }
        }
    }

    /// Waits until the cell ends or the deadline passes.
    ///
    /// Only one caller at a time.
    func waitForEnding(until deadline: ContinuousClock.Instant?) async -> Ending {
        while true {
            if let ending = ending.take() {
                isBusy = false
                return ending
            }
            if let deadline, ContinuousClock.now >= deadline { return .timedOut }
            let id = loop.makeWaitID()
            waiter = id
            let outcome = await loop.wait(until: deadline, id: id)
            waiter = nil
            loop.forget(id)
            if outcome == .cancelled { return .closed }
        }
    }

    /// Interrupts the cell, as Control-C does.
    ///
    /// - Parameter isForced: whether the interpreter is killed.
    /// - Returns: whether a cell ran.
    func interrupt(isForced: Bool) -> Bool {
        guard let kernel, isBusy, ending == nil else { return false }
        wasKilled = isForced
        // The pump finds the end.
        if isForced { kernel.terminate() } else { kernel.interrupt() }
        return true
    }

    /// What was shown since the last call.
    func takeOutput() -> Output {
        var taken = output
        taken.text = text.take(isCut: true)
        output = Output()
        imageSize = 0
        return taken
    }

    // MARK: The pump

    /// What became of a channel.
    private enum ChannelState {
        case open
        case closed
        /// It has what a kernel doesn't send.
        case broken
    }

    /// How long an interpreter may live that has closed its channel: it does so when it ends.
    private static let exitTimeout = Duration.seconds(2)

    private func runPump(_ pipe: Pipe) async {
        var exitDeadline: ContinuousClock.Instant?
        while true {
            readOutput(pipe)
            var interests = [EventLoop.Interest.readable(pipe.readEnd), loop.childChange]
            if let kernel {
                let state = readMessages(of: kernel, pipe)
                if let end = kernel.ended() {
                    // What it said last.
                    _ = readMessages(of: kernel, pipe)
                    kernelEnded(wasKilled ? .killed : .ended(end), pipe)
                } else if state == .broken || exitDeadline.map({ .now >= $0 }) == true {
                    kernel.terminate()
                    kernelEnded(.lost, pipe)
                } else if state == .open {
                    interests.append(.readable(kernel.channel))
                } else {
                    exitDeadline = exitDeadline ?? .now + Self.exitTimeout
                }
            }
            if kernel == nil { exitDeadline = nil }
            let id = loop.makeWaitID()
            pumpWait = id
            let outcome = await loop.wait(for: interests, until: exitDeadline, id: id)
            pumpWait = nil
            loop.forget(id)
            if outcome == .cancelled { return }
        }
    }

    /// Reads until there is no more, or so much that others must have their turn: more than a pipe can hold, so that what
    /// was written before a message is read before it counts.
    private func readOutput(_ pipe: Pipe) {
        for _ in 0..<64 {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
                let count = read(pipe.readEnd, buffer.baseAddress, buffer.count)
                if count > 0 { text.feedFromPipe(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            guard count > 0 else { break }
            output.isEmpty = false
        }
        // No terminal is there that could answer.
        _ = text.takeReplies()
    }

    private func readMessages(of kernel: KernelProcess, _ pipe: Pipe) -> ChannelState {
        var state = ChannelState.open
        var count = 0
        repeat {
            let result = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) {
                buffer -> Result<[KernelMessage], KernelMessageParser.Malformed> in
                count = read(kernel.channel, buffer.baseAddress, buffer.count)
                guard count > 0 else {
                    if count == 0 || (errno != EAGAIN && errno != EINTR) { state = .closed }
                    return .success([])
                }
                do throws(KernelMessageParser.Malformed) {
                    return .success(try messages.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
                } catch {
                    return .failure(error)
                }
            }
            guard case .success(let found) = result else { return .broken }
            for message in found { take(message, pipe) }
        } while count == 64 * 1024
        return state
    }

    private func take(_ message: KernelMessage, _ pipe: Pipe) {
        switch message {
        case .ready(let path):
            if !path.isEmpty { interpreter = path }
            end(.done)
        case .image(let url):
            imageSize += url.utf8.count
            if imageSize <= Self.imageLimit { output.images.append(url) } else { output.leftOutImages += 1 }
        case .done(let directory):
            readOutput(pipe)
            self.directory = directory
            end(.done)
        }
    }

    private func kernelEnded(_ ending: Ending, _ pipe: Pipe) {
        // What it wrote last.
        readOutput(pipe)
        kernel = nil
        wasKilled = false
        hasLostVariables = true
        if isBusy { return end(ending) }
        let what = if case .ended(let end) = ending { "\(end)" } else { "could not be reached, and was killed," }
        notes.append("The Python interpreter \(what) since the last cell.")
    }

    private func end(_ ending: Ending) {
        guard isBusy else { return }
        self.ending = ending
        guard let id = waiter.take() else { return }
        loop.notify(id)
    }
}
