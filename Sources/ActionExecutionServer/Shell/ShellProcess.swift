import CPlatform
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A shell on a pseudo-terminal of its own; the descriptors are closed when it is let go.
final class ShellProcess: Sendable {
    let processID: pid_t
    /// The side of the terminal that sees what is shown and types; doesn't block.
    let controller: Int32
    /// The shell's side, kept open so that the terminal outlives the shell and its modes can be set.
    private let terminal: Int32

    /// Starts a program in a session of its own.
    ///
    /// - Throws: ``SystemError`` that says which step failed.
    init(
        path: String,
        arguments: [String],
        environment: [String: String],
        directory: String,
        echo: Bool
    ) throws(SystemError) {
        var controller: Int32 = -1
        var terminal: Int32 = -1
        guard
            platform_open_pseudo_terminal(
                UInt16(TerminalScreen.height),
                UInt16(TerminalScreen.width),
                &controller,
                &terminal
            ) == 0
        else { throw SystemError("open a pseudo-terminal") }

        _ = platform_reset_terminal_modes(terminal, echo ? 1 : 0)
        var step = platform_spawn_step_fork
        let variables = environment.map { "\($0)=\($1)" }
        let processID = withCStrings(arguments) { argv in
            withCStrings(variables) { envp in
                path.withCString { path in
                    directory.withCString { directory in
                        var request = platform_spawn_request()
                        request.path = path
                        request.arguments = argv
                        request.environment = envp
                        request.directory = directory
                        request.terminal = terminal
                        return platform_spawn(&request, &step)
                    }
                }
            }
        }
        guard processID > 0 else {
            let operation =
                step == platform_spawn_step_directory ? "enter the directory \(directory)" : "start the shell \(path)"
            let error = SystemError(operation)
            _ = close(controller)
            _ = close(terminal)
            throw error
        }
        Self.owned.withLock { _ = $0.insert(processID) }
        self.processID = processID
        self.controller = controller
        self.terminal = terminal
    }

    /// Shells that exist or wait to be reaped, by whoever owns them and nobody else.
    private static let owned = Mutex<Set<pid_t>>([])

    /// Whether a process is a shell that its owner reaps.
    static func isOwned(_ process: pid_t) -> Bool {
        owned.withLock { $0.contains(process) }
    }

    deinit {
        Self.owned.withLock { _ = $0.remove(processID) }
        _ = close(controller)
        _ = close(terminal)
    }

    /// Gives the terminal the modes that a shell expects, whatever the last program left.
    func resetTerminalModes(echo: Bool) {
        _ = platform_reset_terminal_modes(terminal, echo ? 1 : 0)
    }

    /// Forgets what was typed and not read, its echo, and what was written and hasn't reached the controller.
    ///
    /// The kernel carries bytes from one side to the other in the background: some may not have arrived yet. Flushing a
    /// side's output drops them on their way.
    func discardInFlight() {
        _ = tcflush(controller, TCOFLUSH)
        _ = tcflush(terminal, TCIFLUSH)
        _ = tcflush(terminal, TCOFLUSH)
    }

    /// The exit status once the shell was reaped: from then on its process id may be another's.
    private let reapedStatus = Mutex<Int32?>(nil)

    /// The exit status once the shell is gone, as a shell would give it: 128 + the signal when it was killed.
    ///
    /// Reaps it.
    func exitCode() -> Int32? {
        reapedStatus.withLock { reaped in
            if let reaped { return reaped }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG) == processID else { return nil }
            let signal = status & 0x7f
            reaped = signal == 0 ? (status >> 8) & 0xff : 128 + signal
            return reaped
        }
    }

    /// Sends a signal to what runs in the foreground of the terminal.
    func signalForeground(_ number: Int32) {
        let group = platform_foreground_process_group(terminal)
        if group > 0 { _ = kill(-group, number) }
    }

    /// Ends the shell and all processes of its session, and reaps it.
    func terminate() {
        signalForeground(SIGKILL)
        reapedStatus.withLock { reaped in
            guard reaped == nil else { return }
            _ = kill(-processID, SIGKILL)
            // Its jobs have process groups of their own. While it isn't reaped no other session can have its number.
            for process in ProcessTable.members(ofSession: processID) { _ = kill(process, SIGKILL) }
            while waitpid(processID, nil, 0) < 0, errno == EINTR {}
            reaped = 128 + SIGKILL
        }
    }
}

/// Lends strings as a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}
