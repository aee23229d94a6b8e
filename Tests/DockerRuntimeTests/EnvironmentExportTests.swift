import ActionExecutionClient
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// The code that gives a sandbox its variables, in real shells.
@Suite(.timeLimit(.minutes(5)))
struct EnvironmentExportTests {
    /// Values that a shell could take for something else.
    private static let variables = [
        "PLAIN": "value", "EMPTY": "", "QUOTES": #"it's "so""#, "DOLLAR": "$HOME `id` $(id) !! \\n",
        "LINES": "one\ntwo\n", "UNICODE": "grüße 😀 \u{1}", "lower": "case",
    ]

    /// What a program that runs a script sees of the variables.
    private func seen(_ program: String, _ script: String, home: URL) async throws -> [String: String] {
        let output = home.appending(path: "output-\(UInt64.random(in: .min ... .max))")
        let process = try ChildProcess(
            "/usr/bin/env",
            ["-i", "PATH=/usr/bin:/bin", "HOME=\(home.path)", program, "-c", script],
            output: output
        )
        #expect(await process.exitStatus() == 0)
        var seen: [String: String] = [:]
        for entry in process.text.split(separator: "\0") {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            seen[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return seen.filter { Self.variables.keys.contains($0.key) }
    }

    @Test("Values reach a shell as they are", arguments: ["bash", "dash"])
    func shell(_ shell: String) async throws {
        try await withTemporaryDirectory { home in
            let export = EnvironmentExport(Self.variables)
            let seen = try await self.seen(shell, "\(export.shellCommand)\nexec env -0", home: home)
            #expect(seen == Self.variables)
        }
    }

    @Test("Values reach later shells, also when they are added again", arguments: ["bash", "dash"])
    func startupFile(_ shell: String) async throws {
        try await withTemporaryDirectory { home in
            let file = home.appending(path: ".bashrc")
            try Data("# mine\nexport PLAIN=mine\n".utf8).write(to: file)
            let command = EnvironmentExport(Self.variables).startupFileCommand
            _ = try await seen(shell, "\(command)\n\(command)", home: home)
            var expected = Self.variables
            // What the file says already counts.
            expected["PLAIN"] = "mine"
            let later = try await seen(shell, ". ~/.bashrc\nexec env -0", home: home)
            #expect(later == expected)
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text.hasPrefix("# mine\n"))
            #expect(text.ranges(of: "export QUOTES=").count == 1)
        }
    }

    @Test("Git has the identity: in a new configuration, and in one that is there")
    func gitIdentity() async throws {
        try await withTemporaryDirectory { home in
            let identity = DockerRuntime.GitIdentity(name: #"Ada "A" O'Neil \ #;"#, email: "ada@example.com")
            func configured(_ before: String) async throws -> [String] {
                let output = home.appending(path: "out-\(before.isEmpty)")
                let process = try ChildProcess(
                    "/usr/bin/env",
                    [
                        "-i", "PATH=/usr/bin:/bin", "HOME=\(home.path)", "sh", "-c",
                        "\(before) \(identity.command)\ngit config user.name; git config user.email; git config core.editor",
                    ],
                    output: output
                )
                _ = await process.exitStatus()
                return process.text.split(separator: "\n").map(String.init)
            }
            let new = try await configured("")
            #expect(new == [identity.name, identity.email])
            let changed = try await configured("git config --global user.name x; git config --global core.editor ed;")
            #expect(changed == [identity.name, identity.email, "ed"])
        }
    }

    @Test("Only names that a shell can assign to are exported")
    func names() throws {
        for name in ["A", "_a", "a1", "PATH"] { #expect(EnvironmentVariable.isName(name)) }
        for name in ["", "1a", "a-b", "a b", "a=b", "ä", "a\n"] {
            #expect(!EnvironmentVariable.isName(name))
            var configuration = DockerRuntime.Configuration(image: "debian:12")
            configuration.initialEnvironment = [name: "hush"]
            let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
            #expect(error?.description.contains("hush") == false)
        }
    }
}
