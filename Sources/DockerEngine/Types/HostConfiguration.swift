/// What a container may use of the host: `HostConfig` of the Engine API.
///
///
/// What is `nil` is the engine's choice. Fields that aren't here can be set with an overlay, see ``ContainerRequest/hostConfigurationOverlay``.
public struct HostConfiguration: Codable, Sendable, Hashable {
    /// Bind mounts and volumes in the short notation, `source:target[:options]`.
    public var binds: [String]?
    /// Bind mounts, volumes and memory file systems in the long notation.
    public var mounts: [Mount]?
    /// Memory file systems: path to mount options.
    public var tmpfs: [String: String]?
    /// The host's ports for the container's, keyed as `8000/tcp`.
    public var portBindings: [String: [PortBinding]?]?
    /// Whether every exposed port gets a free port of the host.
    public var publishAllPorts: Bool?
    /// The network: `bridge`, `host`, `none`, `container:ID` or a network's name.
    public var networkMode: String?
    /// Name servers.
    public var dns: [String]?
    /// Lines for the hosts file, as `name:address`; `host-gateway` is an address too.
    public var extraHosts: [String]?
    /// The memory limit in bytes.
    public var memory: Int?
    /// The limit of memory and swap together in bytes; -1 for any amount of swap.
    public var memorySwap: Int?
    /// The memory in bytes to shrink to when the host runs short.
    public var memoryReservation: Int?
    /// The share of processors, in billionths of one.
    public var nanoCPUs: Int?
    /// The weight among containers that compete for processors; 1024 is usual.
    public var cpuShares: Int?
    /// The processors to run on, as `0-2,5`.
    public var cpusetCPUs: String?
    /// The greatest number of processes and threads; -1 for no limit.
    public var pidsLimit: Int?
    /// The size of `/dev/shm` in bytes.
    public var shmSize: Int?
    /// Limits per process, as of `setrlimit(2)`.
    public var ulimits: [Ulimit]?
    /// How readily the kernel kills it when memory runs out, from -1000 to 1000.
    public var oomScoreAdj: Int?
    /// Whether it is not killed when over its memory limit but waits.
    public var oomKillDisable: Bool?
    /// Options of the storage driver, such as `size`.
    public var storageOpt: [String: String]?
    /// Capabilities beyond the default ones.
    public var capAdd: [String]?
    /// Capabilities to take away; `ALL` is possible.
    public var capDrop: [String]?
    /// Security options, such as `no-new-privileges` and `seccomp=…`.
    public var securityOpt: [String]?
    /// Whether it may do nearly all that the host may.
    public var privileged: Bool?
    /// Whether its root file system can't be written to.
    public var readonlyRootfs: Bool?
    /// The paths to hide, instead of the default ones.
    public var maskedPaths: [String]?
    /// The paths to write-protect, instead of the default ones.
    public var readonlyPaths: [String]?
    /// More groups of the user.
    public var groupAdd: [String]?
    /// Kernel parameters of its namespaces.
    public var sysctls: [String: String]?
    /// The IPC namespace: `none`, `private`, `shareable`, `container:ID` or `host`.
    public var ipcMode: String?
    /// The process namespace: `container:ID` or `host`.
    public var pidMode: String?
    /// The user namespace, `host` to opt out of remapping.
    public var usernsMode: String?
    /// The control group namespace: `private` or `host`.
    public var cgroupnsMode: String?
    /// The control group to be under.
    public var cgroupParent: String?
    /// Devices of the host to pass in.
    public var devices: [DeviceMapping]?
    /// Devices that a driver passes in, such as GPUs.
    public var deviceRequests: [DeviceRequest]?
    /// The OCI runtime, by the name that the engine knows it by.
    public var runtime: String?
    /// Whether a small init runs as process 1, passing on signals and reaping.
    public var initProcess: Bool?
    /// Whether the engine removes the container once it has exited.
    public var autoRemove: Bool?
    /// Whether the engine starts it again after an exit.
    public var restartPolicy: RestartPolicy?
    /// Where its output is logged, and how much of it.
    public var logConfig: LogConfiguration?

    /// Creates one in which nothing is set: the engine's defaults hold.
    public init() {}

    private enum CodingKeys: String, CodingKey {
        case binds = "Binds"
        case mounts = "Mounts"
        case tmpfs = "Tmpfs"
        case portBindings = "PortBindings"
        case publishAllPorts = "PublishAllPorts"
        case networkMode = "NetworkMode"
        case dns = "Dns"
        case extraHosts = "ExtraHosts"
        case memory = "Memory"
        case memorySwap = "MemorySwap"
        case memoryReservation = "MemoryReservation"
        case nanoCPUs = "NanoCpus"
        case cpuShares = "CpuShares"
        case cpusetCPUs = "CpusetCpus"
        case pidsLimit = "PidsLimit"
        case shmSize = "ShmSize"
        case ulimits = "Ulimits"
        case oomScoreAdj = "OomScoreAdj"
        case oomKillDisable = "OomKillDisable"
        case storageOpt = "StorageOpt"
        case capAdd = "CapAdd"
        case capDrop = "CapDrop"
        case securityOpt = "SecurityOpt"
        case privileged = "Privileged"
        case readonlyRootfs = "ReadonlyRootfs"
        case maskedPaths = "MaskedPaths"
        case readonlyPaths = "ReadonlyPaths"
        case groupAdd = "GroupAdd"
        case sysctls = "Sysctls"
        case ipcMode = "IpcMode"
        case pidMode = "PidMode"
        case usernsMode = "UsernsMode"
        case cgroupnsMode = "CgroupnsMode"
        case cgroupParent = "CgroupParent"
        case devices = "Devices"
        case deviceRequests = "DeviceRequests"
        case runtime = "Runtime"
        case initProcess = "Init"
        case autoRemove = "AutoRemove"
        case restartPolicy = "RestartPolicy"
        case logConfig = "LogConfig"
    }
}

/// A port of the host for a port of a container.
public struct PortBinding: Codable, Sendable, Hashable {
    /// The host's address; empty or absent means all.
    public var hostIP: String?
    /// The host's port; empty or absent lets the engine choose.
    public var hostPort: String?

    /// Creates a binding; without arguments the engine chooses a port on all addresses.
    public init(
        hostIP: String? = nil,
        hostPort: String? = nil
    ) {
        self.hostIP = hostIP
        self.hostPort = hostPort
    }

    private enum CodingKeys: String, CodingKey {
        case hostIP = "HostIp"
        case hostPort = "HostPort"
    }
}

/// A limit per process, as of `setrlimit(2)`.
public struct Ulimit: Codable, Sendable, Hashable {
    /// The name, without `RLIMIT_` and in lower case: `nofile`.
    public var name: String
    /// The limit that holds.
    public var soft: Int
    /// How far the process may raise it.
    public var hard: Int

    /// Creates a limit.
    public init(
        name: String,
        soft: Int,
        hard: Int
    ) {
        self.name = name
        self.soft = soft
        self.hard = hard
    }

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case soft = "Soft"
        case hard = "Hard"
    }
}

/// A device of the host that is passed into a container.
public struct DeviceMapping: Codable, Sendable, Hashable {
    /// The device on the host.
    public var pathOnHost: String
    /// The device in the container.
    public var pathInContainer: String
    /// What is allowed, of `rwm`: read, write, make.
    public var cgroupPermissions: String

    /// Creates a mapping.
    public init(
        pathOnHost: String,
        pathInContainer: String,
        cgroupPermissions: String
    ) {
        self.pathOnHost = pathOnHost
        self.pathInContainer = pathInContainer
        self.cgroupPermissions = cgroupPermissions
    }

    private enum CodingKeys: String, CodingKey {
        case pathOnHost = "PathOnHost"
        case pathInContainer = "PathInContainer"
        case cgroupPermissions = "CgroupPermissions"
    }
}

/// A request for devices that a driver passes in.
public struct DeviceRequest: Codable, Sendable, Hashable {
    /// The driver, such as `nvidia`.
    public var driver: String?
    /// The number of devices; -1 for all.
    public var count: Int?
    /// The devices by id, instead of a number.
    public var deviceIDs: [String]?
    /// Alternatives of capabilities, such as `[["gpu"]]`.
    public var capabilities: [[String]]?
    /// Options of the driver.
    public var options: [String: String]?

    /// Creates a request.
    public init(
        driver: String? = nil,
        count: Int? = nil,
        deviceIDs: [String]? = nil,
        capabilities: [[String]]? = nil,
        options: [String: String]? = nil
    ) {
        self.driver = driver
        self.count = count
        self.deviceIDs = deviceIDs
        self.capabilities = capabilities
        self.options = options
    }

    private enum CodingKeys: String, CodingKey {
        case driver = "Driver"
        case count = "Count"
        case deviceIDs = "DeviceIDs"
        case capabilities = "Capabilities"
        case options = "Options"
    }
}

/// When the engine starts a container again.
public struct RestartPolicy: Codable, Sendable, Hashable {
    /// `no`, `always`, `unless-stopped` or `on-failure`; empty means no.
    public var name: String
    /// The number of attempts for `on-failure`.
    public var maximumRetryCount: Int?

    /// Creates a policy.
    public init(
        name: String,
        maximumRetryCount: Int? = nil
    ) {
        self.name = name
        self.maximumRetryCount = maximumRetryCount
    }

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case maximumRetryCount = "MaximumRetryCount"
    }
}

/// Where the output of a container is logged.
public struct LogConfiguration: Codable, Sendable, Hashable {
    /// The log driver, such as `json-file`, `local` or `none`.
    public var type: String
    /// Options of the driver, such as `max-size` and `max-file`.
    public var options: [String: String]?

    /// Creates a configuration.
    public init(
        type: String,
        options: [String: String]? = nil
    ) {
        self.type = type
        self.options = options
    }

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case options = "Config"
    }
}
