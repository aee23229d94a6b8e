internal import CCurl
internal import Synchronization

/// The mailbox of the thread that runs libcurl: commands go in from any thread, the loop takes them out.
///
/// The thread sleeps in `curl_multi_poll` until a socket, a timer of a running transfer, or a command wakes it: idle, it never wakes.
final class TransferLoop: Sendable {
    enum Command {
        case start(Transfer)
        /// The transfer was ended from outside; its handle goes.
        case remove(UInt64)
        case resumeReceiving(UInt64)
        case resumeSending(UInt64)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isOpen = true
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

    /// Hands a transfer to the thread; `false` once the loop is shut down.
    func start(_ transfer: Transfer) -> Bool {
        put(.start(transfer))
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

    private func put(_ command: Command) -> Bool {
        mailbox.withLock { mailbox in
            guard mailbox.isOpen else { return false }
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

    // MARK: The thread's side

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
            mailbox.isPolling = mailbox.commands.isEmpty && mailbox.isOpen
            return mailbox.isPolling
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
