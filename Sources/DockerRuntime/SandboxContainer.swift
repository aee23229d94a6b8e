import DockerEngine
import EventStream

/// Describes a sandbox's container to the engine.
struct SandboxContainer: Sendable {
    /// Where the volume with the server's program is mounted.
    static let serverDirectory = "/.action-execution-server"

    var configuration: DockerRuntime.Configuration
    var sessionID: String
    /// What brings the server; nil when the image has it.
    var serverVolume: ServerVolume?
    var ports: SandboxPorts
    var mountPlan: MountPlan
    var address: SandboxAddress
    /// Where the server's Unix socket is; nil over TCP.
    var socket: SocketDirectory?
    /// What requests to the server must carry.
    ///
    /// The container is told its digest only: who inspects it, or looks around in it, learns nothing.
    var sessionAPIKey: String
    /// From what the key is derived, on a container that outlives its runtime.
    var keyOrigin: String?
    /// Whether one of our runtimes made it.
    var isOurs = true
    /// Whether the server takes requests without a key, as the reference's does.
    var isKeyless = false

    var name: String { configuration.containerNamePrefix + sessionID }

    /// The request that makes the container.
    var request: ContainerRequest {
        ContainerRequest(
            configuration: process,
            host: host,
            hostConfigurationOverlay: configuration.hostConfigurationOverlay,
            platform: configuration.platform
        )
    }

    /// What runs in the container.
    private var process: ContainerConfiguration {
        var container = ContainerConfiguration()
        container.image = configuration.image
        container.entrypoint = ["\(Self.serverDirectory)/\(ServerVolume.programName)"]
        container.command = command
        container.environment = environment.map { "\($0)=\($1)" }.sorted()
        container.user = configuration.user
        container.hostname = configuration.options.hostname
        // The server makes the working directory; the engine must not do it, as root and for another user.
        container.workingDirectory = "/"
        if case .useAsIs(let start) = configuration.imagePreparation {
            OwnServerProcess(start: start, configuration: configuration, port: ports.server.container)
                .apply(to: &container)
        }
        container.labels = configuration.options.labels.merging(
            [Labels.owner: Owner.name, Labels.session: sessionID, Labels.role: Labels.sandboxRole]
        ) { $1 }
        if configuration.closing.keepsContainer { container.labels?[Labels.kept] = keyOrigin ?? "" }
        if !configuration.usesHostNetwork, !ports.all.isEmpty {
            container.exposedPorts = Dictionary(ports.all.map { ($0.key, EmptyObject()) }) { first, _ in first }
        }
        container.stopSignal = "SIGTERM"
        return container
    }

    /// The server's arguments.
    private var command: [String] {
        // In a network of its own the engine decides who reaches the port; in the host's, the server does.
        let host = configuration.usesHostNetwork ? configuration.bindingAddress : "0.0.0.0"
        // The socket's directory decides who reaches it, on either side.
        let unixSocket = ["--unix-socket", SocketDirectory.serverPath, "--unix-socket-mode", "666"]
        var command = socket == nil ? [String(ports.server.container), "--host", host] : unixSocket
        command += [
            "--working-dir", configuration.workingDirectory,
            "--session-api-key-sha256", SHA256.hexadecimal(SHA256.digest(sessionAPIKey)),
            "--lease", String(configuration.lease),
            "--no-change-timeout", String(configuration.noChangeTimeout),
        ]
        for name in address.serverNames { command += ["--allowed-host", name] }
        if !configuration.plugins.isEmpty { command += ["--plugins"] + configuration.plugins.map(\.rawValue).sorted() }
        return command
    }

    /// The container's variables: what is configured wins, also over what programs are told of the ports.
    private var environment: [String: String] {
        var variables = ports.environment
        // Output shows as it comes, and a Debian's pip installs: in a sandbox there is nothing that it could break.
        variables["PYTHONUNBUFFERED"] = "1"
        variables["PIP_BREAK_SYSTEM_PACKAGES"] = "1"
        if configuration.isDebug { variables["DEBUG"] = "true" }
        return variables.merging(configuration.environment) { $1 }
    }

    /// What the container gets of the host, and what not.
    private var host: HostConfiguration {
        var host = HostConfiguration()
        configuration.options.apply(to: &host)
        let server = serverVolume.map { [$0.mount(at: Self.serverDirectory, isReadOnly: true)] } ?? []
        host.mounts = server + (socket.map { [$0.mount] } ?? []) + mountPlan.mounts
        host.binds = mountPlan.binds.isEmpty ? nil : mountPlan.binds
        if configuration.usesHostNetwork {
            host.networkMode = "host"
        } else {
            if configuration.isOffline { host.networkMode = "none" }
            host.portBindings = ports.bindings(address: configuration.bindingAddress)
        }
        host.deviceRequests = configuration.gpus.map { [$0.request] }
        host.memory = configuration.limits.memory
        host.memorySwap = configuration.limits.memoryAndSwap ?? configuration.limits.memory
        host.pidsLimit = configuration.limits.processes
        host.nanoCPUs = configuration.limits.processors.map { Int($0 * 1e9) }
        host.capDrop = ["ALL"]
        host.capAdd = configuration.capabilities
        // With its process, the container goes: also when nobody is left to remove it. One that is kept is started again.
        host.autoRemove = !configuration.closing.keepsContainer
        host.logConfig = LogConfiguration(
            type: "json-file",
            options: ["max-size": String(configuration.limits.log), "max-file": "1"]
        )
        return host
    }
}
