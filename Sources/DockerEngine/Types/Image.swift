/// All about an image: the answer to `GET /images/{name}/json`.
public struct ImageInspection: Codable, Sendable, Hashable {
    /// The id: `sha256:` and the digest of its configuration.
    public var id: String
    /// Its tags.
    public var tags: [String]?
    /// Its digests in registries.
    public var digests: [String]?
    /// When it was made, in RFC 3339.
    public var created: String?
    /// The size in bytes.
    public var size: Int
    /// The processor, such as `amd64`.
    public var architecture: String
    /// The operating system.
    public var os: String
    /// The processor's variant, such as `v8`.
    public var variant: String?
    /// What runs in its containers.
    public var configuration: ContainerConfiguration?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case tags = "RepoTags"
        case digests = "RepoDigests"
        case created = "Created"
        case size = "Size"
        case architecture = "Architecture"
        case os = "Os"
        case variant = "Variant"
        case configuration = "Config"
    }
}

/// An image in a list.
public struct ImageSummary: Codable, Sendable, Hashable {
    /// The id.
    public var id: String
    /// Its tags.
    public var tags: [String]?
    /// Its digests in registries.
    public var digests: [String]?
    /// When it was made, in seconds since 1970.
    public var created: Int
    /// The size in bytes.
    public var size: Int
    /// Its labels.
    public var labels: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case tags = "RepoTags"
        case digests = "RepoDigests"
        case created = "Created"
        case size = "Size"
        case labels = "Labels"
    }
}

/// One thing that the removal of an image did.
public struct ImageRemoval: Codable, Sendable, Hashable {
    /// A tag that is gone.
    public var untagged: String?
    /// An image or a layer that is gone.
    public var deleted: String?

    private enum CodingKeys: String, CodingKey {
        case untagged = "Untagged"
        case deleted = "Deleted"
    }
}

/// A message about the progress of a pull.
public struct ImageProgress: Codable, Sendable, Hashable {
    /// The layer, or the tag for messages about the whole; absent for closing remarks.
    public var id: String?
    /// What happens, for people: `Downloading`, `Extracting`, `Pull complete`; empty in a message that is only a result.
    public var status: String
    /// How far it is.
    public var progress: Progress?

    /// Reads a message.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        status = try container.decodeIfPresent(String.self, forKey: .status) ?? ""
        progress = try container.decodeIfPresent(Progress.self, forKey: .progress)
    }

    private enum CodingKeys: String, CodingKey {
        case id = "id"
        case status = "status"
        case progress = "progressDetail"
    }

    /// How far a layer is.
    public struct Progress: Codable, Sendable, Hashable {
        /// The bytes that are done.
        public var current: Int?
        /// The bytes in all.
        public var total: Int?
    }
}

/// What a registry asks for: `AuthConfig` of the Engine API.
///
///
/// Sent to the engine in a header, and by the engine to the registry.
public struct RegistryCredentials: Codable, Sendable, Hashable {
    /// The user's name.
    public var username: String?
    /// The password or access token.
    public var password: String?
    /// The registry.
    public var serverAddress: String?
    /// A token instead of name and password.
    public var identityToken: String?
    /// A bearer token for the registry.
    public var registryToken: String?

    /// Creates credentials.
    public init(
        username: String? = nil,
        password: String? = nil,
        serverAddress: String? = nil,
        identityToken: String? = nil,
        registryToken: String? = nil
    ) {
        self.username = username
        self.password = password
        self.serverAddress = serverAddress
        self.identityToken = identityToken
        self.registryToken = registryToken
    }

    private enum CodingKeys: String, CodingKey {
        case username = "username"
        case password = "password"
        case serverAddress = "serveraddress"
        case identityToken = "identitytoken"
        case registryToken = "registrytoken"
    }
}

extension RegistryCredentials: CustomStringConvertible {
    /// The registry and the user, without the secrets.
    public var description: String {
        "RegistryCredentials(username: \(username ?? "none"), serverAddress: \(serverAddress ?? "none"))"
    }
}
