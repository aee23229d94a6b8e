/// What a new container is to be: the body of `POST /containers/create`.
///
/// ```swift
/// var request = ContainerRequest(image: "busybox", command: ["sleep", "60"])
/// request.host.memory = 512 << 20
/// request.host.capDrop = ["ALL"]
/// request.hostConfigurationOverlay = ["BlkioWeight": 300]
/// ```
public struct ContainerRequest: Sendable, Hashable {
    /// What runs in it.
    public var configuration: ContainerConfiguration
    /// What it may use of the host.
    public var host: HostConfiguration
    /// Its connections to networks, by network name.
    public var networks: [String: EndpointSettings]
    /// Members of `HostConfig` under the API's own names, put over ``host`` as RFC 7396 defines (`null` removes a member).
    public var hostConfigurationOverlay: JSONValue?
    /// The platform of the image, such as `linux/arm64`; the engine's own if `nil`.
    public var platform: String?

    /// Creates a request.
    public init(
        configuration: ContainerConfiguration,
        host: HostConfiguration = HostConfiguration(),
        networks: [String: EndpointSettings] = [:],
        hostConfigurationOverlay: JSONValue? = nil,
        platform: String? = nil
    ) {
        self.configuration = configuration
        self.host = host
        self.networks = networks
        self.hostConfigurationOverlay = hostConfigurationOverlay
        self.platform = platform
    }

    /// Creates a request for an image and a command; the image's command if `nil`.
    public init(image: String, command: [String]? = nil) {
        var configuration = ContainerConfiguration()
        configuration.image = image
        configuration.command = command
        self.init(configuration: configuration)
    }
}

extension ContainerRequest {
    /// The body as it is sent.
    func body(call: String) throws(DockerEngineError) -> JSONValue {
        var host = try Self.json(host, call)
        if let hostConfigurationOverlay { host = host.merging(hostConfigurationOverlay) }
        var additions: [String: JSONValue] = ["HostConfig": host]
        if !networks.isEmpty {
            additions["NetworkingConfig"] = try Self.json(NetworkingConfiguration(endpoints: networks), call)
        }
        return try Self.json(configuration, call).merging(.object(additions))
    }

    private static func json(_ value: some Encodable, _ call: String) throws(DockerEngineError) -> JSONValue {
        try EngineJSON.decode(from: EngineJSON.encode(value, call: call), call: call)
    }
}
