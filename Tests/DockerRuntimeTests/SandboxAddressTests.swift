import DockerEngine
import Testing

@testable import DockerRuntime

/// Where published ports are, seen from this process and by people.
@Suite
struct SandboxAddressTests {
    private func address(
        _ endpoint: DockerEndpoint = .defaultSocket,
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in }
    ) -> SandboxAddress {
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        configure(&configuration)
        return SandboxAddress(configuration, engine: endpoint)
    }

    private static let remote = DockerEndpoint(.tcp(host: "engine.example.com", port: 2375, tls: nil))
    private static let ports = SandboxPorts(
        server: PortAssignment(container: 30000, host: 1),
        editor: PortAssignment(container: 40000, host: 2),
        apps: [PortAssignment(container: 50000, host: 3), PortAssignment(container: 55000, host: 4)]
    )

    @Test("On this machine, it is the binding address, or loopback for all of them")
    func local() {
        #expect(address().runtimeURL == "http://127.0.0.1")
        #expect(address().publicHost == "localhost")
        for all in ["0.0.0.0", "::"] {
            #expect(address { $0.bindingAddress = all }.runtimeURL == "http://127.0.0.1")
        }
        #expect(address { $0.bindingAddress = "::1" }.runtimeURL == "http://[::1]")
        #expect(address { $0.bindingAddress = "192.0.2.1" }.publicHost == "192.0.2.1")
    }

    @Test("On another machine, it is the engine's host, which the server is told")
    func remote() {
        let address = address(Self.remote)
        #expect(address.runtimeURL == "http://engine.example.com")
        #expect(address.publicHost == "engine.example.com")
        #expect(address.serverNames == ["engine.example.com"])
    }

    @Test("What is configured wins")
    func configured() {
        let address = address(Self.remote) {
            $0.runtimeURL = "http://inner"
            $0.hostAddress = "outer"
        }
        #expect(address.runtimeURL == "http://inner")
        #expect(address.publicHost == "outer")
        #expect(self.address { $0.runtimeURL = "http://inner" }.publicHost == "inner")
    }

    @Test("Web hosts name the host's ports, with the ports that the agent must listen on")
    func webHosts() {
        #expect(address().webHosts(Self.ports) == ["http://localhost:3": 50000, "http://localhost:4": 55000])
    }

    @Test("The editor's URL has its port, token and folder; without a token or a port there is none")
    func editorURL() {
        let address = address { $0.hostAddress = "outer" }
        #expect(
            address.editorURL(Self.ports, token: "a b&c", folder: "/work space")
                == "http://outer:2/?tkn=a%20b%26c&folder=/work%20space"
        )
        #expect(address.editorURL(Self.ports, token: "", folder: "/w") == nil)
        let without = SandboxPorts(server: PortAssignment(container: 1, host: 1))
        #expect(address.editorURL(without, token: "t", folder: "/w") == nil)
    }
}
