/// What a container does, in one word.
public struct ContainerStatus: RawRepresentable, Codable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The word on the wire.
    public let rawValue: String

    /// Wraps a word; unknown ones go through.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Wraps a word; unknown ones go through.
    public init(stringLiteral value: String) { rawValue = value }

    /// Made and never started.
    public static let created = ContainerStatus(rawValue: "created")
    /// It runs.
    public static let running = ContainerStatus(rawValue: "running")
    /// It is frozen.
    public static let paused = ContainerStatus(rawValue: "paused")
    /// The engine is about to start it again.
    public static let restarting = ContainerStatus(rawValue: "restarting")
    /// It is being removed.
    public static let removing = ContainerStatus(rawValue: "removing")
    /// It has ended.
    public static let exited = ContainerStatus(rawValue: "exited")
    /// A removal has failed half-way.
    public static let dead = ContainerStatus(rawValue: "dead")
}

/// The answer to the creation of a container.
public struct ContainerCreated: Codable, Sendable, Hashable {
    /// The full id.
    public var id: String
    /// What the engine did otherwise than asked.
    public var warnings: [String]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case warnings = "Warnings"
    }
}

/// All about a container: the answer to `GET /containers/{id}/json`.
public struct ContainerInspection: Codable, Sendable, Hashable {
    /// The full id.
    public var id: String
    /// The name as the engine keeps it, with a slash in front.
    public var slashedName: String
    /// When it was made, in RFC 3339.
    public var created: String
    /// The id of its image.
    public var imageID: String
    /// The program that runs.
    public var path: String?
    /// Its arguments.
    public var arguments: [String]?
    /// What it does now.
    public var state: ContainerState
    /// How often the engine started it again.
    public var restartCount: Int?
    /// The operating system.
    public var platform: String?
    /// What runs in it.
    public var configuration: ContainerConfiguration
    /// What it may use of the host.
    public var host: HostConfiguration
    /// What is mounted in it.
    public var mounts: [MountPoint]?
    /// Its addresses and ports.
    public var network: ContainerNetworkSettings

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case slashedName = "Name"
        case created = "Created"
        case imageID = "Image"
        case path = "Path"
        case arguments = "Args"
        case state = "State"
        case restartCount = "RestartCount"
        case platform = "Platform"
        case configuration = "Config"
        case host = "HostConfig"
        case mounts = "Mounts"
        case network = "NetworkSettings"
    }

    /// The name without the slash.
    public var name: String { String(slashedName.drop { $0 == "/" }) }

    /// The bindings of a port such as `8000/tcp`; empty unless it is published and the container runs.
    public func hostPorts(for port: String) -> [PortBinding] {
        (network.ports?[port] ?? nil) ?? []
    }
}

/// What a container does now.
public struct ContainerState: Codable, Sendable, Hashable {
    /// In one word.
    public var status: ContainerStatus
    /// Whether it has been started and not ended; true while paused.
    public var isRunning: Bool
    /// Whether it is frozen.
    public var isPaused: Bool
    /// Whether the engine is about to start it again.
    public var isRestarting: Bool?
    /// Whether the kernel killed a process of it for want of memory.
    ///
    /// Docker 20.10 can miss it when the first process is the one that is killed: exit code 137 with `false` here.
    public var wasOOMKilled: Bool
    /// Whether a removal has failed half-way.
    public var isDead: Bool?
    /// The process on the host; 0 when there is none.
    public var pid: Int
    /// The code that it last ended with.
    public var exitCode: Int
    /// Why it couldn't be started; empty if it could.
    public var error: String
    /// When it last started, in RFC 3339; year 1 for never.
    public var startedAt: String
    /// When it last ended, in RFC 3339; year 1 for never.
    public var finishedAt: String
    /// What the health check says.
    public var health: ContainerHealth?

    private enum CodingKeys: String, CodingKey {
        case status = "Status"
        case isRunning = "Running"
        case isPaused = "Paused"
        case isRestarting = "Restarting"
        case wasOOMKilled = "OOMKilled"
        case isDead = "Dead"
        case pid = "Pid"
        case exitCode = "ExitCode"
        case error = "Error"
        case startedAt = "StartedAt"
        case finishedAt = "FinishedAt"
        case health = "Health"
    }
}

/// What a container's health check says.
public struct ContainerHealth: Codable, Sendable, Hashable {
    /// `none`, `starting`, `healthy` or `unhealthy`.
    public var status: String
    /// The number of failures in a row.
    public var failingStreak: Int?

    private enum CodingKeys: String, CodingKey {
        case status = "Status"
        case failingStreak = "FailingStreak"
    }
}

/// The addresses and ports of a container.
public struct ContainerNetworkSettings: Codable, Sendable, Hashable {
    /// The host's ports for the container's, keyed as `8000/tcp`; not before it runs.
    public var ports: [String: [PortBinding]?]?
    /// The networks that it is in, by name.
    public var networks: [String: EndpointSettings]?
    /// The address in the default bridge; empty elsewhere.
    public var ipAddress: String?

    private enum CodingKeys: String, CodingKey {
        case ports = "Ports"
        case networks = "Networks"
        case ipAddress = "IPAddress"
    }
}

/// A container in a list.
public struct ContainerSummary: Codable, Sendable, Hashable {
    /// The full id.
    public var id: String
    /// The names as the engine keeps them, with a slash in front.
    public var slashedNames: [String]?
    /// The image as it was asked for.
    public var image: String
    /// The id of the image.
    public var imageID: String
    /// The command line.
    public var command: String?
    /// When it was made, in seconds since 1970.
    public var created: Int
    /// What it does now, in one word.
    public var status: ContainerStatus
    /// The same for people, such as `Up 5 minutes`.
    public var statusText: String?
    /// Its labels.
    public var labels: [String: String]?
    /// Its ports.
    public var ports: [ContainerPort]?
    /// What is mounted in it.
    public var mounts: [MountPoint]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case slashedNames = "Names"
        case image = "Image"
        case imageID = "ImageID"
        case command = "Command"
        case created = "Created"
        case status = "State"
        case statusText = "Status"
        case labels = "Labels"
        case ports = "Ports"
        case mounts = "Mounts"
    }

    /// The names without the slash; those given by links to it come with the other container's name.
    public var names: [String] { (slashedNames ?? []).map { String($0.drop { $0 == "/" }) } }
}

/// A port of a container in a list.
public struct ContainerPort: Codable, Sendable, Hashable {
    /// The host's address, if published.
    public var ip: String?
    /// The port in the container.
    public var privatePort: Int
    /// The port of the host, if published.
    public var publicPort: Int?
    /// `tcp`, `udp` or `sctp`.
    public var kind: String

    private enum CodingKeys: String, CodingKey {
        case ip = "IP"
        case privatePort = "PrivatePort"
        case publicPort = "PublicPort"
        case kind = "Type"
    }
}

/// A path in a container: the header `X-Docker-Container-Path-Stat`.
public struct PathStatus: Codable, Sendable, Hashable {
    /// The last part of the path.
    public var name: String
    /// The size in bytes.
    public var size: Int
    /// Kind and permissions, as Go's `io/fs.FileMode` has them.
    public var mode: UInt32
    /// When it was last changed, in RFC 3339.
    public var modified: String
    /// Where a symbolic link points to.
    public var linkTarget: String

    private enum CodingKeys: String, CodingKey {
        case name = "name"
        case size = "size"
        case mode = "mode"
        case modified = "mtime"
        case linkTarget = "linkTarget"
    }

    /// Whether it is a directory: the highest bit of Go's mode.
    public var isDirectory: Bool { mode & (1 << 31) != 0 }
    /// The permissions, as of `chmod(2)`, without the three highest bits.
    public var permissions: UInt32 { mode & 0o777 }
}
