import CPlatform
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How a process ended.
enum ProcessEnd: Equatable, Sendable {
    case exited(code: Int32)
    case killed(signal: Int32)

    /// What `waitpid` says of a process that has ended.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(code: (waitStatus >> 8) & 0xff) : .killed(signal: signal)
    }
}

/// A Python interpreter in a session of its own, so that no key of the shell's terminal reaches it; the channel is closed
/// when it is let go.
final class KernelProcess: Sendable {
    let processID: pid_t
    /// Our end of the kernel's channel; doesn't block.
    let channel: Int32
    private let end = Mutex<ProcessEnd?>(nil)

    /// Starts an interpreter.
    ///
    /// - Parameter output: becomes its standard output and error; must block.
    init(
        interpreter: String,
        arguments: [String],
        environment: [String: String],
        output: Int32
    ) throws(SystemError) {
        let operation = "start \(interpreter)"
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemError("open /dev/null") }
        defer { _ = close(input) }
        let (ours, theirs) = try Self.makeChannel()
        defer { _ = close(theirs) }
        var step = platform_spawn_step_fork
        processID = withCStrings([interpreter] + arguments) { argv in
            withCStrings(environment.map { "\($0)=\($1)" }) { envp in
                interpreter.withCString { path in
                    var request = platform_spawn_request()
                    request.path = path
                    request.arguments = argv
                    request.environment = envp
                    request.terminal = -1
                    request.input = input
                    request.output = output
                    request.channel = theirs
                    return platform_spawn(&request, &step)
                }
            }
        }
        channel = ours
        guard processID > 0 else {
            let error = SystemError(operation)
            // The initialiser fails with all properties set, so that `deinit` closes the channel.
            throw error
        }
        OwnedChildren.insert(processID)
    }

    deinit {
        if processID > 0 { OwnedChildren.remove(processID) }
        _ = close(channel)
    }

    /// Two connected sockets that no program inherits, the first of which doesn't block.
    private static func makeChannel() throws(SystemError) -> (ours: Int32, theirs: Int32) {
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, stream, 0, &ends) == 0 else { throw SystemError("make a pair of sockets") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        #if canImport(Darwin)
        var on: Int32 = 1
        _ = setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
        return (ends[0], ends[1])
    }

    /// Sends, as far as there is room.
    ///
    /// - Returns: the bytes that were taken, or -1 as `send` does.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
        systemSend(channel, bytes.baseAddress, bytes.count, 0)
        #else
        systemSend(channel, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }

    /// How the process ended, once it has; reaps it.
    func ended() -> ProcessEnd? {
        end.withLock { end in
            if let end { return end }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG) == processID else { return nil }
            end = ProcessEnd(waitStatus: status)
            return end
        }
    }

    /// Interrupts the cell, and the programs that it runs, as Control-C at a terminal does.
    func interrupt() {
        end.withLock { if $0 == nil { _ = kill(-processID, SIGINT) } }
    }

    /// Kills the interpreter and all processes of its session, and reaps it.
    func terminate() {
        end.withLock { end in
            guard end == nil else { return }
            _ = kill(-processID, SIGKILL)
            // While it isn't reaped no other session can have its number.
            for process in ProcessTable.members(ofSession: processID) { _ = kill(process, SIGKILL) }
            while waitpid(processID, nil, 0) < 0, errno == EINTR {}
            end = .killed(signal: SIGKILL)
        }
    }
}

/// `send` of the C library, which a method of the same name would hide.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
