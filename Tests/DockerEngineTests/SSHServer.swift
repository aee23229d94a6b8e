import DockerEngine
import Foundation
import TestSupport
import Testing

/// An ssh server on the loopback address with keys of its own, for whoever runs the tests.
struct SSHServer: Sendable {
    let directory: URL
    let port: Int

    private var knownHosts: String { directory.appending(path: "known_hosts").path }
    private var key: String { directory.appending(path: "client").path }

    /// The machine, with the engine that the tests use.
    var destination: SSHDestination {
        var destination = SSHDestination(host: "127.0.0.1", user: NSUserName(), port: port)
        let environment = ProcessInfo.processInfo.environment
        if case .unix(let path) = try? DockerEndpoint(environment: environment).transport {
            destination.socketPath = path
        }
        destination.options = [
            "-F", "/dev/null", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=\(knownHosts)",
        ]
        return destination
    }

    var endpoint: DockerEndpoint { DockerEndpoint(.ssh(destination)) }

    /// The processes that were started to connect to this server.
    func clients() -> [Int32] {
        let listing = try? DockerEngineTests.run("ps", "-A", "-o", "pid=", "-o", "args=")
        return (listing ?? "").split(separator: "\n")
            .filter { $0.contains(key) }
            .compactMap { Int32($0.split(separator: " ").first ?? "") }
    }

    /// Runs a server for as long as the body.
    static func run(_ body: (SSHServer) async throws -> Void) async throws {
        let program = ProcessInfo.processInfo.environment["TEST_SSHD"] ?? "/usr/sbin/sshd"
        try #require(
            FileManager.default.isExecutableFile(atPath: program),
            "this test needs an ssh server, at /usr/sbin/sshd or in TEST_SSHD; scripts/test sees to that"
        )
        try await withTemporaryDirectory { directory in
            func path(_ name: String) -> String { directory.appending(path: name).path }
            for name in ["host", "client"] {
                _ = try DockerEngineTests.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path(name))
            }
            let port = try PortListener.freePort()
            try FileManager.default.copyItem(atPath: path("client.pub"), toPath: path("authorized_keys"))
            let hostKey = try String(contentsOfFile: path("host.pub"), encoding: .utf8)
            try Data("[127.0.0.1]:\(port) \(hostKey)".utf8).write(to: directory.appending(path: "known_hosts"))
            let configuration = """
                Port \(port)
                ListenAddress 127.0.0.1
                HostKey \(path("host"))
                AuthorizedKeysFile \(path("authorized_keys"))
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                StrictModes no
                PidFile none

                """
            try Data(configuration.utf8).write(to: directory.appending(path: "config"))
            let process = try ChildProcess(
                program,
                ["-D", "-e", "-f", path("config")],
                output: directory.appending(path: "log")
            )
            try await process.waits(for: "Server listening")
            let result: Result<Void, any Error>
            do {
                try #require(process.text.contains("Server listening"), "the ssh server ended: \(process.text)")
                result = .success(try await body(SSHServer(directory: directory, port: port)))
            } catch {
                result = .failure(error)
            }
            process.signal(SIGTERM)
            _ = await process.exitStatus()
            try result.get()
        }
    }
}
