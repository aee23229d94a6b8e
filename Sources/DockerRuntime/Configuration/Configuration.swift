public import DockerEngine

extension DockerRuntime {
    /// What a runtime's container is made of, and what it may do.
    ///
    /// The defaults are safe. ``init(environment:)`` and ``init(contentsOfFile:environment:)`` take the settings of the
    /// reference by their names.
    public struct Configuration: Sendable {
        // MARK: Image and server

        /// The image that the sandbox runs; any Linux image with a shell.
        ///
        /// It is pulled as ``pullPolicy`` says.
        public var image: String
        /// When the image is pulled.
        public var pullPolicy = ImagePullPolicy.whenMissing
        /// What the image's registry asks for; nil for what `docker login` has left, see `RegistryCredentialStore`.
        public var registryCredentials: RegistryCredentials?
        /// What is done to the image first.
        public var imagePreparation = ImagePreparation.inject
        /// The platform of the image, such as `linux/arm64`; the engine's own if nil.
        public var platform: String?
        /// The engine; nil for the one that the docker command would use, by the environment.
        public var endpoint: DockerEndpoint?
        /// The program of the execution server; nil to look for it with `ServerBinary.find`.
        public var serverBinary: String?
        /// Before the session id in the container's name.
        ///
        /// `openhands-runtime-` is the reference's.
        public var containerNamePrefix = "swift-docker-runtime-"

        /// What requests to the server must carry; nil for a key of the runtime's own making.
        ///
        /// For a container that others are to attach to, who are told the key. It is 16 characters long at least.
        public var sessionAPIKey: String?

        // MARK: What runs

        /// Where the shell starts; made in the container when it is missing.
        public var workingDirectory = "/workspace"
        /// The user that all runs as, as `name`, `uid`, `name:group` or `uid:gid`; the image's if nil.
        ///
        /// A user by number gets a working directory of its own; another must be able to make it, or find it there.
        public var user: String?
        /// Variables of the container's environment.
        ///
        /// `docker inspect` shows them: no place for secrets.
        public var environment: [String: String] = [:]
        /// Variables that the shell, the Python interpreter and `.bashrc` get once the server is ready.
        ///
        /// They go over the connection to the server, and `docker inspect` doesn't show them.
        public var initialEnvironment: [String: String] = [:]
        /// Whom git names as the author; nil leaves git alone.
        public var gitIdentity: GitIdentity? = GitIdentity()
        /// What the agent has beside the shell.
        public var plugins: Set<Plugin> = []
        /// Whether programs in the container see `DEBUG=true`.
        public var isDebug = false
        /// Gets each line that the container writes: the server's, not those of commands.
        public var containerLogHandler: ContainerLogHandler?

        // MARK: Network

        /// How this process talks to the server in the container.
        public var transport = Transport.automatic
        /// Where the directories with the Unix sockets are made; nil for the system's temporary directory.
        ///
        /// The path must be short, as sockets have it, and one that the engine sees too.
        public var socketDirectory: String?
        /// Whether the container has no network at all, and no more than a loopback interface of its own.
        ///
        /// Its server is reached over a Unix socket then.
        public var isOffline = false
        /// The address of this machine that ports are published on.
        public var bindingAddress = "127.0.0.1"
        /// Who chooses the ports.
        public var portPolicy = PortPolicy.engine
        /// The port that the editor must have; chosen like the others if nil.
        public var editorPort: Int?
        /// Whether two ports for what the agent serves are published; see ``DockerRuntime/webHosts``.
        public var publishesAppPorts = false
        /// Whether the container has the host's network instead of one of its own, and so is no border for it.
        public var usesHostNetwork = false
        /// Networks of the engine that the container is in beside its own, from before it starts.
        public var additionalNetworks: [String] = []
        /// Where this process reaches the published ports, as `http://HOST`; found out by the engine's endpoint if nil.
        public var runtimeURL: String?
        /// The host by which people reach the published ports, in ``DockerRuntime/webHosts``; as `runtimeURL` if nil.
        public var hostAddress: String?

        // MARK: Files and devices

        /// What the sandbox sees of the host.
        public var mounts: [SandboxMount] = []
        /// Where the changes go that sandboxes make in overlays: the reference's `SANDBOX_VOLUME_OVERLAYS`.
        public var overlayDirectory: String?
        /// Whether a mount may give the sandbox the engine's socket, and so the whole machine.
        public var allowsEngineSocket = false
        /// The GPUs that the container gets; none if nil.
        public var gpus: GPUDevices?

        // MARK: Limits

        /// What the container may use.
        public var limits = Limits()
        /// Capabilities that root in the container has; all others are dropped.
        public var capabilities = Self.shellCapabilities
        /// What else the engine is asked for.
        public var options = ContainerOptions()
        /// Members of the Engine API's `HostConfig`, put over all the rest as RFC 7396 defines.
        ///
        /// It can undo every protection.
        public var hostConfigurationOverlay: JSONValue?

        // MARK: Time

        /// Seconds that an action gets when it names none.
        public var defaultTimeout = 120.0
        /// Seconds without output after which an observation comes back before its command has ended.
        public var noChangeTimeout = 10.0
        /// Seconds in which the server must be ready once its container runs.
        public var startTimeout = 120.0
        /// Seconds after which the container ends when this process is gone.
        public var lease = 60.0

        // MARK: End

        /// What ``DockerRuntime/close()`` does.
        public var closing = Closing()

        /// Makes a configuration with the defaults for an image.
        public init(image: String) {
            self.image = image
        }

        /// What a shell and a package manager need as root: files and processes of other users, and becoming one of them.
        public static let shellCapabilities = [
            "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT",
        ]
    }
}
