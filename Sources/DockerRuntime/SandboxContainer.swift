import DockerEngine
import EventStream

/// Describes a sandbox's container to the engine.
struct SandboxContainer {
    /// The server's port in the container.
    static let port = 30000
    /// Where the volume with the server's program is mounted.
    static let serverDirectory = "/.action-execution-server"

    var configuration: DockerRuntime.Configuration
    var sessionID: String
    var serverVolume: ServerVolume
    /// What requests to the server must carry.
    ///
    /// The container is told its digest only: who inspects it, or looks around in it, learns nothing.
    var sessionAPIKey: String

    var name: String { configuration.containerNamePrefix + sessionID }

    /// The request that makes the container.
    var request: ContainerRequest {
        ContainerRequest(configuration: process, host: host)
    }

    /// What runs in the container.
    private var process: ContainerConfiguration {
        var container = ContainerConfiguration()
        container.image = configuration.image
        container.entrypoint = ["\(Self.serverDirectory)/\(ServerVolume.programName)"]
        container.command = [
            String(Self.port), "--host", "0.0.0.0", "--working-dir", configuration.workingDirectory,
            "--session-api-key-sha256", SHA256.hexadecimal(SHA256.digest(sessionAPIKey)), "--lease",
            String(configuration.lease),
            "--no-change-timeout", String(configuration.noChangeTimeout),
        ]
        container.environment = configuration.environment.map { "\($0)=\($1)" }.sorted()
        // The server makes the working directory; the engine must not do it, as root and for another user.
        container.workingDirectory = "/"
        container.labels = [
            Labels.owner: Owner.name, Labels.session: sessionID, Labels.role: Labels.sandboxRole,
        ]
        container.exposedPorts = ["\(Self.port)/tcp": EmptyObject()]
        container.stopSignal = "SIGTERM"
        return container
    }

    /// What the container gets of the host, and what not.
    private var host: HostConfiguration {
        var host = HostConfiguration()
        host.mounts = [serverVolume.mount(at: Self.serverDirectory, isReadOnly: true)]
        host.portBindings = [
            "\(Self.port)/tcp": [PortBinding(hostIP: configuration.bindingAddress, hostPort: "")]
        ]
        host.memory = configuration.limits.memory
        host.memorySwap = configuration.limits.memory
        host.pidsLimit = configuration.limits.processes
        host.nanoCPUs = configuration.limits.processors.map { Int($0 * 1e9) }
        host.capDrop = ["ALL"]
        host.capAdd = configuration.capabilities
        host.securityOpt = ["no-new-privileges"]
        // With its process, the container goes: also when nobody is left to remove it.
        host.autoRemove = true
        host.logConfig = LogConfiguration(
            type: "json-file",
            options: ["max-size": String(configuration.limits.log), "max-file": "1"]
        )
        return host
    }
}
