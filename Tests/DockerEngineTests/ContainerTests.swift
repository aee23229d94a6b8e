import DockerEngine
import Foundation
import Testing

@Suite("A container", .timeLimit(.minutes(3)))
struct ContainerTests {
    @Test func livesFromCreationToRemoval() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            let created = try await engine.createContainer(scope.request(image, "exit 5"), named: scope.name)
            scope.atEnd { try await engine.removeContainer(created.id, force: true) }
            var inspection = try await engine.inspectContainer(scope.name)
            #expect(inspection.id == created.id)
            #expect(inspection.name == scope.name)
            #expect(inspection.state.status == .created)
            #expect(inspection.configuration.labels?[EngineScope.labelName] == scope.id)

            let running = try await engine.listContainers(filters: scope.filter)
            #expect(running.isEmpty)
            let all = try await engine.listContainers(all: true, filters: scope.filter)
            #expect(all.map(\.id) == [created.id])
            #expect(all.first?.names == [scope.name])
            #expect(all.first?.status == .created)

            async let exit = engine.waitContainer(created.id, for: .nextExit)
            try await engine.startContainer(created.id)
            let exitCode = try await exit
            #expect(exitCode == 5)
            inspection = try await engine.inspectContainer(created.id)
            #expect(inspection.state.status == .exited)
            #expect(inspection.state.exitCode == 5)
            #expect(!inspection.state.wasOOMKilled)

            try await engine.removeContainer(created.id)
            let error = try await engineError { try await engine.inspectContainer(created.id) }
            #expect(error?.isNotFound == true)
        }
    }

    @Test func refusalsAreTyped() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("sleep 600")
            let image = try await engine.inspectContainer(id).imageID
            let duplicate = try await engineError {
                try await engine.createContainer(scope.request(image, "true"), named: scope.name)
            }
            #expect(duplicate?.isConflict == true)
            #expect(duplicate?.description.contains(scope.name) == true)
            let missing = try await engineError {
                try await engine.createContainer(ContainerRequest(image: "\(scope.name)-none:x"), named: nil)
            }
            #expect(missing?.isNotFound == true)
            let running = try await engineError { try await engine.removeContainer(id) }
            #expect(running?.isConflict == true)
            let unknown = try await engineError { try await engine.startContainer("\(scope.name)-none") }
            #expect(unknown?.isNotFound == true)
            let badCommand = try await scope.create(ContainerRequest(image: image, command: ["/none"]), suffix: "-bad")
            let notStarted = try await engineError { try await engine.startContainer(badCommand) }
            #expect(notStarted?.status != nil)
            // Starting what runs, and stopping what doesn't, is no error.
            try await engine.startContainer(id)
            try await engine.stopContainer(badCommand)
        }
    }

    @Test func stopsOnItsSignalAndIsKilledWhenItDoesNot() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            func start(_ trap: String, _ suffix: String) async throws -> String {
                let command = "trap '\(trap)' TERM; echo ready; while :; do sleep 1 & wait $!; done"
                var request = scope.request(image, command)
                // The shell itself gets the signal.
                request.host.initProcess = nil
                let id = try await scope.create(request, suffix: suffix)
                try await engine.startContainer(id)
                var options = LogOptions()
                options.follows = true
                for try await _ in try await engine.containerLogs(id, options: options) { break }
                return id
            }
            let willing = try await start("exit 7", "-willing")
            try await engine.stopContainer(willing, timeout: .seconds(60))
            let stopped = try await engine.waitContainer(willing)
            #expect(stopped == 7)
            let stubborn = try await start("", "-stubborn")
            try await engine.stopContainer(stubborn, timeout: .seconds(1))
            let killed = try await engine.waitContainer(stubborn)
            #expect(killed == 137)
            let third = try await start("exit 8", "-third")
            try await engine.killContainer(third, signal: "SIGTERM")
            let terminated = try await engine.waitContainer(third)
            #expect(terminated == 8)
            let again = try await engineError { try await engine.killContainer(third) }
            #expect(again?.isConflict == true)
            if try await engine.apiVersion() < EngineAPIVersion(major: 1, minor: 42) {
                guard
                    case .invalidArgument = try await engineError(from: {
                        try await engine.stopContainer(third, signal: "SIGINT")
                    })
                else {
                    Issue.record("an old engine would have ignored the signal")
                    return
                }
            }
        }
    }

    @Test func canBeFrozenAndRenamed() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("sleep 600")
            try await engine.pauseContainer(id)
            let paused = try await engine.inspectContainer(id).state
            #expect(paused.isPaused)
            #expect(paused.status == .paused)
            try await engine.unpauseContainer(id)
            let resumed = try await engine.inspectContainer(id).state
            #expect(resumed.status == .running)
            try await engine.renameContainer(id, to: scope.name + "-renamed")
            let name = try await engine.inspectContainer(id).name
            #expect(name == scope.name + "-renamed")
        }
    }

    @Test func waitingCanBeCancelled() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("sleep 600")
            let waiting = Task { try await engine.waitContainer(id) }
            let removal = Task { try await engine.waitContainer(id, for: .removed) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await engine.removeContainer(id, force: true)
            // Either it waited already, or it came too late.
            do {
                _ = try await removal.value
            } catch let error as DockerEngineError {
                #expect(error.isNotFound)
            }
        }
    }

    @Test func getsEveryFieldThatWasAskedFor() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            let volume = scope.name
            try await engine.createVolume(VolumeRequest(name: volume, labels: scope.label))
            scope.atEnd { try await engine.removeVolume(volume) }

            var configuration = ContainerConfiguration()
            configuration.image = image
            configuration.command = ["-c", "exit 0"]
            configuration.entrypoint = ["/bin/sh"]
            configuration.environment = ["A=1", "B=zwei ü \"x\""]
            configuration.workingDirectory = "/tmp"
            configuration.user = "1000:1000"
            configuration.hostname = "sandbox"
            configuration.labels = scope.label
            configuration.exposedPorts = ["8000/tcp": EmptyObject()]
            configuration.tty = true
            configuration.openStdin = true
            configuration.stopSignal = "SIGINT"
            configuration.stopTimeout = 3

            var host = HostConfiguration()
            host.binds = ["/tmp:/host-tmp:ro"]
            host.mounts = [
                Mount(
                    kind: .volume,
                    source: volume,
                    target: "/data",
                    volumeOptions: VolumeOptions(isNotPopulated: true)
                ),
                Mount(kind: .tmpfs, target: "/scratch", tmpfsOptions: TmpfsOptions(sizeBytes: 1 << 20, mode: 0o1777)),
                Mount(
                    kind: .bind,
                    source: "/usr",
                    target: "/host-usr",
                    isReadOnly: true,
                    bindOptions: BindOptions(propagation: "rprivate")
                ),
            ]
            host.tmpfs = ["/run": "size=1m"]
            host.portBindings = ["8000/tcp": [PortBinding(hostIP: "127.0.0.1", hostPort: "")]]
            host.networkMode = "bridge"
            host.dns = ["10.9.8.7"]
            host.extraHosts = ["engine:10.9.8.6"]
            host.memory = 256 << 20
            host.memorySwap = 256 << 20
            host.memoryReservation = 64 << 20
            host.nanoCPUs = 1_500_000_000
            host.cpuShares = 512
            host.cpusetCPUs = "0"
            host.pidsLimit = 100
            host.shmSize = 8 << 20
            host.ulimits = [Ulimit(name: "nofile", soft: 100, hard: 200)]
            host.oomScoreAdj = 100
            host.capDrop = ["ALL"]
            host.capAdd = ["CHOWN"]
            host.securityOpt = ["no-new-privileges"]
            host.readonlyRootfs = true
            host.maskedPaths = ["/proc/kcore"]
            host.readonlyPaths = ["/proc/sys"]
            host.groupAdd = ["27"]
            host.sysctls = ["net.ipv4.ip_unprivileged_port_start": "0"]
            host.ipcMode = "private"
            host.cgroupnsMode = "private"
            host.devices = [
                DeviceMapping(pathOnHost: "/dev/null", pathInContainer: "/dev/nothing", cgroupPermissions: "r")
            ]
            host.runtime = "runc"
            host.initProcess = true
            host.autoRemove = false
            host.restartPolicy = RestartPolicy(name: "on-failure", maximumRetryCount: 2)
            host.logConfig = LogConfiguration(type: "json-file", options: ["max-size": "1m", "max-file": "2"])

            let request = ContainerRequest(
                configuration: configuration,
                host: host,
                networks: ["bridge": EndpointSettings()]
            )
            let id = try await scope.create(request)
            let inspection = try await engine.inspectContainer(id)

            func members(_ value: some Encodable) throws -> [String: JSONValue] {
                try JSONDecoder().decode([String: JSONValue].self, from: JSONEncoder().encode(value))
            }
            let kept = try members(inspection.host)
            for (name, value) in try members(host) { #expect(kept[name] == value, "HostConfig.\(name)") }
            let keptConfiguration = try members(inspection.configuration)
            for (name, value) in try members(configuration) where name != "Env" {
                #expect(keptConfiguration[name] == value, "Config.\(name)")
            }
            #expect(Set(inspection.configuration.environment ?? []).isSuperset(of: ["A=1", "B=zwei ü \"x\""]))
            let mounted = inspection.mounts?.first { $0.name == volume }
            #expect(mounted?.destination == "/data")
            #expect(mounted?.isWritable == true)

            try await engine.startContainer(id)
            let exitCode = try await engine.waitContainer(id)
            #expect(exitCode == 0)
        }
    }

    @Test func takesAnOverlayOfRawFields() async throws {
        try await withEngine { engine, scope in
            var request = scope.request(try await scope.image(), "true")
            request.host.memory = 256 << 20
            request.host.pidsLimit = 50
            request.hostConfigurationOverlay = [
                "Memory": .integer(128 << 20), "PidsLimit": nil, "LogConfig": ["Type": "none"], "CpuPeriod": 50_000,
            ]
            let host = try await engine.inspectContainer(try await scope.create(request)).host
            #expect(host.memory == 128 << 20)
            #expect(host.pidsLimit ?? 0 == 0)
            #expect(host.logConfig?.type == "none")
        }
    }

    @Test func tellsThePortsThatTheEngineChose() async throws {
        try await withEngine { engine, scope in
            var request = scope.request(try await scope.image(), "sleep 600")
            request.configuration.exposedPorts = ["8000/tcp": EmptyObject(), "8001/tcp": EmptyObject()]
            request.host.networkMode = "bridge"
            request.host.portBindings = ["8000/tcp": [PortBinding(hostIP: "127.0.0.1")]]
            let id = try await scope.create(request)
            let before = try await engine.inspectContainer(id)
            #expect(before.hostPorts(for: "8000/tcp").isEmpty)
            try await engine.startContainer(id)
            let inspection = try await engine.inspectContainer(id)
            let binding = try #require(inspection.hostPorts(for: "8000/tcp").first)
            #expect(binding.hostIP == "127.0.0.1")
            #expect(binding.hostPort.flatMap { Int($0) } ?? 0 > 0)
            #expect(inspection.hostPorts(for: "8001/tcp").isEmpty)
            #expect(inspection.network.networks?["bridge"]?.ipAddress?.isEmpty == false)
            let listed = try await engine.listContainers(filters: scope.filter)
            #expect(
                listed.first?.ports?.contains { $0.privatePort == 8000 && "\($0.publicPort ?? 0)" == binding.hostPort }
                    == true
            )
        }
    }

    @Test func outOfMemoryIsSeen() async throws {
        try await withEngine { engine, scope in
            // The hungry process isn't the first one, so that the container outlives it: when both end at once, the engine
            // may report the end before it has heard of the cause.
            var request = scope.request(try await scope.image(), "(x=x; while :; do x=$x$x; done); sleep 600")
            request.host.memory = 16 << 20
            request.host.memorySwap = 16 << 20
            let id = try await scope.create(request)
            let since = "\(Int(Date.now.timeIntervalSince1970))"
            let events = try await engine.events(filters: ["container": [id], "event": ["oom"]], since: since)
            try await engine.startContainer(id)
            for try await event in events where event.action == "oom" { break }
            try await engine.killContainer(id)
            _ = try await engine.waitContainer(id)
            let state = try await engine.inspectContainer(id).state
            #expect(state.wasOOMKilled)
        }
    }

    @Test func runsOtherProgramsBeside() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("sleep 600")
            var request = ExecRequest(
                command: ["/bin/sh", "-c", "echo $A; id -u; echo err >&2; exit 4"],
                environment: ["A=b"],
                workingDirectory: "/tmp",
                user: "1000",
                attachStdout: true,
                attachStderr: true
            )
            let attached = try await engine.createExec(request, in: id)
            let (stdout, stderr) = try await engine.attachExec(attached).collect(upTo: 1000)
            #expect(String(decoding: stdout, as: UTF8.self) == "b\n1000\n")
            #expect(String(decoding: stderr, as: UTF8.self) == "err\n")
            let inspection = try await engine.inspectExec(attached)
            #expect(inspection.exitCode == 4)
            #expect(!inspection.isRunning)

            request.command = ["/bin/sh", "-c", "echo done > /tmp/done"]
            request.attachStdout = nil
            request.attachStderr = nil
            request.user = nil
            let events = try await engine.events(
                filters: ["container": [id], "event": ["exec_die"]],
                since: "\(Int(Date.now.timeIntervalSince1970))"
            )
            let detached = try await engine.createExec(request, in: id)
            try await engine.startExec(detached)
            for try await event in events where event.actor.attributes?["execID"] == detached { break }
            let status = try await engine.pathStatus(of: "/tmp/done", in: id)
            #expect(status.size == 5)
        }
    }
}
