#if os(Linux)
import CurlHTTP
import DockerEngine
import Foundation
import TestSupport
import Testing

/// A Docker Engine of a test's own, which it may kill: `dockerd` and `containerd` with directories and a bridge of their own, and
/// no firewall rules, so that it gets in no other's way.
///
/// It takes root, or `sudo` without a password.
final class TestEngine: Sendable {
    let endpoint: DockerEndpoint
    let client: DockerEngineClient
    private let directory: URL
    private let options: [String]

    /// Lends an engine with the image without bash.
    ///
    /// - Parameter restoresLive: whether containers go on without it, and are found again by the next.
    static func withEngine(
        restoresLive: Bool,
        from source: DockerEngineClient,
        _ body: (TestEngine) async throws -> Void
    ) async throws {
        try await withNetworkBridge { bridge in
            try await withEngine(bridge: bridge, restoresLive: restoresLive, from: source, body)
        }
    }

    private static func withEngine(
        bridge: String,
        restoresLive: Bool,
        from source: DockerEngineClient,
        _ body: (TestEngine) async throws -> Void
    ) async throws {
        // Short: the path of a Unix socket has about a hundred bytes.
        let directory = URL(fileURLWithPath: "/tmp/engine-\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        let engine = try TestEngine(directory, bridge: bridge, restoresLive: restoresLive)
        let containerd = try await engine.startContainerd()
        let result: Result<Void, any Error>
        do {
            try await engine.start()
            let archive = try await source.saveImage(TestEnvironment.imageWithoutBash).collect(upTo: 64 << 20)
            _ = try await engine.client.loadImages(.bytes(archive))
            result = .success(try await body(engine))
        } catch {
            result = .failure(error)
        }
        await engine.stop(signal: "TERM")
        containerd.signal(SIGTERM)
        _ = await containerd.exitStatus()
        engine.client.close()
        let removal = try ChildProcess(
            Self.path("env"),
            // An engine leaves its data directory and a namespace mounted.
            Self.asRoot + ["/bin/sh", "-c", Self.removal, "sh", directory.path],
            output: URL(fileURLWithPath: "/dev/null")
        )
        _ = await removal.exitStatus()
        try result.get()
    }

    private static let removal =
        #"grep -o "$1[^ ]*" /proc/mounts | sort -r | xargs -r -n 1 umount -l; rm -rf --one-file-system "$1""#

    private init(_ directory: URL, bridge: String, restoresLive: Bool) throws {
        self.directory = directory
        endpoint = DockerEndpoint(.unix(path: "\(directory.path)/docker.sock"))
        client = try DockerEngineClient(endpoint: endpoint)
        options = [
            "--host", "unix://\(directory.path)/docker.sock", "--containerd", "\(directory.path)/containerd.sock",
            "--data-root", "\(directory.path)/data", "--exec-root", "\(directory.path)/exec",
            "--pidfile", "\(directory.path)/pid", "--storage-driver", "vfs", "--bridge", bridge,
            "--iptables=false", "--ip6tables=false", "--live-restore=\(restoresLive)",
        ]
    }

    private func startContainerd() async throws -> ChildProcess {
        let configuration = """
            version = 2
            root = "\(directory.path)/containerd"
            state = "\(directory.path)/containerd-state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "\(directory.path)/containerd.sock"
            """
        let file = directory.appending(path: "containerd.toml")
        try Data(configuration.utf8).write(to: file)
        let process = try launch("containerd", ["--config", file.path])
        try await until { FileManager.default.fileExists(atPath: "\(directory.path)/containerd.sock") }
        return process
    }

    /// Starts the engine, and waits until it answers.
    func start() async throws {
        let process = try launch("dockerd", options)
        try await until {
            try #require(isRunning(process.id), "dockerd has ended: \(process.text.suffix(2000))")
            do {
                try await client.ping()
                return true
            } catch is DockerEngineError {
                return false
            }
        }
        // Collects it when it ends, so that its number is its own until then.
        Task.detached { _ = await process.exitStatus() }
    }

    /// Ends the engine, and waits until it is gone.
    func stop(signal: String) async {
        guard let text = try? String(contentsOf: directory.appending(path: "pid"), encoding: .utf8),
            let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return }
        let null = URL(fileURLWithPath: "/dev/null")
        _ = await (try? ChildProcess(Self.path("env"), Self.asRoot + ["kill", "-\(signal)", "\(id)"], output: null))?
            .exitStatus()
        try? await until { !isRunning(id) }
        // A killed one leaves it.
        try? FileManager.default.removeItem(at: directory.appending(path: "pid"))
    }

    private func launch(_ program: String, _ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            Self.path("env"),
            Self.asRoot + [Self.path(program)] + arguments,
            output: directory.appending(path: "\(program).log")
        )
    }

    private static var asRoot: [String] { geteuid() == 0 ? [] : ["sudo", "--non-interactive"] }

    /// Also where the path of those who aren't root doesn't lead.
    private static func path(_ program: String) throws -> String {
        try #require(
            ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin"].map { "\($0)/\(program)" }
                .first { FileManager.default.isExecutableFile(atPath: $0) },
            "\(program) isn't there; the package docker.io has it"
        )
    }
}
#endif
