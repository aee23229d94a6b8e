internal import CPlatform
internal import CurlHTTP
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A program that runs for us, in a process group of its own: a Ctrl-C at the terminal isn't for it.
///
/// Whoever makes one must ``collect()`` it.
final class ChildProgram: Sendable {
    /// How a program ended.
    enum Ending: Sendable, Hashable {
        case exited(status: Int32)
        case killed(signal: Int32)
    }

    private let processID: pid_t
    /// Whether its end was collected; from then on the id may be another process's.
    private let isCollected = Mutex(false)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - input: the descriptor that it reads from; nil for none.
    ///   - output: the descriptor that it writes to; nil for none.
    ///   - errors: the file that it writes errors to.
    /// - Throws: the system's error number.
    init(
        path: String,
        arguments: [String],
        environment: [String: String],
        input: Int32? = nil,
        output: Int32? = nil,
        errors: String = "/dev/null"
    ) throws(SystemCallError) {
        var number: pid_t = 0
        let error = withCStrings([path] + arguments) { arguments in
            withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                platform_spawn_child(path, arguments, environment, input ?? -1, output ?? -1, errors, &number)
            }
        }
        guard error == 0 else { throw SystemCallError(number: error) }
        processID = number
    }

    /// Waits for the end of the program, once; blocks the thread.
    func collect() -> Ending {
        // Looks at the end and leaves it there, so that no signal can go to another process meanwhile.
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        var status: Int32 = 0
        isCollected.withLock { isCollected in
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            isCollected = true
        }
        // As WIFSIGNALED and WEXITSTATUS, which are macros.
        let signal = status & 0x7f
        return signal == 0 ? .exited(status: status >> 8 & 0xff) : .killed(signal: signal)
    }

    /// Ends the program and what it has started, unless it has ended.
    func end() {
        isCollected.withLock { isCollected in
            if !isCollected { _ = kill(-processID, SIGTERM) }
        }
    }

    /// Where a program is: in the directories of `PATH`, as a shell finds it.
    static func path(of name: String, environment: [String: String]) -> String? {
        let directories = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// A failed system call.
struct SystemCallError: Error, Sendable, Hashable, CustomStringConvertible {
    var number: Int32

    /// The system's words.
    var description: String { String(cString: strerror(number)) }
}

/// Lends strings as a null-terminated array, as `argv` is one.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
) -> Result {
    let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}
