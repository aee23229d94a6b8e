import DockerEngine
import Testing

@testable import DockerRuntime

/// The reference's `docker_runtime_kwargs`, by the names of the Docker SDK for Python.
@Suite
struct DockerKeywordsTests {
    private func configuration(_ keywords: String) throws -> DockerRuntime.Configuration {
        try DockerRuntime.Configuration(environment: ["SANDBOX_DOCKER_RUNTIME_KWARGS": keywords])
    }

    @Test(
        "Sizes are numbers of bytes, or have a unit",
        arguments: [
            ("1024", 1024), ("'512'", 512), ("'1b'", 1), ("'2k'", 2048), ("'512m'", 512 << 20), ("'4g'", 4 << 30),
            ("'4GB'", 4 << 30), ("'1t'", 1 << 40), ("'0.5g'", 512 << 20),
        ]
    )
    func sizes(_ text: String, _ bytes: Int) throws {
        #expect(try configuration("{'mem_limit': \(text)}").limits.memory == bytes)
    }

    @Test("Limits: memory, swap, processes, processors, shared memory, and those per process")
    func limits() throws {
        let configuration = try configuration(
            """
            {"mem_limit": "2g", "memswap_limit": "3g", "mem_reservation": "1g", "pids_limit": 50, "nano_cpus": 1500000000,
             "shm_size": "64m", "cpu_shares": 512, "cpuset_cpus": "0-1", "oom_score_adj": 100,
             "ulimits": [{"name": "nofile", "soft": 1024, "hard": 4096}, {"Name": "core", "Soft": 0}]}
            """
        )
        #expect(configuration.limits.memory == 2 << 30)
        #expect(configuration.limits.memoryAndSwap == 3 << 30)
        #expect(configuration.limits.processes == 50)
        #expect(configuration.limits.processors == 1.5)
        #expect(configuration.options.memoryReservation == 1 << 30)
        #expect(configuration.options.sharedMemory == 64 << 20)
        #expect(configuration.options.processorShares == 512)
        #expect(configuration.options.processorSet == "0-1")
        #expect(configuration.options.outOfMemoryScore == 100)
        #expect(
            configuration.options.processLimits == [
                Ulimit(name: "nofile", soft: 1024, hard: 4096), Ulimit(name: "core", soft: 0, hard: 0),
            ]
        )
        #expect(try self.configuration("{'pids_limit': -1}").limits.processes == nil)
        #expect(try self.configuration("{'memswap_limit': -1}").limits.memoryAndSwap == -1)
        #expect(try self.configuration("{'cpu_quota': 50000}").limits.processors == 0.5)
    }

    @Test("Capabilities are added to the shell's, or taken from them")
    func capabilities() throws {
        let shell = DockerRuntime.Configuration.shellCapabilities
        #expect(try configuration("{'cap_add': ['cap_net_admin', 'CHOWN']}").capabilities == shell + ["NET_ADMIN"])
        #expect(try configuration("{'cap_drop': ['chown']}").capabilities == shell.filter { $0 != "CHOWN" })
        #expect(try configuration("{'cap_drop': ['ALL']}").capabilities == [])
        #expect(try configuration("{'cap_drop': ['ALL'], 'cap_add': ['KILL']}").capabilities == ["KILL"])
        #expect(try configuration("{'cap_add': ['KILL'], 'cap_drop': ['ALL']}").capabilities == ["KILL"])
    }

    @Test("Security, namespaces, devices, names: what the engine is asked for")
    func options() throws {
        let configuration = try configuration(
            """
            {'security_opt': ['seccomp=unconfined'], 'privileged': True, 'read_only': True, 'runtime': 'runsc',
             'init': False, 'ipc_mode': 'private', 'pid_mode': 'host', 'userns_mode': 'host', 'cgroupns': 'private',
             'cgroup_parent': '/p', 'hostname': 'box', 'dns': ['192.0.2.1'], 'extra_hosts': {'a': '192.0.2.2'},
             'tmpfs': {'/t': 'size=1m'}, 'sysctls': {'net.core.somaxconn': 5}, 'storage_opt': {'size': '5G'},
             'group_add': ['audio'], 'devices': ['/dev/a', '/dev/b:/dev/c:r'], 'labels': {'k': 'v'}}
            """
        )
        var host = HostConfiguration()
        configuration.options.apply(to: &host)
        #expect(host.securityOpt == ["no-new-privileges", "seccomp=unconfined"])
        #expect(host.privileged == true)
        #expect(host.readonlyRootfs == true)
        #expect(host.runtime == "runsc")
        #expect(host.initProcess == false)
        #expect(host.ipcMode == "private")
        #expect(host.pidMode == "host")
        #expect(host.usernsMode == "host")
        #expect(host.cgroupnsMode == "private")
        #expect(host.cgroupParent == "/p")
        #expect(host.dns == ["192.0.2.1"])
        #expect(host.extraHosts == ["a:192.0.2.2"])
        #expect(host.tmpfs == ["/t": "size=1m"])
        #expect(host.sysctls == ["net.core.somaxconn": "5"])
        #expect(host.storageOpt == ["size": "5G"])
        #expect(host.groupAdd == ["audio"])
        #expect(
            host.devices == [
                DeviceMapping(pathOnHost: "/dev/a", pathInContainer: "/dev/a", cgroupPermissions: "rwm"),
                DeviceMapping(pathOnHost: "/dev/b", pathInContainer: "/dev/c", cgroupPermissions: "r"),
            ]
        )
        #expect(configuration.options.hostname == "box")
        #expect(configuration.options.labels == ["k": "v"])
    }

    @Test("New privileges are given only to whoever asks for them in words")
    func newPrivileges() {
        var (host, options) = (HostConfiguration(), DockerRuntime.ContainerOptions())
        options.apply(to: &host)
        #expect(host.securityOpt == ["no-new-privileges"])
        options.securityOptions = ["no-new-privileges=false"]
        options.apply(to: &host)
        #expect(host.securityOpt == ["no-new-privileges=false"])
    }

    @Test("Members of HostConfig go to the engine as they are")
    func overlay() throws {
        let configuration = try configuration("{'host_config': {'BlkioWeight': 300, 'Init': None, 'X': [1.5, True]}}")
        #expect(
            configuration.hostConfigurationOverlay
                == ["BlkioWeight": 300, "Init": nil, "X": [1.5, true]]
        )
    }

    @Test("An option without a value changes nothing")
    func null() throws {
        #expect(try configuration("{'mem_limit': None, 'name': None}").limits == DockerRuntime.Limits())
    }

    @Test(
        "A bad option is named, with its variable and what is allowed",
        arguments: [
            ("mem_limit", "'lots'"), ("mem_limit", "0"), ("mem_limit", "-5"), ("mem_limit", "'9999999999t'"),
            ("pids_limit", "'x'"), ("nano_cpus", "0"), ("cap_add", "'ALL'"), ("cap_add", "[1]"),
            ("devices", "['a:b:c:d']"), ("devices", "['/dev/a:/dev/a:x']"), ("ulimits", "['nofile=1']"),
            ("ulimits", "{'name': 'nofile'}"), ("tmpfs", "['/t']"), ("privileged", "'yes'"), ("oom_score_adj", "1001"),
            ("security_opt", "'x'"), ("sysctls", "{'a': []}"), ("host_config", "[]"),
        ]
    )
    func badValues(_ name: String, _ value: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try configuration("{'\(name)': \(value)}") }
        #expect("\(error)".hasPrefix("\(name) in SANDBOX_DOCKER_RUNTIME_KWARGS is "))
    }

    @Test("An option that nobody knows, or that the runtime decides, is refused with those that are known")
    func unknown() throws {
        let misspelt = try #require(throws: ConfigurationError.self) { try configuration("{'memlimit': '1g'}") }
        #expect("\(misspelt)".contains("memlimit, which isn't known"))
        #expect("\(misspelt)".contains("mem_limit"))
        let own = try #require(throws: ConfigurationError.self) { try configuration("{'network_mode': 'host'}") }
        #expect("\(own)".contains("network_mode, which the runtime itself decides"))
    }
}
