import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DockerRuntime

/// Limits, options, GPUs and logs: what is asked for is what the engine makes.
@Suite(.timeLimit(.minutes(5)))
struct OptionTests {
    @Test("A sandbox that is configured by the reference's variables is what they say")
    func byEnvironment() async throws {
        try await withSession { session in
            var configuration = try DockerRuntime.Configuration(environment: [
                "SANDBOX_BASE_CONTAINER_IMAGE": TestEnvironment.imageWithoutBash,
                "SANDBOX_RUNTIME_STARTUP_ENV_VARS": "{'STARTUP': 'yes'}",
                "SANDBOX_ENV_INITIAL": "too", "DEBUG": "true", "WORKSPACE_MOUNT_PATH_IN_SANDBOX": "/code",
                "SANDBOX_TIMEOUT": "50",
                "SANDBOX_DOCKER_RUNTIME_KWARGS": """
                {'mem_limit': '256m', 'pids_limit': 60, 'nano_cpus': 500000000, 'shm_size': '16m', 'hostname': 'box',
                 'ulimits': [{'name': 'nofile', 'soft': 300, 'hard': 400}], 'cap_drop': ['CHOWN'],
                 'extra_hosts': {'other': '192.0.2.9'}, 'tmpfs': {'/fast': 'size=1m'}, 'labels': {'sdr.mine': '1'},
                 'sysctls': {'net.ipv4.ip_unprivileged_port_start': '5'}, 'security_opt': ['seccomp=unconfined'],
                 'host_config': {'DnsSearch': ['example.com']}}
                """,
            ])
            configuration.serverBinary = try TestEnvironment.serverBinary()
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            try await runtime.connect()
            #expect(await runtime.webHosts.count == 2)
            let action = CommandAction(
                command: """
                    echo $STARTUP $INITIAL $DEBUG; pwd; hostname; ulimit -Sn; ulimit -Hn; grep -c other /etc/hosts
                    df -k /dev/shm /fast | awk 'NR > 1 { print $2 }'; grep search /etc/resolv.conf
                    cat /proc/sys/net/ipv4/ip_unprivileged_port_start; grep Seccomp: /proc/self/status
                    """
            )
            guard case .run(let result) = try await runtime.execute(.run(action)) else {
                Issue.record("not a command's observation")
                return
            }
            #expect(
                result.content.split(separator: "\n").map(String.init) == [
                    "yes too true", "/code", "box", "300", "400", "1", "16384", "1024", "search example.com", "5",
                    "Seccomp:\t0",
                ]
            )
            let inspection = try await session.engine.inspectContainer(runtime.containerName)
            #expect(inspection.host.memory == 256 << 20)
            #expect(inspection.host.memorySwap == 256 << 20)
            #expect(inspection.host.pidsLimit == 60)
            #expect(inspection.host.nanoCPUs == 500_000_000)
            #expect(inspection.host.capAdd?.contains("CHOWN") == false)
            #expect(inspection.configuration.labels?["sdr.mine"] == "1")
            await runtime.close()
        }
    }

    @Test("An option that the engine refuses is its error, and nothing is left")
    func refused() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.options.ociRuntime = "no-such-runtime"
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: DockerEngineError.self) { try await runtime.connect() }
            #expect(error?.description.contains("no-such-runtime") == true)
            #expect(try await session.containers().isEmpty)
        }
    }

    @Test("GPUs are asked for; an engine that has none says so, and nothing is left")
    func gpus() async throws {
        try await withSession { session in
            guard case .unix(let path) = session.engine.endpoint.transport else { return }
            let sent = Mutex("")
            let relay = try EngineRelay(to: path) { bytes in
                sent.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
            defer { relay.stop() }
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.endpoint = DockerEndpoint(.tcp(host: "127.0.0.1", port: relay.port, tls: nil))
            configuration.gpus = .devices(["0", "2"])
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            let error = await #expect(throws: DockerRuntimeError.self) { try await runtime.connect() }
            guard case .gpuUnavailable(let reason)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.contains("gpu"))
            let request = sent.withLock { $0 }
            #expect(request.contains(#""DeviceIDs":["0","2"]"#))
            #expect(request.contains(#""Capabilities":[["gpu"]]"#))
            #expect(try await session.containers().isEmpty)
        }
    }

    @Test("What the container writes is read as lines, at once or as it comes, and goes to the handler")
    func containerLog() async throws {
        let handled = Mutex<[ContainerLogLine]>([])
        try await withRuntime(image: TestEnvironment.imageWithoutBash) {
            $0.containerLogHandler = { line in handled.withLock { $0.append(line) } }
        } _: { sandbox in
            let written = try await sandbox.runtime.containerLog(follows: false).reduce(into: []) { $0.append($1) }
            let listening = ContainerLogLine(source: .stdout, text: "listening on \(SocketDirectory.serverPath)")
            #expect(written == [listening])
            try await until { handled.withLock { $0 } == [listening] }
            // Whatever process 1 has open may write to its log.
            let log = try await sandbox.runtime.containerLog()
            _ = try await sandbox.stream.run(
                "echo one > /proc/1/fd/1; echo two > /proc/1/fd/2; printf end > /proc/1/fd/1"
            )
            var lines: [ContainerLogLine] = []
            for try await line in log {
                lines.append(line)
                if lines.count == 3 { break }
            }
            #expect(lines[0] == listening)
            #expect(Set(lines.dropFirst().map(\.text)) == ["one", "two"])
            try await until { handled.withLock { $0.count } == 3 }
        }
        // Closing ended the reading, though a line had no end yet.
        #expect(handled.withLock { $0 }.count <= 4)
    }

    @Test("Before it is connected, a runtime has no log, no web hosts and no editor")
    func notConnected() async throws {
        let runtime = DockerRuntime(configuration: DockerRuntime.Configuration(image: "debian:12"))
        #expect(await runtime.webHosts == [:])
        await #expect(throws: RuntimeError.notConnected(operation: "containerLog()")) {
            _ = try await runtime.containerLog()
        }
        await #expect(throws: RuntimeError.notConnected(operation: "vscodeURL")) { _ = try await runtime.vscodeURL }
        await #expect(throws: RuntimeError.notConnected(operation: "addEnvironment()")) {
            try await runtime.addEnvironment(["A": "1"])
        }
    }
}
