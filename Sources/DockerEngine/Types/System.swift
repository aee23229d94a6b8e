/// The engine's versions: the answer to `GET /version`.
public struct EngineVersion: Codable, Sendable, Hashable {
    /// The engine's version.
    public var version: String
    /// The highest version of the Engine API that it speaks.
    public var apiVersion: String
    /// The lowest one.
    public var minimumAPIVersion: String?
    /// The operating system.
    public var os: String?
    /// The processor, such as `amd64`.
    public var architecture: String?
    /// The kernel's version.
    public var kernelVersion: String?
    /// What the engine is made of.
    public var components: [Component]?

    /// A part of an engine.
    public struct Component: Codable, Sendable, Hashable {
        /// The name, such as `Engine` or `Podman Engine`.
        public var name: String
        /// Its version.
        public var version: String

        private enum CodingKeys: String, CodingKey {
            case name = "Name"
            case version = "Version"
        }
    }

    /// Whether it is Podman that answers.
    var isPodman: Bool { components?.contains { $0.name.hasPrefix("Podman") } ?? false }

    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case apiVersion = "ApiVersion"
        case minimumAPIVersion = "MinAPIVersion"
        case os = "Os"
        case architecture = "Arch"
        case kernelVersion = "KernelVersion"
        case components = "Components"
    }
}

/// The engine and its host: the answer to `GET /info`.
public struct EngineInformation: Codable, Sendable, Hashable {
    /// The engine's id.
    public var id: String?
    /// The host's name.
    public var name: String?
    /// The engine's version.
    public var serverVersion: String
    /// The operating system, for people.
    public var operatingSystem: String
    /// The operating system, such as `linux`.
    public var osType: String
    /// The processor, such as `x86_64`.
    public var architecture: String
    /// The kernel's version.
    public var kernelVersion: String?
    /// The number of processors.
    public var cpuCount: Int
    /// The memory in bytes.
    public var memoryTotal: Int
    /// The number of containers.
    public var containers: Int
    /// The number of those that run.
    public var containersRunning: Int
    /// The number of images.
    public var images: Int
    /// The storage driver.
    public var storageDriver: String
    /// Where the engine keeps its data, on its host.
    public var rootDirectory: String?
    /// The log driver unless a container says otherwise.
    public var loggingDriver: String?
    /// `1` or `2`.
    public var cgroupVersion: String?
    /// `cgroupfs`, `systemd` or `none`.
    public var cgroupDriver: String?
    /// The OCI runtimes, by name.
    public var runtimes: [String: OCIRuntime]?
    /// The name of the one that is used unless a container says otherwise.
    public var defaultRuntime: String?
    /// The security features in use, such as `name=seccomp,profile=default` and `name=rootless`.
    public var securityOptions: [String]?
    /// Whether memory can be limited.
    public var hasMemoryLimit: Bool?
    /// Whether swap can be limited.
    public var hasSwapLimit: Bool?
    /// Whether processes can be limited.
    public var hasPidsLimit: Bool?
    /// What the engine finds wrong with its host.
    public var warnings: [String]?

    private enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name = "Name"
        case serverVersion = "ServerVersion"
        case operatingSystem = "OperatingSystem"
        case osType = "OSType"
        case architecture = "Architecture"
        case kernelVersion = "KernelVersion"
        case cpuCount = "NCPU"
        case memoryTotal = "MemTotal"
        case containers = "Containers"
        case containersRunning = "ContainersRunning"
        case images = "Images"
        case storageDriver = "Driver"
        case rootDirectory = "DockerRootDir"
        case loggingDriver = "LoggingDriver"
        case cgroupVersion = "CgroupVersion"
        case cgroupDriver = "CgroupDriver"
        case runtimes = "Runtimes"
        case defaultRuntime = "DefaultRuntime"
        case securityOptions = "SecurityOptions"
        case hasMemoryLimit = "MemoryLimit"
        case hasSwapLimit = "SwapLimit"
        case hasPidsLimit = "PidsLimit"
        case warnings = "Warnings"
    }
}

/// An OCI runtime that the engine knows.
public struct OCIRuntime: Codable, Sendable, Hashable {
    /// The program.
    public var path: String?

    private enum CodingKeys: String, CodingKey {
        case path = "path"
    }
}

/// What an event is about.
public struct EventKind: RawRepresentable, Codable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The word on the wire.
    public let rawValue: String

    /// Wraps a word; unknown ones go through.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Wraps a word; unknown ones go through.
    public init(stringLiteral value: String) { rawValue = value }

    /// A container.
    public static let container = EventKind(rawValue: "container")
    /// An image.
    public static let image = EventKind(rawValue: "image")
    /// A volume.
    public static let volume = EventKind(rawValue: "volume")
    /// A network.
    public static let network = EventKind(rawValue: "network")
    /// The engine itself.
    public static let daemon = EventKind(rawValue: "daemon")
}

/// An event of the engine.
public struct EngineEvent: Codable, Sendable, Hashable {
    /// What it is about.
    public var kind: EventKind
    /// What happened: `start`, `die`, `oom`, `destroy`, `exec_create: …`.
    public var action: String
    /// To whom.
    public var actor: Actor
    /// When, in nanoseconds since 1970.
    public var timeNanoseconds: Int

    private enum CodingKeys: String, CodingKey {
        case kind = "Type"
        case action = "Action"
        case actor = "Actor"
        case timeNanoseconds = "timeNano"
    }

    /// What an event happened to.
    public struct Actor: Codable, Sendable, Hashable {
        /// The id, or the name of what has none.
        public var id: String
        /// Its labels and facts of the event, such as `exitCode`, `name` and `image`.
        public var attributes: [String: String]?

        private enum CodingKeys: String, CodingKey {
            case id = "ID"
            case attributes = "Attributes"
        }
    }
}
