import ActionExecutionClient
import DockerEngine
import Foundation
import Testing

@testable import DockerRuntime

@Suite
struct SandboxContainerTests {
    private static let key = "6b65792d6b65792d6b65792d6b65792d"

    /// What the engine is asked to make, for a configuration with the defaults except what is set.
    private func request(
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in }
    ) throws -> ContainerRequest {
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        configure(&configuration)
        return SandboxContainer(
            configuration: configuration,
            sessionID: "abc",
            serverVolume: try ServerVolume(binary: "/bin/sh"),
            ports: .chosenByEngine(
                hasEditor: configuration.plugins.contains(.vscode),
                editor: configuration.editorPort,
                hasApps: configuration.publishesAppPorts
            ),
            mountPlan: try MountPlan(configuration.mounts, MountPlan.Context(containerName: "abc")),
            address: SandboxAddress(configuration, engine: .defaultSocket),
            sessionAPIKey: Self.key
        ).request
    }

    @Test("P11: with no settings, a container has no privileges beyond a shell's, and limits")
    func hardened() throws {
        let host = try request().host
        #expect(host.capDrop == ["ALL"])
        #expect(
            Set(host.capAdd ?? [])
                == [
                    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE",
                    "SYS_CHROOT",
                ]
        )
        #expect(host.securityOpt == ["no-new-privileges"])
        #expect(host.privileged != true)
        #expect(host.memory == 4 << 30)
        #expect(host.memorySwap == host.memory)
        #expect(host.pidsLimit == 4096)
        #expect(host.nanoCPUs == nil)
        #expect(
            host.logConfig == LogConfiguration(type: "json-file", options: ["max-size": "10485760", "max-file": "1"])
        )
        #expect(host.autoRemove == true)
        #expect(host.pidMode == nil)
        #expect(host.ipcMode == nil)
        #expect(host.networkMode == nil)
        #expect(host.devices == nil)
    }

    @Test("P11: the engine's socket and the machine's files stay outside; all that is mounted is the server, read-only")
    func mounts() throws {
        let host = try request().host
        let mount = try #require(host.mounts?.first)
        #expect(host.mounts?.count == 1)
        #expect(host.binds == nil)
        #expect(mount.kind == .volume)
        #expect(mount.isReadOnly == true)
        #expect(mount.target == "/.action-execution-server")
        #expect(mount.volumeOptions?.labels == ["swift-docker-runtime.role": "server"])
    }

    @Test("P11: the key is in no argument, no environment and no label")
    func keyIsNowhere() throws {
        let request = try request { $0.environment = ["NAME": "value"] }
        #expect(!String(reflecting: request).contains(Self.key))
        #expect(request.configuration.environment?.contains("NAME=value") == true)
    }

    @Test("P11: the port is published on the loopback address, at the engine's choice")
    func loopback() throws {
        #expect(
            try request().host.portBindings == ["30000/tcp": [PortBinding(hostIP: "127.0.0.1", hostPort: "")]]
        )
        let other = try request { $0.bindingAddress = "0.0.0.0" }
        #expect(other.host.portBindings == ["30000/tcp": [PortBinding(hostIP: "0.0.0.0", hostPort: "")]])
    }

    @Test("The container carries the labels of its owner and session, and the prefix in its name")
    func labels() throws {
        let labels = try #require(try request().configuration.labels)
        #expect(labels["swift-docker-runtime.owner"] == Owner.name)
        #expect(labels["swift-docker-runtime.session"] == "abc")
        #expect(labels["swift-docker-runtime.role"] == "sandbox")
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        configuration.containerNamePrefix = "openhands-runtime-"
        #expect(DockerRuntime(configuration: configuration, sessionID: "abc").containerName == "openhands-runtime-abc")
    }

    @Test("What is configured reaches the server and the engine")
    func settings() throws {
        let request = try request { configuration in
            configuration.workingDirectory = "/work"
            configuration.lease = 7
            configuration.noChangeTimeout = 3
            configuration.limits.memory = nil
            configuration.limits.processes = 10
            configuration.limits.processors = 1.5
            configuration.capabilities = []
        }
        let command = try #require(request.configuration.command)
        for (option, value) in [("--working-dir", "/work"), ("--lease", "7.0"), ("--no-change-timeout", "3.0")] {
            let index = try #require(command.firstIndex(of: option))
            #expect(command[index + 1] == value)
        }
        #expect(request.configuration.entrypoint == ["/.action-execution-server/action-execution-server"])
        #expect(request.host.memory == nil)
        #expect(request.host.pidsLimit == 10)
        #expect(request.host.nanoCPUs == 1_500_000_000)
        #expect(request.host.capAdd == [])
    }

    @Test("Programs in the container learn which ports lead out, and whether to debug; what is configured wins")
    func environment() throws {
        let usual = ["PIP_BREAK_SYSTEM_PACKAGES=1", "PYTHONUNBUFFERED=1"]
        #expect(try request().configuration.environment == usual + ["port=30000"])
        let all = try request { configuration in
            configuration.plugins = [.vscode]
            configuration.publishesAppPorts = true
            configuration.isDebug = true
            configuration.environment = ["APP_PORT_2": "mine"]
        }
        let environment = try #require(all.configuration.environment)
        #expect(
            environment
                == ["APP_PORT_1=50000", "APP_PORT_2=mine", "DEBUG=true"] + usual + ["VSCODE_PORT=40000", "port=30000"]
        )
        #expect(
            all.host.portBindings?.mapValues { $0?.map(\.hostIP) } == [
                "30000/tcp": ["127.0.0.1"], "40000/tcp": ["127.0.0.1"], "50000/tcp": ["127.0.0.1"],
                "55000/tcp": ["127.0.0.1"],
            ]
        )
        let given = try request { configuration in
            configuration.plugins = [.vscode]
            configuration.editorPort = 41234
        }
        #expect(given.host.portBindings?["41234/tcp"] == [PortBinding(hostIP: "127.0.0.1", hostPort: "41234")])
        #expect(given.configuration.environment?.contains("VSCODE_PORT=41234") == true)
    }

    @Test("The initial environment is nowhere in what the engine is told")
    func initialEnvironment() throws {
        let request = try request { $0.initialEnvironment = ["TOKEN": "hush-hush"] }
        #expect(!String(reflecting: request).contains("hush-hush"))
    }

    @Test("In the host's network nothing is published, and the server listens on the binding address alone")
    func hostNetwork() throws {
        let request = try request { $0.usesHostNetwork = true }
        #expect(request.host.networkMode == "host")
        #expect(request.host.portBindings == nil)
        #expect(request.configuration.exposedPorts == nil)
        let command = try #require(request.configuration.command)
        #expect(command[1...2] == ["--host", "127.0.0.1"])
    }

    @Test("A server that is reached by a name is told the name")
    func serverNames() throws {
        let named = try request { $0.runtimeURL = "http://docker.example.com" }.configuration.command ?? []
        let index = try #require(named.firstIndex(of: "--allowed-host"))
        #expect(named[index + 1] == "docker.example.com")
        for url in ["http://localhost", "http://192.0.2.1", "http://[::1]", nil] {
            let command = try request { $0.runtimeURL = url }.configuration.command
            #expect(command?.contains("--allowed-host") == false)
        }
    }

    @Test("User, platform, GPUs, mounts, further options and the overlay reach the engine")
    func otherSettings() throws {
        let request = try request { configuration in
            configuration.user = "1000:1000"
            configuration.platform = "linux/arm64"
            configuration.gpus = .all
            configuration.mounts = [DockerRuntime.SandboxMount(.path("/src"), at: "/dst")]
            configuration.options.hostname = "box"
            configuration.options.labels = ["mine": "yes", "swift-docker-runtime.session": "not mine"]
            configuration.limits.memoryAndSwap = 5 << 30
            configuration.hostConfigurationOverlay = ["BlkioWeight": 300]
            configuration.plugins = [.jupyter, .vscode]
        }
        #expect(request.configuration.user == "1000:1000")
        #expect(request.platform == "linux/arm64")
        #expect(request.host.deviceRequests?.map(\.count) == [-1])
        #expect(request.host.mounts?.map(\.target) == ["/.action-execution-server", "/dst"])
        #expect(request.configuration.hostname == "box")
        #expect(request.configuration.labels?["mine"] == "yes")
        #expect(request.configuration.labels?["swift-docker-runtime.session"] == "abc")
        #expect(request.host.memorySwap == 5 << 30)
        #expect(request.hostConfigurationOverlay == ["BlkioWeight": 300])
        #expect(request.configuration.command?.suffix(3) == ["--plugins", "jupyter", "vscode"])
    }

    @Test("How a container ended is told with its exit code, what that means, and its last words")
    func endings() {
        let told = [
            ContainerEnding(exitCode: 1, words: "no shell").description,
            ContainerEnding(exitCode: 137, words: "").description,
            ContainerEnding(exitCode: nil, words: "").description,
        ]
        #expect(
            told == [
                "ended with exit code 1: no shell",
                "ended with exit code 137 (killed, by somebody or for want of memory)", "was removed",
            ]
        )
        #expect(
            DockerRuntimeError.containerExited(name: "n", exitCode: 2, log: "words").description
                == "The container n ended with exit code 2 before it was ready: words"
        )
    }
}
