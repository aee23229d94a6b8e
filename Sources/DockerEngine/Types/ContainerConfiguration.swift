/// What runs in a container, independent of the host: `ContainerConfig` of the Engine API.
///
///
/// What is `nil` is the image's or the engine's choice.
public struct ContainerConfiguration: Codable, Sendable, Hashable {
    /// The image, by reference or id.
    public var image: String?
    /// The command, or the entry point's arguments.
    public var command: [String]?
    /// The program to run, with its first arguments.
    public var entrypoint: [String]?
    /// The environment, as `NAME=value`; adds to the image's.
    public var environment: [String]?
    /// The directory to start in; made if missing.
    public var workingDirectory: String?
    /// The user, as `name`, `uid`, `name:group` or `uid:gid`.
    public var user: String?
    /// The host name; the engine's choice is the short id.
    public var hostname: String?
    /// Labels, to find the container by.
    public var labels: [String: String]?
    /// The ports that the program listens on, as `8000/tcp`.
    public var exposedPorts: [String: EmptyObject]?
    /// Paths that get an anonymous volume.
    public var volumes: [String: EmptyObject]?
    /// Whether the program's input and output are a terminal.
    public var tty: Bool?
    /// Whether the input stays open while nobody is attached.
    public var openStdin: Bool?
    /// Whether the input closes when the one who is attached leaves.
    public var stdinOnce: Bool?
    /// Whether to attach to the input.
    public var attachStdin: Bool?
    /// Whether to attach to the output.
    public var attachStdout: Bool?
    /// Whether to attach to the error output.
    public var attachStderr: Bool?
    /// The signal that stops the container, as `SIGTERM`.
    public var stopSignal: String?
    /// The seconds from that signal to `SIGKILL`.
    public var stopTimeout: Int?
    /// How the engine tests whether the container is well.
    public var healthcheck: Healthcheck?
    /// Whether the container has no network at all.
    public var networkDisabled: Bool?

    /// Creates one in which nothing is set: the engine's defaults hold.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case image = "Image"
        case command = "Cmd"
        case entrypoint = "Entrypoint"
        case environment = "Env"
        case workingDirectory = "WorkingDir"
        case user = "User"
        case hostname = "Hostname"
        case labels = "Labels"
        case exposedPorts = "ExposedPorts"
        case volumes = "Volumes"
        case tty = "Tty"
        case openStdin = "OpenStdin"
        case stdinOnce = "StdinOnce"
        case attachStdin = "AttachStdin"
        case attachStdout = "AttachStdout"
        case attachStderr = "AttachStderr"
        case stopSignal = "StopSignal"
        case stopTimeout = "StopTimeout"
        case healthcheck = "Healthcheck"
        case networkDisabled = "NetworkDisabled"
    }
}

/// How the engine tests whether a container is well: `HealthConfig` of the Engine API.
public struct Healthcheck: Codable, Sendable, Hashable {
    /// The test: `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", line]`.
    public var test: [String]?
    /// The nanoseconds between tests.
    public var interval: Int?
    /// The nanoseconds that a test may take.
    public var timeout: Int?
    /// The nanoseconds in which failures don't count.
    public var startPeriod: Int?
    /// The failures in a row that make the container unhealthy.
    public var retries: Int?

    /// Creates one in which nothing is set: the engine's defaults hold.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case test = "Test"
        case interval = "Interval"
        case timeout = "Timeout"
        case startPeriod = "StartPeriod"
        case retries = "Retries"
    }
}

/// An empty JSON object, which the Engine API uses as the value of sets.
public struct EmptyObject: Codable, Sendable, Hashable {
    /// Creates one.
    public init() {}
}
