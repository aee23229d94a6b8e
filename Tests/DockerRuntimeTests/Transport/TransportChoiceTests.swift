import DockerEngine
import Testing

@testable import DockerRuntime

@Suite
struct TransportChoiceTests {
    private func decide(
        isLocal: Bool = true,
        sharesSockets: Bool = true,
        refusal: String? = nil,
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in }
    ) -> (isSocket: Bool, reason: String?) {
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        configure(&configuration)
        return TransportChoice.decide(
            configuration,
            isLocal: isLocal,
            sharesSockets: sharesSockets,
            refusal: refusal
        )
    }

    @Test("It is a Unix socket where there can be one, else TCP with the reason")
    func automatic() {
        #expect(decide() == (true, nil))
        #expect(decide(isLocal: false) == (false, "the engine is on another machine"))
        #expect(decide(sharesSockets: false).reason?.contains("virtual machine") == true)
        #expect(decide(refusal: "tried before") == (false, "tried before"))
    }

    @Test("Who configures how the server is reached over TCP gets that, without a word")
    func aboutPorts() {
        #expect(decide { $0.runtimeURL = "http://box" } == (false, nil))
        #expect(decide { $0.bindingAddress = "0.0.0.0" } == (false, nil))
        #expect(decide { $0.portPolicy = .ranges(.standard) } == (false, nil))
    }

    @Test("What is asked for holds; without a network there is no choice")
    func given() {
        #expect(decide { $0.transport = .tcp } == (false, nil))
        #expect(decide(isLocal: false, refusal: "no") { $0.transport = .unixSocket } == (true, nil))
        #expect(decide(isLocal: false, refusal: "no") { $0.isOffline = true } == (true, nil))
    }

    @Test("A start that shows that there is no socket changes the choice of this and later runtimes, where it may")
    func fallBack() {
        let endpoint = DockerEndpoint(.unix(path: "/run/an-engine-of-this-test.sock"))
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        var choice = TransportChoice(configuration: configuration, endpoint: endpoint)
        #if os(Linux)
        #expect(choice.isSocket)
        #endif
        let mayFallBack = choice.fallBack("it leads nowhere")
        #expect(mayFallBack)
        #expect(!choice.isSocket)
        #expect(TransportChoice(configuration: configuration, endpoint: endpoint).isSocket == false)
        configuration.isOffline = true
        var offline = TransportChoice(configuration: configuration, endpoint: endpoint)
        let mayOffline = offline.fallBack("it leads nowhere")
        #expect(!mayOffline)
        #expect(offline.isSocket)
    }
}
