public import DockerEngine
import Foundation

extension DockerRuntime {
    /// What a runtime's container is made of, and what it may do.
    ///
    /// The defaults are safe.
    public struct Configuration: Sendable {
        /// The image that the sandbox runs; any Linux image with a shell.
        ///
        /// It is pulled when the engine doesn't have it.
        public var image: String
        /// The engine; nil for the one that the docker command would use, by the environment.
        public var endpoint: DockerEndpoint?
        /// Before the session id in the container's name.
        ///
        /// `openhands-runtime-` is the reference's.
        public var containerNamePrefix: String
        /// Where the shell starts; made in the container when it is missing.
        public var workingDirectory: String
        /// Variables of the container's environment.
        ///
        /// `docker inspect` shows them: no place for secrets.
        public var environment: [String: String]
        /// The program of the execution server; nil to look for it with `ServerBinary.find`.
        public var serverBinary: String?
        /// The address of this machine that the server's port is published on; the port is the engine's choice.
        public var bindingAddress: String
        /// Seconds that an action gets when it names none.
        public var defaultTimeout: Double
        /// Seconds without output after which an observation comes back before its command has ended.
        public var noChangeTimeout: Double
        /// Seconds after which the container ends when this process is gone.
        public var lease: Double
        /// What the container may use.
        public var limits: Limits
        /// Capabilities that root in the container has; all others are dropped.
        public var capabilities: [String]

        /// Makes a configuration with the defaults for an image.
        public init(image: String) {
            self.image = image
            endpoint = nil
            containerNamePrefix = "swift-docker-runtime-"
            workingDirectory = "/workspace"
            environment = [:]
            serverBinary = nil
            bindingAddress = "127.0.0.1"
            defaultTimeout = 120
            noChangeTimeout = 10
            lease = 60
            limits = Limits()
            capabilities = Self.shellCapabilities
        }

        /// What a shell and a package manager need as root: files and processes of other users, and becoming one of them.
        public static let shellCapabilities = [
            "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT",
        ]
    }

    /// What a container may use.
    public struct Limits: Sendable, Hashable {
        /// Bytes of memory, swap included; a process that wants more is killed.
        ///
        /// Nil for no limit.
        public var memory: Int?
        /// Processes and threads at a time.
        ///
        /// Nil for no limit.
        public var processes: Int?
        /// Processors, in parts too.
        ///
        /// Nil for all.
        public var processors: Double?
        /// Bytes of the container's log that the engine keeps.
        public var log: Int

        /// Makes limits with the defaults: 4 GiB of memory, 4096 processes, all processors, 10 MiB of log.
        public init() {
            memory = 4 << 30
            processes = 4096
            processors = nil
            log = 10 << 20
        }
    }
}
