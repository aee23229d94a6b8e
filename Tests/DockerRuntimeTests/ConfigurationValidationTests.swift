import Testing

@testable import DockerRuntime

/// What is set in code is checked before anything is made.
@Suite
struct ConfigurationValidationTests {
    private typealias Change = @Sendable (inout DockerRuntime.Configuration) -> Void

    private static let changes: [(String, Change)] = [
        ("image", { $0.image = "" }),
        ("workingDirectory", { $0.workingDirectory = "work" }),
        ("bindingAddress", { $0.bindingAddress = "localhost" }),
        ("runtimeURL", { $0.runtimeURL = "localhost" }),
        ("editorPort", { $0.editorPort = 0 }),
        ("lease", { $0.lease = 0 }),
        ("startTimeout", { $0.startTimeout = -.infinity }),
        ("noChangeTimeout", { $0.noChangeTimeout = .nan }),
        ("defaultTimeout", { $0.defaultTimeout = .infinity }),
        ("limits.processors", { $0.limits.processors = 0 }),
        ("gpus", { $0.gpus = .devices([]) }),
        ("environment", { $0.environment = ["A=B": ""] }),
        ("initialEnvironment", { $0.initialEnvironment = ["A B": ""] }),
        ("portPolicy", { $0.portPolicy = .ranges(.init(server: 0...1, editor: 2...3, apps: [])) }),
        (
            "additionalNetworks",
            {
                $0.usesHostNetwork = true
                $0.additionalNetworks = ["one"]
            }
        ),
    ]

    @Test("The defaults can be used")
    func defaults() throws {
        try DockerRuntime.Configuration(image: "debian:12").validate()
    }

    @Test("A bad setting is named", arguments: changes.map(\.0))
    func bad(_ name: String) throws {
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        try #require(Self.changes.first { $0.0 == name }).1(&configuration)
        let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
        #expect("\(error)".hasPrefix("\(name) is "))
    }
}
