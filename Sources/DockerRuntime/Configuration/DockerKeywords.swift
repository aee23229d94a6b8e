import DockerEngine
import EventStream

/// Reads what the reference's `docker_runtime_kwargs` hands on to the Docker SDK for Python.
///
/// The names are those of `containers.run` (<https://docker-py.readthedocs.io/en/stable/containers.html>), and one more:
/// `host_config`, members of the Engine API's `HostConfig` for what has no name here.
struct DockerKeywords {
    private let setting: Settings.Setting
    private let members: [(name: String, value: SettingValue)]

    /// - Throws: ``ConfigurationError`` when the setting is no object, or a name in it isn't known.
    init(_ setting: Settings.Setting) throws(ConfigurationError) {
        self.setting = setting
        members = try setting.object().map { ($0.key, $0.value) }
        for (name, value) in members where Self.keywords[name] == nil && !value.isNull {
            let allowed = Self.keywords.keys.sorted().joined(separator: ", ")
            throw .invalidValue(
                setting: setting.name,
                value: Self.ownNames.contains(name)
                    ? "an object with \(name), which the runtime itself decides"
                    : "an object with \(name), which isn't known",
                allowed: allowed
            )
        }
    }

    /// Puts the options into a configuration.
    ///
    /// - Throws: ``ConfigurationError``, which names the option.
    func apply(to configuration: inout DockerRuntime.Configuration) throws(ConfigurationError) {
        // As with the engine, what is added counts more than what is dropped: cap_drop comes before cap_add.
        for (name, value) in members.sorted(by: { $0.name > $1.name }) where !value.isNull {
            let keyword = Settings.Setting(name: "\(name) in \(setting.name)", value: value, isText: false)
            try Self.keywords[name]?(keyword, &configuration)
        }
    }

    private typealias Apply =
        @Sendable (Settings.Setting, inout DockerRuntime.Configuration) throws(ConfigurationError) -> Void

    /// What the runtime says to the engine itself, so that it can't be said twice.
    private static let ownNames: Set<String> = [
        "auto_remove", "command", "detach", "device_requests", "entrypoint", "environment", "image", "mounts", "name",
        "network", "network_disabled", "network_mode", "networking_config", "platform", "ports", "publish_all_ports",
        "remove", "restart_policy", "stdin_open", "stop_signal", "stream", "tty", "user", "volumes", "working_dir",
    ]

    private static let keywords: [String: Apply] = [
        "cap_add": { (keyword, configuration) throws(ConfigurationError) in
            let added = try keyword.strings().map(capability)
            configuration.capabilities += added.filter { !configuration.capabilities.contains($0) }
        },
        "cap_drop": { (keyword, configuration) throws(ConfigurationError) in
            let dropped = try keyword.strings().map(capability)
            configuration.capabilities.removeAll { dropped.contains($0) || dropped.contains("ALL") }
        },
        "cgroup_parent": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.controlGroupParent = try keyword.string()
        },
        "cgroupns": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.controlGroupNamespace = try keyword.string()
        },
        "cpu_quota": { (keyword, configuration) throws(ConfigurationError) in
            // Of each tenth of a second, in millionths of one: the kernel's default period.
            let quota = try keyword.integer(in: 1000...Int(Int32.max), "microseconds per tenth of a second, from 1000")
            configuration.limits.processors = Double(quota) / 100_000
        },
        "cpu_shares": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.processorShares = try keyword.integer(in: 2...262_144, "2 to 262144")
        },
        "cpuset_cpus": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.processorSet = try keyword.string()
        },
        "devices": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.devices = try keyword.devices()
        },
        "dns": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.nameServers = try keyword.strings()
        },
        "extra_hosts": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.extraHosts = try keyword.texts()
        },
        "group_add": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.groups = try keyword.strings()
        },
        "host_config": { (keyword, configuration) throws(ConfigurationError) in
            configuration.hostConfigurationOverlay = DockerEngine.JSONValue(.object(try keyword.object()))
        },
        "hostname": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.hostname = try keyword.string()
        },
        "init": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.hasInit = try keyword.bool()
        },
        "ipc_mode": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.ipcNamespace = try keyword.string()
        },
        "labels": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.labels = try keyword.texts()
        },
        "mem_limit": { (keyword, configuration) throws(ConfigurationError) in
            configuration.limits.memory = try keyword.bytes()
        },
        "mem_reservation": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.memoryReservation = try keyword.bytes()
        },
        "memswap_limit": { (keyword, configuration) throws(ConfigurationError) in
            configuration.limits.memoryAndSwap = keyword.value.intValue == -1 ? -1 : try keyword.bytes()
        },
        "nano_cpus": { (keyword, configuration) throws(ConfigurationError) in
            let share = try keyword.integer(in: 1...Int.max, "billionths of a processor, above 0")
            configuration.limits.processors = Double(share) / 1e9
        },
        "oom_score_adj": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.outOfMemoryScore = try keyword.integer(in: -1000...1000, "-1000 to 1000")
        },
        "pid_mode": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.processNamespace = try keyword.string()
        },
        "pids_limit": { (keyword, configuration) throws(ConfigurationError) in
            let limit = try keyword.integer(in: -1...Int(Int32.max), "a number of processes; -1 for no limit")
            configuration.limits.processes = limit < 1 ? nil : limit
        },
        "privileged": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.isPrivileged = try keyword.bool()
        },
        "read_only": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.hasReadOnlyRoot = try keyword.bool()
        },
        "runtime": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.ociRuntime = try keyword.string()
        },
        "security_opt": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.securityOptions = try keyword.strings()
        },
        "shm_size": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.sharedMemory = try keyword.bytes()
        },
        "storage_opt": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.storageOptions = try keyword.texts()
        },
        "sysctls": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.kernelParameters = try keyword.texts()
        },
        "tmpfs": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.memoryFileSystems = try keyword.texts()
        },
        "ulimits": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.processLimits = try keyword.processLimits()
        },
        "userns_mode": { (keyword, configuration) throws(ConfigurationError) in
            configuration.options.userNamespace = try keyword.string()
        },
    ]

    /// The engine takes `SYS_ADMIN` and `CAP_SYS_ADMIN`, in any case; ours are of the first form.
    @Sendable private static func capability(_ name: String) -> String {
        let name = name.uppercased()
        return name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
    }
}
