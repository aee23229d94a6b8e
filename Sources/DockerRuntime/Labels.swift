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
    static let name = String(UInt64.random(in: .min ... .max), radix: 16)
}
