public import DockerEngine
import Foundation

/// An ssh server on the loopback address with keys of its own, for whoever runs the tests.
public struct SSHServer: Sendable {
    /// The port that it listens at.
    public let port: Int
    private let directory: URL

    private var knownHosts: String { directory.appending(path: "known_hosts").path }
    private var key: String { directory.appending(path: "client").path }

    /// The machine, with the engine that the tests use.
    public var destination: SSHDestination {
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

    /// The same as an endpoint.
    public var endpoint: DockerEndpoint { DockerEndpoint(.ssh(destination)) }

    /// The processes that were started to connect to this server.
    public func clients() async throws -> [Int32] {
        try await Self.output(of: "ps -A -o pid= -o args=", in: directory).split(separator: "\n")
            .filter { $0.contains(key) }
            .compactMap { Int32($0.split(separator: " ").first ?? "") }
    }

    /// What a command of the shell writes.
    private static func output(of command: String, in directory: URL) async throws -> String {
        let file = directory.appending(path: "output-\(UInt64.random(in: .min ... .max))")
        let process = try ChildProcess("/bin/sh", ["-c", command], output: file)
        guard await process.exitStatus() == 0 else {
            throw TestEnvironment.Missing(description: "\(command): \(process.text)")
        }
        return process.text
    }

    /// Runs a server for as long as the body.
    ///
    /// - Throws: ``TestEnvironment/Missing`` when there is none.
    public static func run(_ body: (SSHServer) async throws -> Void) async throws {
        let program = ProcessInfo.processInfo.environment["TEST_SSHD"] ?? "/usr/sbin/sshd"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw TestEnvironment.Missing(
                description:
                    "\(program), an ssh server, isn't there. Run ./scripts/test, which sees to it, or set TEST_SSHD."
            )
        }
        try await withTemporaryDirectory { directory in
            func path(_ name: String) -> String { directory.appending(path: name).path }
            for name in ["host", "client"] {
                _ = try await output(of: "ssh-keygen -q -t ed25519 -N '' -f '\(path(name))'", in: directory)
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
                guard process.text.contains("Server listening") else {
                    throw TestEnvironment.Missing(description: "the ssh server ended: \(process.text)")
                }
                result = .success(try await body(SSHServer(port: port, directory: directory)))
            } catch {
                result = .failure(error)
            }
            process.signal(SIGTERM)
            _ = await process.exitStatus()
            try result.get()
        }
    }
}
