public import Foundation

/// A program that a test runs as a user would, its output going to a file.
///
/// For use by one task. Not Foundation's `Process`, which on Linux takes a child for running as long as any process that
/// was started meanwhile lives.
public final class ChildProcess: Sendable {
    /// The process's number.
    public let id: Int32
    private let output: URL

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - output: the file for what it writes.
    ///   - errors: the file for its standard error; nil for the same one.
    ///   - environment: variables beside this process's own.
    public init(
        _ program: String,
        _ arguments: [String],
        output: URL,
        errors: URL? = nil,
        environment: [String: String] = [:]
    ) throws {
        self.output = output
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let argv = ([program] + arguments).map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var number: pid_t = 0
        let error = posix_spawn(&number, program, &actions, nil, argv, envp)
        guard error == 0 else { throw SystemCallFailure(call: "posix_spawn \(program)", number: error) }
        id = number
    }

    /// What it has written so far.
    public var text: String {
        (try? Data(contentsOf: output)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Waits until it has written something, or has ended without.
    public func waits(for text: String) async throws {
        try await until { self.text.contains(text) || !isRunning(id) }
    }

    /// Sends it a signal; only before ``exitStatus()`` has returned.
    public func signal(_ number: Int32) {
        _ = kill(id, number)
    }

    /// Waits for its end, once.
    ///
    /// - Returns: its status, or 128 and the number of the signal that ended it, as a shell has it.
    public func exitStatus() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [id] in
                var status: Int32 = 0
                while waitpid(id, &status, 0) < 0, errno == EINTR {}
                // As WIFSIGNALED and WEXITSTATUS, which are macros.
                let signal = status & 0x7f
                continuation.resume(returning: signal == 0 ? status >> 8 & 0xff : 128 + signal)
            }
        }
    }
}
