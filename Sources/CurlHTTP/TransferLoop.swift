internal import CCurl
internal import Dispatch
internal import Synchronization

/// The mailbox of the thread that runs libcurl: commands go in from any thread, the loop takes them out.
///
/// Tasks can have their jobs run by the thread too, between its rounds: what they do with a transfer then needs no other
/// thread. The thread sleeps in `curl_multi_poll` until a socket, a timer of a running transfer, or a command wakes it: idle, it never wakes.
final class TransferLoop: TaskExecutor {
    enum Command {
        case start(Transfer)
        /// The transfer was ended from outside; its handle goes.
        case remove(UInt64)
        /// All transfers are ended from outside.
        case removeAll
        case resumeReceiving(UInt64)
        case resumeSending(UInt64)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var jobs: [UnownedJob] = []
        var isOpen = true
        /// No transfers are taken for now.
        var isSuspended = false
        /// The thread has taken its last look.
        var hasEnded = false
        /// The thread sleeps, or is about to, and must be woken.
        var isPolling = false
    }

    /// The pointer crosses threads for `curl_multi_wakeup` alone, which libcurl allows from anywhere; all else happens on the loop's thread.
    ///
    /// It is freed there after the mailbox was closed under its lock, and wake-ups happen under that lock.
    private struct MultiHandle: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }

    private let mailbox = Mutex(Mailbox())
    private let multi: MultiHandle

    private static let libraryStatus = ccurl_global_init_default()

    /// Starts the thread.
    init(configuration: HTTPClientConfiguration) throws(ClientStartError) {
        guard Self.libraryStatus == CURLE_OK else {
            throw ClientStartError(message: "libcurl can't be initialised: \(CurlCode(Self.libraryStatus))")
        }
        guard let pointer = curl_multi_init() else {
            throw ClientStartError(message: "libcurl can't make a multi handle: out of memory or descriptors")
        }
        _ = ccurl_multi_setopt_long(pointer, CURLMOPT_MAXCONNECTS, configuration.maximumIdleConnections)
        let multi = MultiHandle(pointer: pointer)
        self.multi = multi
        let status = DetachedThread.start { [self] in
            TransferThread(multi: multi.pointer, configuration: configuration, loop: self).run()
        }
        guard status == 0 else {
            curl_multi_cleanup(pointer)
            throw ClientStartError(message: "no thread can be started: errno \(status)")
        }
    }

    /// Hands a transfer to the thread; `false` while the loop is suspended, and once it is shut down.
    func start(_ transfer: Transfer) -> Bool {
        put(.start(transfer)) { !$0.isSuspended }
    }

    /// Ends all transfers, and takes none until ``resume()``.
    func suspend() {
        _ = put(.removeAll) { mailbox in
            mailbox.isSuspended = true
            return true
        }
    }

    /// Takes transfers again.
    func resume() {
        mailbox.withLock { $0.isSuspended = false }
    }

    /// Hands over a command about a transfer; without effect once the loop is shut down, since all transfers have ended then.
    func post(_ command: Command) {
        _ = put(command)
    }

    /// Ends the thread and all transfers.
    ///
    /// May be called repeatedly and from any thread.
    func shutDown() {
        mailbox.withLock { mailbox in
            mailbox.isOpen = false
            wakeThread(&mailbox)
        }
    }

    private func put(_ command: Command, if condition: (inout Mailbox) -> Bool = { _ in true }) -> Bool {
        mailbox.withLock { mailbox in
            guard mailbox.isOpen, condition(&mailbox) else { return false }
            mailbox.commands.append(command)
            wakeThread(&mailbox)
            return true
        }
    }

    /// Writes to libcurl's non-blocking wake-up descriptor, only when the thread sleeps.
    private func wakeThread(_ mailbox: inout Mailbox) {
        guard mailbox.isPolling else { return }
        mailbox.isPolling = false
        _ = curl_multi_wakeup(multi.pointer)
    }

    // MARK: Tasks

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = mailbox.withLock { mailbox in
            guard !mailbox.hasEnded else { return false }
            mailbox.jobs.append(job)
            wakeThread(&mailbox)
            return true
        }
        guard !isTaken else { return }
        // A task may outlive the client; it goes on elsewhere.
        DispatchQueue.global().async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    // MARK: The thread's side

    /// Runs the tasks' jobs, and those that they give rise to, within limits: the transfers must have their turn.
    func runJobs() {
        var jobs: [UnownedJob] = []
        for _ in 0..<16 {
            mailbox.withLock { mailbox in
                mailbox.isPolling = false
                swap(&jobs, &mailbox.jobs)
            }
            if jobs.isEmpty { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
        }
    }

    /// The commands that came since the last call, and whether the loop goes on.
    func takeCommands() -> (commands: [Command], isOpen: Bool) {
        mailbox.withLock { mailbox in
            mailbox.isPolling = false
            var commands: [Command] = []
            swap(&commands, &mailbox.commands)
            return (commands, mailbox.isOpen)
        }
    }

    /// Announces that the thread is about to sleep; `false` if there is something to do first.
    func beginPolling() -> Bool {
        mailbox.withLock { mailbox in
            mailbox.isPolling = mailbox.commands.isEmpty && mailbox.jobs.isEmpty && mailbox.isOpen
            return mailbox.isPolling
        }
    }

    /// Runs the jobs that are left; those that come later are run elsewhere.
    func finish() {
        repeat {
            runJobs()
        } while !mailbox.withLock { mailbox in
            mailbox.hasEnded = mailbox.jobs.isEmpty
            return mailbox.hasEnded
        }
    }
}

/// The client's thread or libcurl could not be started.
public struct ClientStartError: Error, Sendable, CustomStringConvertible {
    /// What failed.
    public let message: String
    /// What failed.
    public var description: String { message }
}
