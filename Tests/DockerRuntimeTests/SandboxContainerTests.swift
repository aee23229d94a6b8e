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
        #expect(request.configuration.environment == ["NAME=value"])
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
