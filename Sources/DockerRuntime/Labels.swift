/// The labels by which we know what is ours.
///
/// Nothing without them is ever stopped or removed.
enum Labels {
    /// On containers, and whatever else belongs to one runtime: who made it, see ``Owner``.
    static let owner = "swift-docker-runtime.owner"
    /// On containers: the session that the runtime is for.
    static let session = "swift-docker-runtime.session"
    /// On containers and volumes: what it is for.
    static let role = "swift-docker-runtime.role"
    /// On containers that outlive their runtime: from what the key is derived, see ``SandboxKey``; empty for a given key.
    static let kept = "swift-docker-runtime.kept"

    /// A container that actions run in.
    static let sandboxRole = "sandbox"
    /// A container that is never started, through which a volume is filled.
    static let fillerRole = "filler"
    /// A volume with the server's program.
    ///
    /// It stays, for the next sandbox.
    static let serverRole = "server"
    /// An image that was built for sandboxes.
    ///
    /// It stays, for the next sandbox.
    static let imageRole = "image"
    /// An anonymous volume that shows a directory of the host, without changing it.
    static let overlayRole = "overlay"
}

/// This process, as the owner of what it makes.
enum Owner {
    /// The same for all runtimes of a process, and for no other process.
    static let name = ProcessIdentity.current.text

    /// Whether what carries these labels is ours, and its owner can be told to have ended.
    static func hasEnded(_ labels: [String: String]?) -> Bool {
        guard let owner = labels?[Labels.owner].flatMap({ ProcessIdentity($0) }) else { return false }
        return owner.life() == .ended
    }
}
