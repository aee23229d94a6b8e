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
    /// The shell's side, kept open so that the terminal outlives the shell and its modes can be set; doesn't block.
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
        var opened = platform_pseudo_terminal()
        let (rows, columns) = (UInt16(TerminalScreen.height), UInt16(TerminalScreen.width))
        guard platform_open_pseudo_terminal(rows, columns, &opened) == 0 else {
            throw SystemError("open a pseudo-terminal")
        }
        defer { _ = close(opened.terminal) }
        _ = platform_reset_terminal_modes(opened.terminal, echo ? 1 : 0)
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
                        request.terminal = opened.terminal
                        return platform_spawn(&request, &step)
                    }
                }
            }
        }
        guard processID > 0 else {
            let operation =
                step == platform_spawn_step_directory ? "enter the directory \(directory)" : "start the shell \(path)"
            let error = SystemError(operation)
            _ = close(opened.controller)
            _ = close(opened.monitor)
            throw error
        }
        OwnedChildren.insert(processID)
        self.processID = processID
        controller = opened.controller
        terminal = opened.monitor
    }

    deinit {
        OwnedChildren.remove(processID)
        _ = close(controller)
        _ = close(terminal)
    }

    /// Gives the terminal the modes that a shell expects, whatever the last program left.
    func resetTerminalModes(echo: Bool) {
        _ = platform_reset_terminal_modes(terminal, echo ? 1 : 0)
    }

    /// Forgets what was typed and not read.
    ///
    /// The kernel carries bytes from one side to the other in the background; flushing drops those on their way too.
    func discardInput() {
        _ = tcflush(controller, TCOFLUSH)
        _ = tcflush(terminal, TCIFLUSH)
    }

    /// Types, as far as there is room.
    ///
    /// - Returns: the bytes that were taken, or -1 as `write` does.
    func type(_ bytes: UnsafeRawBufferPointer) -> Int {
        write(controller, bytes.baseAddress, bytes.count)
    }

    /// Writes to the terminal as a program in it would; what others wrote before, and the echo of what was typed before,
    /// reach the controller first.
    ///
    /// - Returns: whether there was room for all of it.
    func show(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) } == bytes.count
    }

    /// The exit status once the shell was reaped: from then on its process id may be another's.
    private let reapedStatus = Mutex<Int32?>(nil)

    /// The exit status once the shell is gone, as a shell would give it: 128 + the signal when it was killed.
    ///
    /// Reaps it. One that is stopped, by `suspend` for example, goes on: nobody else is there to continue it.
    func exitCode() -> Int32? {
        reapedStatus.withLock { reaped in
            if let reaped { return reaped }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG | WUNTRACED) == processID else { return nil }
            let signal = status & 0x7f
            if signal == 0x7f {
                _ = systemKill(processID, SIGCONT)
                return nil
            }
            reaped = signal == 0 ? (status >> 8) & 0xff : 128 + signal
            return reaped
        }
    }

    /// Kills the shell; what it started goes on.
    func kill() {
        reapedStatus.withLock { reaped in
            if reaped == nil { _ = systemKill(processID, SIGKILL) }
        }
    }

    /// Sends a signal to what runs in the foreground of the terminal.
    func signalForeground(_ number: Int32) {
        let group = platform_foreground_process_group(terminal)
        if group > 0 { _ = systemKill(-group, number) }
    }

    /// Kills what runs in the foreground of the terminal, with all that it started: the shell itself when it is busy
    /// without a program.
    func killForeground() {
        let group = platform_foreground_process_group(terminal)
        guard group > 0, group != processID else { return signalForeground(SIGKILL) }
        for member in ProcessTable.members(ofGroup: group) {
            for process in ProcessTable.descendants(of: member) { _ = systemKill(process, SIGKILL) }
        }
        signalForeground(SIGKILL)
    }

    /// Ends the shell and all processes of its session, and reaps it.
    ///
    /// One that became another user's, by `exec sudo` for example, is left to the end of its terminal.
    func terminate() {
        signalForeground(SIGKILL)
        reapedStatus.withLock { reaped in
            guard reaped == nil else { return }
            _ = systemKill(-processID, SIGKILL)
            // Its jobs have process groups of their own. While it isn't reaped no other session can have its number.
            for process in ProcessTable.members(ofSession: processID) { _ = systemKill(process, SIGKILL) }
            guard systemKill(processID, SIGKILL) == 0 || errno != EPERM else { return }
            while waitpid(processID, nil, 0) < 0, errno == EINTR {}
            reaped = 128 + SIGKILL
        }
    }
}

/// `kill` of the C library, which a method of the same name would hide.
private func systemKill(_ process: pid_t, _ number: Int32) -> Int32 {
    kill(process, number)
}

/// Lends strings as a null-terminated array of C strings.
func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}
