public import DockerEngine

extension DockerRuntime {
    /// Options of a container that few sandboxes need; what is nil or empty is the engine's choice.
    public struct ContainerOptions: Sendable, Hashable {
        /// Bytes of `/dev/shm`.
        public var sharedMemory: Int?
        /// Bytes of memory to shrink to when the host runs short.
        public var memoryReservation: Int?
        /// The weight among containers that compete for processors; 1024 is usual.
        public var processorShares: Int?
        /// The processors to run on, as `0-2,5`.
        public var processorSet: String?
        /// How readily the kernel kills it when memory runs out, from -1000 to 1000.
        public var outOfMemoryScore: Int?
        /// Limits per process, as of `setrlimit(2)`.
        public var processLimits: [Ulimit] = []
        /// Security options beside `no-new-privileges`, which holds unless one of them says `no-new-privileges=false`.
        public var securityOptions: [String] = []
        /// Whether the container may do nearly all that the host may: whoever is root in it has the host.
        public var isPrivileged = false
        /// Whether the image's files can't be changed; the working directory needs a mount then.
        public var hasReadOnlyRoot = false
        /// Memory file systems: path to mount options.
        public var memoryFileSystems: [String: String] = [:]
        /// Devices of the host.
        public var devices: [DeviceMapping] = []
        /// Kernel parameters of its namespaces.
        public var kernelParameters: [String: String] = [:]
        /// Options of the storage driver, such as `size`.
        public var storageOptions: [String: String] = [:]
        /// More groups of the user.
        public var groups: [String] = []
        /// Name servers.
        public var nameServers: [String] = []
        /// Names of hosts, with the address of each; `host-gateway` is an address too.
        public var extraHosts: [String: String] = [:]
        /// The host name; the engine's choice is the short id.
        public var hostname: String?
        /// The OCI runtime, by the name that the engine knows it by, such as `runsc`.
        public var ociRuntime: String?
        /// Whether a small init is process 1, though the server does what one is for.
        public var hasInit: Bool?
        /// The IPC namespace: `none`, `private`, `shareable`, `container:ID` or `host`.
        public var ipcNamespace: String?
        /// The process namespace: `container:ID` or `host`.
        public var processNamespace: String?
        /// The user namespace: `host` to opt out of remapping.
        public var userNamespace: String?
        /// The control group namespace: `private` or `host`.
        public var controlGroupNamespace: String?
        /// The control group to be under.
        public var controlGroupParent: String?
        /// Labels beside those by which the runtime knows what is its own.
        public var labels: [String: String] = [:]

        /// Makes options that leave all to the engine.
        public init() {}
    }
}

extension DockerRuntime.ContainerOptions {
    private static let noNewPrivileges = "no-new-privileges"

    /// Puts the options into what the engine is asked for; what is nil or empty changes nothing.
    func apply(to host: inout HostConfiguration) {
        host.shmSize = sharedMemory
        host.memoryReservation = memoryReservation
        host.cpuShares = processorShares
        host.cpusetCPUs = processorSet
        host.oomScoreAdj = outOfMemoryScore
        host.ulimits = processLimits.isEmpty ? nil : processLimits
        let saysItself = securityOptions.contains { $0.hasPrefix(Self.noNewPrivileges) }
        host.securityOpt = (saysItself ? [] : [Self.noNewPrivileges]) + securityOptions
        host.privileged = isPrivileged ? true : nil
        host.readonlyRootfs = hasReadOnlyRoot ? true : nil
        host.tmpfs = memoryFileSystems.isEmpty ? nil : memoryFileSystems
        host.devices = devices.isEmpty ? nil : devices
        host.sysctls = kernelParameters.isEmpty ? nil : kernelParameters
        host.storageOpt = storageOptions.isEmpty ? nil : storageOptions
        host.groupAdd = groups.isEmpty ? nil : groups
        host.dns = nameServers.isEmpty ? nil : nameServers
        host.extraHosts = extraHosts.isEmpty ? nil : extraHosts.map { "\($0):\($1)" }.sorted()
        host.runtime = ociRuntime
        host.initProcess = hasInit
        host.ipcMode = ipcNamespace
        host.pidMode = processNamespace
        host.usernsMode = userNamespace
        host.cgroupnsMode = controlGroupNamespace
        host.cgroupParent = controlGroupParent
    }
}
