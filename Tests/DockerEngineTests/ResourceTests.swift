import DockerEngine
import Foundation
import Testing

@Suite("A volume", .timeLimit(.minutes(1)))
struct VolumeTests {
    @Test func livesFromCreationToRemoval() async throws {
        try await withEngine { engine, scope in
            let created = try await engine.createVolume(VolumeRequest(name: scope.name, labels: scope.label))
            scope.atEnd { try await engine.removeVolume(created.name, force: true) }
            #expect(created.name == scope.name)
            #expect(created.driver == "local")
            let same = try await engine.createVolume(VolumeRequest(name: scope.name))
            #expect(same.labels == scope.label)
            let inspected = try await engine.inspectVolume(scope.name)
            #expect(inspected == same)
            let listed = try await engine.listVolumes(filters: scope.filter)
            #expect(listed.map(\.name) == [scope.name])

            var request = scope.request(try await scope.image(), "true")
            request.host.mounts = [Mount(kind: .volume, source: scope.name, target: "/data")]
            let container = try await scope.create(request)
            let inUse = try await engineError { try await engine.removeVolume(scope.name) }
            #expect(inUse?.isConflict == true)
            try await engine.removeContainer(container)
            try await engine.removeVolume(scope.name)
            let gone = try await engineError { try await engine.inspectVolume(scope.name) }
            #expect(gone?.isNotFound == true)
        }
    }
}

@Suite("A network", .timeLimit(.minutes(1)))
struct NetworkTests {
    @Test func livesFromCreationToRemoval() async throws {
        try await withEngine { engine, scope in
            let request = NetworkRequest(
                name: scope.name,
                isInternal: true,
                labels: scope.label,
                ipam: IPAM(configurations: [IPAM.Configuration(subnet: "10.213.77.0/24", gateway: "10.213.77.1")]),
                refusesDuplicate: true
            )
            let id = try await engine.createNetwork(request)
            scope.atEnd { try await engine.removeNetwork(id) }
            let duplicate = try await engineError { try await engine.createNetwork(request) }
            #expect(duplicate?.status != nil)
            let listed = try await engine.listNetworks(filters: scope.filter)
            #expect(listed.map(\.id) == [id])
            #expect(listed.first?.isInternal == true)
            #expect(listed.first?.ipam?.configurations?.first?.subnet == "10.213.77.0/24")

            let container = try await scope.run("sleep 600")
            // A container that was made without a network can't get one.
            try await engine.removeContainer(container, force: true)
            var attached = scope.request("\(scope.name):latest", "sleep 600")
            attached.host.networkMode = scope.name
            attached.networks = [scope.name: EndpointSettings(aliases: ["first"])]
            let first = try await scope.create(attached, suffix: "-first")
            try await engine.startContainer(first)
            attached.host.networkMode = "bridge"
            attached.networks = [:]
            let second = try await scope.create(attached, suffix: "-second")
            try await engine.startContainer(second)
            try await engine.connectNetwork(
                id,
                container: second,
                settings: EndpointSettings(aliases: ["second"], addresses: .init(ipv4Address: "10.213.77.77"))
            )
            let members = try await engine.inspectNetwork(scope.name).containers ?? [:]
            #expect(Set(members.keys) == [first, second])
            #expect(members[second]?.ipv4Address == "10.213.77.77/24")
            let settings = try await engine.inspectContainer(first).network.networks?[scope.name]
            #expect(settings?.aliases?.contains("first") == true)

            let inUse = try await engineError { try await engine.removeNetwork(id) }
            #expect(inUse?.status == 403)
            try await engine.disconnectNetwork(id, container: second)
            try await engine.removeContainer(first, force: true)
            try await engine.removeNetwork(id)
            let gone = try await engineError { try await engine.inspectNetwork(id) }
            #expect(gone?.isNotFound == true)
        }
    }
}
