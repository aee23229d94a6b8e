/// A network.
public struct Network: Codable, Sendable, Hashable {
    /// The full id.
    public var id: String
    /// The name.
    public var name: String
    /// The driver.
    public var driver: String
    /// `local`, `swarm` or `global`.
    public var scope: String?
    /// Whether it leads nowhere else.
    public var isInternal: Bool?
    /// Its labels.
    public var labels: [String: String]?
    /// Options of the driver.
    public var options: [String: String]?
    /// Its addresses.
    public var ipam: IPAM?
    /// Who is in it, by container id; only when inspected.
    public var containers: [String: NetworkContainer]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case name = "Name"
        case driver = "Driver"
        case scope = "Scope"
        case isInternal = "Internal"
        case labels = "Labels"
        case options = "Options"
        case ipam = "IPAM"
        case containers = "Containers"
    }
}

/// A container in a network.
public struct NetworkContainer: Codable, Sendable, Hashable {
    /// The container's name.
    public var name: String
    /// The id of its connection.
    public var endpointID: String
    /// Its hardware address.
    public var macAddress: String
    /// Its address and prefix length.
    public var ipv4Address: String

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case endpointID = "EndpointID"
        case macAddress = "MacAddress"
        case ipv4Address = "IPv4Address"
    }
}

/// What a new network is to be.
public struct NetworkRequest: Codable, Sendable, Hashable {
    /// The name.
    public var name: String
    /// The driver; `bridge` if absent.
    public var driver: String?
    /// Whether it leads nowhere else.
    public var isInternal: Bool?
    /// Labels, to find the network by.
    public var labels: [String: String]?
    /// Options of the driver.
    public var options: [String: String]?
    /// Its addresses; the engine's choice if absent.
    public var ipam: IPAM?
    /// Whether a second network of the name is refused.
    ///
    /// Always so from API 1.44 on.
    public var refusesDuplicate: Bool?

    /// Creates a request.
    public init(
        name: String,
        driver: String? = nil,
        isInternal: Bool? = nil,
        labels: [String: String]? = nil,
        options: [String: String]? = nil,
        ipam: IPAM? = nil,
        refusesDuplicate: Bool? = nil
    ) {
        self.name = name
        self.driver = driver
        self.isInternal = isInternal
        self.labels = labels
        self.options = options
        self.ipam = ipam
        self.refusesDuplicate = refusesDuplicate
    }

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case driver = "Driver"
        case isInternal = "Internal"
        case labels = "Labels"
        case options = "Options"
        case ipam = "IPAM"
        case refusesDuplicate = "CheckDuplicate"
    }
}

/// The addresses of a network.
public struct IPAM: Codable, Sendable, Hashable {
    /// The driver of address management.
    public var driver: String?
    /// The address ranges.
    public var configurations: [Configuration]?

    /// Creates a description.
    public init(
        driver: String? = nil,
        configurations: [Configuration]? = nil
    ) {
        self.driver = driver
        self.configurations = configurations
    }

    private enum CodingKeys: String, CodingKey {
        case driver = "Driver"
        case configurations = "Config"
    }

    /// An address range.
    public struct Configuration: Codable, Sendable, Hashable {
        /// The range, as `10.0.0.0/24`.
        public var subnet: String?
        /// The address that leads out.
        public var gateway: String?

        /// Creates a range.
        public init(subnet: String? = nil, gateway: String? = nil) {
            self.subnet = subnet
            self.gateway = gateway
        }

        private enum CodingKeys: String, CodingKey {
            case subnet = "Subnet"
            case gateway = "Gateway"
        }
    }
}

/// A container's connection to a network.
public struct EndpointSettings: Codable, Sendable, Hashable {
    /// More names of the container in the network.
    public var aliases: [String]?
    /// The network's id.
    public var networkID: String?
    /// The connection's id; empty when the container doesn't run.
    public var endpointID: String?
    /// The address that leads out.
    public var gateway: String?
    /// The container's address.
    public var ipAddress: String?
    /// The container's hardware address.
    public var macAddress: String?
    /// Addresses to have, instead of the engine's choice.
    public var addresses: Addresses?

    /// Creates settings.
    public init(
        aliases: [String]? = nil,
        networkID: String? = nil,
        endpointID: String? = nil,
        gateway: String? = nil,
        ipAddress: String? = nil,
        macAddress: String? = nil,
        addresses: Addresses? = nil
    ) {
        self.aliases = aliases
        self.networkID = networkID
        self.endpointID = endpointID
        self.gateway = gateway
        self.ipAddress = ipAddress
        self.macAddress = macAddress
        self.addresses = addresses
    }

    private enum CodingKeys: String, CodingKey {
        case aliases = "Aliases"
        case networkID = "NetworkID"
        case endpointID = "EndpointID"
        case gateway = "Gateway"
        case ipAddress = "IPAddress"
        case macAddress = "MacAddress"
        case addresses = "IPAMConfig"
    }

    /// Fixed addresses.
    public struct Addresses: Codable, Sendable, Hashable {
        /// The IPv4 address.
        public var ipv4Address: String?
        /// The IPv6 address.
        public var ipv6Address: String?

        /// Creates addresses.
        public init(ipv4Address: String? = nil, ipv6Address: String? = nil) {
            self.ipv4Address = ipv4Address
            self.ipv6Address = ipv6Address
        }

        private enum CodingKeys: String, CodingKey {
            case ipv4Address = "IPv4Address"
            case ipv6Address = "IPv6Address"
        }
    }
}
