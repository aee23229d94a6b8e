import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// What many commands, and commands that take all there is, leave behind.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ShellEnduranceTests {
    #if os(Linux)
    /// What a process holds.
    private struct Holdings: Equatable {
        var descriptors: Int
        var children: Int
        var controlFiles: Int

        init(of process: pid_t, directory: String) throws {
            let manager = FileManager.default
            descriptors = try manager.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
            children = ProcessTable.descendants(of: process).count
            controlFiles = try manager.contentsOfDirectory(atPath: directory).count
        }
    }

    /// Kilobytes of memory that a process has: proc_pid_status(5).
    private func residentMemory(of process: pid_t) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    @Test("Commands in a row leave memory, descriptors, processes and files where they were")
    func manyCommands() async throws {
        // COMMANDS asks for more.
        let count = ProcessInfo.processInfo.environment["COMMANDS"].flatMap { Int($0) } ?? 1000
        try await withTemporaryDirectory { root in
            let socket = root + "/socket"
            let arguments = ["--unix-socket", socket, "--working-dir", root + "/work"]
            try await withServerProcess(arguments, environment: ["HOME": root, "TMPDIR": root]) { server in
                _ = try server.firstLine()
                let client = try await TestClient(.unix(path: socket))
                func run(_ numbers: Range<Int>) async throws {
                    for number in numbers {
                        let background = number % 10 == 0 ? "(true &); " : ""
                        let command = "\(background)x=\(number); echo $x; (exit \(number % 100))"
                        #expect(try await client.run(command) == "\(number)")
                    }
                }
                // What the first ones take, they keep.
                try await run(0..<count / 2)
                let process = server.process.processIdentifier
                try await eventually { ProcessTable.descendants(of: process).count == 1 }
                let before = try (Holdings(of: process, directory: root), residentMemory(of: process))
                try await run(count / 2..<count)
                try await eventually { ProcessTable.descendants(of: process).count == 1 }
                let after = try (Holdings(of: process, directory: root), residentMemory(of: process))
                #expect(after.0 == before.0)
                // What an allocator holds back.
                #expect(after.1 - before.1 < 1024, "\(before.1) kB became \(after.1) kB")
            }
        }
    }
    #endif

    @Test(
        "A program that takes more memory than it may ends, and the shell and its state stay",
        arguments: TestShell.all
    )
    func outOfMemory(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("x=kept")
            let command = "(ulimit -v 60000; dd if=/dev/zero of=/dev/null bs=1000000000 count=1)"
            let observation = try await fixture.run(command)
            #expect(observation.metadata.exitCode != 0)
            #expect(observation.metadata.exitCode != -1)
            try await fixture.expect("echo $x", "kept")
        }
    }
}
