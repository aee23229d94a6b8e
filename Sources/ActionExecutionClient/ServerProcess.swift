import CPlatform
import Foundation
import Synchronization

/// The execution server as a child process, in a process group of its own: a Ctrl-C at the terminal is for its owner.
///
/// Not Foundation's `Process`, which on Linux takes a child for running as long as any process that was started meanwhile
/// lives, and keeps descriptors.
final class ServerProcess: Sendable {
    private let processID: pid_t
    /// Whether its end was collected; from then on the id may be another process's.
    private let isCollected = Mutex(false)
    private let ending = OneShot<String>()

    /// Starts the program.
    ///
    /// - Parameter log: a file for what the server writes to standard error; the end of it is told when the server exits.
    /// - Throws: ``RuntimeError/startFailed(reason:)``.
    init(binary: String, arguments: [String], environment: [String: String], log: URL) throws(RuntimeError) {
        var number: pid_t = 0
        let error = Self.withCStrings([binary] + arguments) { arguments in
            Self.withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                platform_spawn_child(binary, arguments, environment, -1, -1, log.path, &number)
            }
        }
        guard error == 0 else {
            throw .startFailed(reason: "\(binary) can't be run: \(String(cString: strerror(error)))")
        }
        processID = number
        // A thread of its own, since waiting blocks. It holds on to this object, and ends with the process.
        Thread.detachNewThread { [self] in collect(log: log) }
    }

    /// Waits for the end of the process.
    ///
    /// - Returns: how it ended.
    /// - Throws: `CancellationError`.
    func exit() async throws -> String {
        try await ending.wait()
    }

    /// Whether the process has ended.
    var hasExited: Bool { ending.current != nil }

    /// Asks the server to end, kills it when it doesn't within five seconds, and waits for its end.
    func terminate() async {
        signal(SIGTERM)
        // Not cancelled with the caller: the process must go.
        await Task { [self] in
            _ = try? await firstOf({ [self] in _ = try await exit() }) { [self] in
                try await Task.sleep(for: .seconds(5))
                signal(SIGKILL)
                _ = try await exit()
            }
        }.value
    }

    private func signal(_ number: Int32) {
        isCollected.withLock { isCollected in
            if !isCollected { _ = kill(processID, number) }
        }
    }

    // MARK: The end

    private func collect(log: URL) {
        // Looks at the end and leaves it there, so that no signal can go to another process meanwhile.
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        var status: Int32 = 0
        isCollected.withLock { isCollected in
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            isCollected = true
        }
        let words = String(decoding: ((try? Data(contentsOf: log)) ?? Data()).suffix(2000), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
        let text = "the execution server \(Self.meaning(of: status))"
        ending.set(words.isEmpty ? text : "\(text): \(words)")
    }

    /// As `WIFEXITED` and its kin, which are macros: the lowest seven bits are the signal, the next byte the status.
    private static func meaning(of status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "exited with status \(status >> 8 & 0xff)" : "was killed by signal \(signal)"
    }

    /// Lends strings as a null-terminated array, as `argv` is one.
    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
