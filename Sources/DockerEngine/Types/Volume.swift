/// A volume.
public struct Volume: Codable, Sendable, Hashable {
    /// The name.
    public var name: String
    /// The driver.
    public var driver: String
    /// Where it is on the host.
    public var mountpoint: String
    /// When it was made, in RFC 3339.
    public var created: String?
    /// Its labels.
    public var labels: [String: String]?
    /// Options of the driver.
    public var options: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case driver = "Driver"
        case mountpoint = "Mountpoint"
        case created = "CreatedAt"
        case labels = "Labels"
        case options = "Options"
    }
}

/// What a new volume is to be.
public struct VolumeRequest: Codable, Sendable, Hashable {
    /// The name; the engine makes one up if absent.
    public var name: String?
    /// The driver; `local` if absent.
    public var driver: String?
    /// Options of the driver.
    public var options: [String: String]?
    /// Labels, to find the volume by.
    public var labels: [String: String]?

    /// Creates a request.
    public init(
        name: String? = nil,
        driver: String? = nil,
        options: [String: String]? = nil,
        labels: [String: String]? = nil
    ) {
        self.name = name
        self.driver = driver
        self.options = options
        self.labels = labels
    }

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case driver = "Driver"
        case options = "DriverOpts"
        case labels = "Labels"
    }
}
