import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// The networks that a sandbox is in.
@Suite(.timeLimit(.minutes(5)))
struct NetworkTests {
    @Test("A sandbox is in further networks from its first moment")
    func additionalNetworks() async throws {
        try await withSession { session in
            var names: [String] = []
            for number in 1...2 {
                var request = NetworkRequest(name: "sdr-\(session.id)-\(number)")
                request.labels = ["swift-docker-runtime.role": "test"]
                _ = try await session.engine.createNetwork(request)
                names.append(request.name)
            }
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.additionalNetworks = names
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            try await runtime.connect()
            guard case .run(let links) = try await runtime.execute(.run(CommandAction(command: "ls /sys/class/net")))
            else {
                Issue.record("not a command's observation")
                return
            }
            #expect(links.content.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("eth") }.count == 3)
            let inspection = try await session.engine.inspectContainer(runtime.containerName)
            #expect(Set(inspection.network.networks?.keys ?? [:].keys) == Set(names + ["bridge"]))
            await runtime.close()
            for name in names { try await session.engine.removeNetwork(name) }
        }
    }

    @Test("A network that isn't there is named, and nothing is left")
    func missingNetwork() async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.additionalNetworks = ["sdr-no-such-network"]
            let runtime = DockerRuntime(configuration: configuration, sessionID: session.id)
            await #expect(throws: DockerRuntimeError.networkNotFound(name: "sdr-no-such-network")) {
                try await runtime.connect()
            }
            #expect(try await session.containers().isEmpty)
        }
    }

    @Test("In the host's network a sandbox listens on loopback alone, with ports of its own")
    func hostNetwork() async throws {
        try await withTemporaryDirectory { directory in
            try await withRuntime(image: TestEnvironment.imageWithoutBash) {
                $0.usesHostNetwork = true
                $0.publishesAppPorts = true
                $0.portPolicy = .ranges(
                    DockerRuntime.PortRanges(
                        server: 28_400...28_409,
                        editor: 28_410...28_419,
                        apps: [28_420...28_429, 28_430...28_439],
                        lockDirectory: directory.path
                    )
                )
            } _: { sandbox in
                let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
                #expect(inspection.host.networkMode == "host")
                let ports = try #require(await sandbox.runtime.sandbox?.ports)
                #expect((28_400...28_409).contains(ports.server.container))
                #expect(await sandbox.runtime.webHosts.count == 2)
                let variables = try await sandbox.stream.run("echo $port $APP_PORT_1 $APP_PORT_2")
                #expect(variables?.content == ports.all.map { "\($0.container)" }.joined(separator: " "))
                #expect(!FreePort.isFree(ports.server.container, at: "127.0.0.1"))
                #expect(FreePort.isFree(ports.server.container, at: "127.0.0.2"))
            }
        }
    }
}
