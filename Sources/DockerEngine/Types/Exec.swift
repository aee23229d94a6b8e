/// A program to run in a container that already runs.
public struct ExecRequest: Codable, Sendable, Hashable {
    /// The program and its arguments.
    public var command: [String]
    /// More environment, as `NAME=value`.
    public var environment: [String]?
    /// The directory to run in.
    public var workingDirectory: String?
    /// The user to run as.
    public var user: String?
    /// Whether it may do nearly all that the host may.
    public var isPrivileged: Bool?
    /// Whether its output is a terminal.
    public var tty: Bool?
    /// Whether its output is wanted.
    public var attachStdout: Bool?
    /// Whether its error output is wanted.
    public var attachStderr: Bool?

    /// Creates a request.
    public init(
        command: [String],
        environment: [String]? = nil,
        workingDirectory: String? = nil,
        user: String? = nil,
        isPrivileged: Bool? = nil,
        tty: Bool? = nil,
        attachStdout: Bool? = nil,
        attachStderr: Bool? = nil
    ) {
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.isPrivileged = isPrivileged
        self.tty = tty
        self.attachStdout = attachStdout
        self.attachStderr = attachStderr
    }

    private enum CodingKeys: String, CodingKey {
        case command = "Cmd"
        case environment = "Env"
        case workingDirectory = "WorkingDir"
        case user = "User"
        case isPrivileged = "Privileged"
        case tty = "Tty"
        case attachStdout = "AttachStdout"
        case attachStderr = "AttachStderr"
    }
}

/// What became of such a program.
public struct ExecInspection: Codable, Sendable, Hashable {
    /// The id.
    public var id: String
    /// The container that it runs in.
    public var containerID: String?
    /// Whether it runs.
    public var isRunning: Bool
    /// The code that it ended with, once it has.
    public var exitCode: Int?
    /// The process on the host.
    public var pid: Int?

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case containerID = "ContainerID"
        case isRunning = "Running"
        case exitCode = "ExitCode"
        case pid = "Pid"
    }
}
