/// What a sandbox's files were at a moment, as an image that other sandboxes start from.
///
/// Files, not processes: shells, variables and running programs aren't in it, nor is what is in mounts and volumes.
public struct SandboxSnapshot: Sendable, Hashable, Codable {
    /// The id of the image, `sha256:` and its digest, to be given as ``DockerRuntime/Configuration/image``.
    public let imageID: String
    /// The session that it was taken of.
    public let sessionID: String
    /// What it was taken for, if that was said.
    public let comment: String?

    /// Names a snapshot that there is.
    public init(imageID: String, sessionID: String, comment: String? = nil) {
        self.imageID = imageID
        self.sessionID = sessionID
        self.comment = comment
    }
}
