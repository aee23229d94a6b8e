/// What a mount mounts.
public struct MountKind: RawRepresentable, Codable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The word on the wire.
    public let rawValue: String

    /// Wraps a word; unknown ones go through.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Wraps a word; unknown ones go through.
    public init(stringLiteral value: String) { rawValue = value }

    /// A path of the host.
    public static let bind = MountKind(rawValue: "bind")
    /// A volume of the engine.
    public static let volume = MountKind(rawValue: "volume")
    /// A file system in memory.
    public static let tmpfs = MountKind(rawValue: "tmpfs")
    /// An image, read-only.
    public static let image = MountKind(rawValue: "image")
}

/// A mount in the long notation.
public struct Mount: Codable, Sendable, Hashable {
    /// What is mounted.
    public var kind: MountKind
    /// The host's path, or the volume's name; nothing for memory and anonymous volumes.
    public var source: String?
    /// The path in the container.
    public var target: String
    /// Whether it can't be written to.
    public var isReadOnly: Bool?
    /// Options of a bind mount.
    public var bindOptions: BindOptions?
    /// Options of a volume.
    public var volumeOptions: VolumeOptions?
    /// Options of a memory file system.
    public var tmpfsOptions: TmpfsOptions?

    /// Creates a mount.
    public init(
        kind: MountKind,
        source: String? = nil,
        target: String,
        isReadOnly: Bool? = nil,
        bindOptions: BindOptions? = nil,
        volumeOptions: VolumeOptions? = nil,
        tmpfsOptions: TmpfsOptions? = nil
    ) {
        self.kind = kind
        self.source = source
        self.target = target
        self.isReadOnly = isReadOnly
        self.bindOptions = bindOptions
        self.volumeOptions = volumeOptions
        self.tmpfsOptions = tmpfsOptions
    }

    private enum CodingKeys: String, CodingKey {
        case kind = "Type"
        case source = "Source"
        case target = "Target"
        case isReadOnly = "ReadOnly"
        case bindOptions = "BindOptions"
        case volumeOptions = "VolumeOptions"
        case tmpfsOptions = "TmpfsOptions"
    }
}

/// Options of a bind mount.
public struct BindOptions: Codable, Sendable, Hashable {
    /// How mounts below it spread, such as `rprivate`.
    public var propagation: String?
    /// Whether mounts below the source are left out.
    public var isNonRecursive: Bool?

    /// Creates options.
    public init(
        propagation: String? = nil,
        isNonRecursive: Bool? = nil
    ) {
        self.propagation = propagation
        self.isNonRecursive = isNonRecursive
    }

    private enum CodingKeys: String, CodingKey {
        case propagation = "Propagation"
        case isNonRecursive = "NonRecursive"
    }
}

/// Options of a mounted volume.
public struct VolumeOptions: Codable, Sendable, Hashable {
    /// Whether an empty volume is not filled with what the image has there.
    public var isNotPopulated: Bool?
    /// Labels of a volume that the mount makes.
    public var labels: [String: String]?
    /// The driver of a volume that the mount makes.
    public var driver: VolumeDriver?

    /// Creates options.
    public init(
        isNotPopulated: Bool? = nil,
        labels: [String: String]? = nil,
        driver: VolumeDriver? = nil
    ) {
        self.isNotPopulated = isNotPopulated
        self.labels = labels
        self.driver = driver
    }

    private enum CodingKeys: String, CodingKey {
        case isNotPopulated = "NoCopy"
        case labels = "Labels"
        case driver = "DriverConfig"
    }
}

/// The driver of a volume, with its options.
public struct VolumeDriver: Codable, Sendable, Hashable {
    /// The driver; `local` unless said otherwise.
    public var name: String?
    /// Options of the driver: for `local`, those of `mount(8)` as `type`, `o` and `device`.
    public var options: [String: String]?

    /// Creates a driver's description.
    public init(
        name: String? = nil,
        options: [String: String]? = nil
    ) {
        self.name = name
        self.options = options
    }

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case options = "Options"
    }
}

/// Options of a file system in memory.
public struct TmpfsOptions: Codable, Sendable, Hashable {
    /// The greatest size in bytes.
    public var sizeBytes: Int?
    /// The permissions, as of `chmod(2)`.
    public var mode: Int?

    /// Creates options.
    public init(
        sizeBytes: Int? = nil,
        mode: Int? = nil
    ) {
        self.sizeBytes = sizeBytes
        self.mode = mode
    }

    private enum CodingKeys: String, CodingKey {
        case sizeBytes = "SizeBytes"
        case mode = "Mode"
    }
}

/// A mount of an existing container.
public struct MountPoint: Codable, Sendable, Hashable {
    /// What is mounted.
    public var kind: MountKind?
    /// The volume's name.
    public var name: String?
    /// The path on the host.
    public var source: String?
    /// The path in the container.
    public var destination: String
    /// The volume's driver.
    public var driver: String?
    /// The options of the short notation.
    public var mode: String?
    /// Whether it can be written to.
    public var isWritable: Bool?
    /// How mounts below it spread.
    public var propagation: String?

    private enum CodingKeys: String, CodingKey {
        case kind = "Type"
        case name = "Name"
        case source = "Source"
        case destination = "Destination"
        case driver = "Driver"
        case mode = "Mode"
        case isWritable = "RW"
        case propagation = "Propagation"
    }
}
