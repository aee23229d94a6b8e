/// Why a container could not be had, beyond what the engine itself says.
public enum DockerRuntimeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The engine doesn't have the image, and could not pull it.
    case imageUnavailable(image: String, reason: String)
    /// There is a container of that name, which is somebody else's.
    case nameInUse(name: String)
    /// The container ended before it was ready.
    ///
    /// The log is the last that it wrote; there is no exit code when it was removed.
    case containerExited(name: String, exitCode: Int?, log: String)
    /// The engine published no port for the server.
    case portNotPublished(name: String)
    /// The volume with the server's program isn't what was put into it.
    case serverVolumeDamaged(name: String)

    /// One sentence that says what was tried, what came back, and what to do about it.
    public var description: String {
        switch self {
        case .imageUnavailable(let image, let reason):
            "The image \(image) is not there and can't be pulled: \(reason). Check the name, or make it with docker build or import."
        case .nameInUse(let name):
            "There is a container named \(name) already. Close its runtime, remove it, or use another session id."
        case .containerExited(let name, let exitCode, let log):
            "The container \(name) \(ContainerEnding(exitCode: exitCode, words: "").description) before it was ready"
                + (log.isEmpty ? "." : ": \(log)")
        case .portNotPublished(let name):
            "The engine published no port of the container \(name)."
        case .serverVolumeDamaged(let name):
            "The volume \(name) doesn't hold the execution server, though it was filled. Remove it with docker volume rm, and try again."
        }
    }
}
