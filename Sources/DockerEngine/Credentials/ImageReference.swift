/// The parts of an image's name that say where it is.
///
/// A value without I/O; the rules are those of `distribution/reference`.
struct ImageReference: Sendable, Hashable {
    /// Docker Hub, by the name that images have it under.
    static let dockerHub = "docker.io"

    /// The registry, with its port.
    let registry: String

    /// Finds the registry in a name: the first part, if it looks like a host; else the name is one of Docker Hub.
    init(_ name: String) {
        let first = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let host = String(first.first ?? "")
        let isHost =
            first.count == 2
            && (host.contains(".") || host.contains(":") || host == "localhost" || host != host.lowercased())
        registry = !isHost || host == "index.docker.io" ? Self.dockerHub : host
    }

    /// What the registry is called in the docker command's configuration: Docker Hub has an old address there.
    var credentialKey: String { registry == Self.dockerHub ? "https://index.docker.io/v1/" : registry }
}
