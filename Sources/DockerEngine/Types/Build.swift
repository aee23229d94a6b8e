/// How an image is built.
public struct BuildOptions: Sendable, Hashable {
    /// The names of the image, each with a tag.
    public var tags: [String]
    /// The Dockerfile's path in the context; `Dockerfile` if `nil`.
    public var dockerfile: String?
    /// The stage to stop at; the last one if `nil`.
    public var target: String?
    /// The platform, such as `linux/arm64`; the engine's own if `nil`.
    public var platform: String?
    /// The network of the `RUN` instructions.
    public var networkMode: String?
    /// Further lines of `/etc/hosts` for the `RUN` instructions, as `NAME:ADDRESS`.
    public var hosts: [String] = []
    /// Values for the Dockerfile's arguments.
    ///
    /// They show in the image's history: no place for secrets.
    public var arguments: [String: String] = [:]
    /// Labels of the image.
    public var labels: [String: String] = [:]
    /// Whether steps that were built before are taken from the cache.
    public var usesCache = true
    /// Whether newer versions of the base images are looked for.
    public var pullsBaseImages = false
    /// What registries ask for, by their address.
    public var credentials: [String: RegistryCredentials] = [:]

    /// Creates options with the defaults.
    public init(tags: [String]) {
        self.tags = tags
    }
}

/// A message of a build or of the loading of images.
public struct BuildProgress: Codable, Sendable, Hashable {
    /// Output of the build, as it comes: part of a line, or several.
    public var stream: String?
    /// What happens to a base image that is pulled.
    public var status: String?
    /// The layer that the status is about.
    public var id: String?
    /// A result.
    public var aux: Result?

    /// A result of a build.
    public struct Result: Codable, Sendable, Hashable {
        /// The id of an image.
        public var imageID: String?

        private enum CodingKeys: String, CodingKey {
            case imageID = "ID"
        }
    }
}
