/// Why a container could not be had, beyond what the engine itself says.
public enum DockerRuntimeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The engine doesn't have the image, and could not pull it.
    case imageUnavailable(image: String, reason: String)
    /// An image could not be built; the instruction that failed, and the last that it wrote.
    case buildFailed(base: String, step: String, output: String)
    /// The file that keeps two processes from building the same image can't be had.
    case buildLockFailed(path: String, reason: String)
    /// There is a container of that name, which is somebody else's.
    case nameInUse(name: String)
    /// The key of a container to attach to isn't known here.
    case keyUnknown(name: String)
    /// The secret that keys of kept containers are derived from can't be had.
    case secretUnavailable(path: String, reason: String)
    /// The container ended before it was ready.
    ///
    /// The log is the last that it wrote; there is no exit code when it was removed.
    case containerExited(name: String, exitCode: Int?, log: String)
    /// The engine published no port for the server.
    case portNotPublished(name: String)
    /// A port of this machine was taken by somebody else between its choice and the start, or is the one that was asked for.
    case portTaken(ports: [Int], reason: String)
    /// No port of a range is free.
    case portRangeUsedUp(range: ClosedRange<Int>)
    /// There is no such network.
    case networkNotFound(name: String)
    /// The server can't be reached over a Unix socket.
    case socketUnavailable(reason: String)
    /// The engine can't give the container a GPU.
    case gpuUnavailable(reason: String)
    /// A path of the host that is to be mounted doesn't exist on the engine's machine.
    case mountSourceMissing(reason: String)
    /// The sandbox runs, but could not be set up; the step and what it wrote.
    case setupFailed(step: String, output: String)
    /// The image isn't one that was made by a snapshot.
    case notASnapshot(image: String)
    /// The volume with the server's program isn't what was put into it.
    case serverVolumeDamaged(name: String)

    /// One sentence that says what was tried, what came back, and what to do about it.
    public var description: String {
        switch self {
        case .imageUnavailable(let image, let reason):
            "The image \(image) is not there and can't be pulled: \(reason). Check the name, log in to its registry with "
                + "docker login, or make it with docker build or import."
        case .buildFailed(let base, let step, let output):
            "Building on \(base) failed at \(step): \(output)"
        case .buildLockFailed(let path, let reason):
            "The lock \(path), which a build takes, can't be had: \(reason). Make its directory writable."
        case .nameInUse(let name):
            "There is a container named \(name) already. Close its runtime, remove it, or use another session id."
        case .keyUnknown(let name):
            "The key of the container \(name) isn't known to this process. Set sessionAPIKey to it, or have the runtime that "
                + "makes the container keep it (closing.keepsContainer)."
        case .secretUnavailable(let path, let reason):
            "The secret in \(path), from which the keys of kept containers are derived, can't be had: \(reason). "
                + "Mend the file or remove it, or set sessionAPIKey."
        case .containerExited(let name, let exitCode, let log):
            "The container \(name) \(ContainerEnding(exitCode: exitCode, words: "").description) before it was ready"
                + (log.isEmpty ? "." : ": \(log)")
        case .portNotPublished(let name):
            "The engine published no port of the container \(name)."
        case .portTaken(let ports, let reason):
            "A port is taken (of \(ports.map(String.init).joined(separator: ", "))): \(reason). "
                + "Choose another, other ranges, or PortPolicy.engine."
        case .portRangeUsedUp(let range):
            "No port from \(range.lowerBound) to \(range.upperBound) is free. Close runtimes, or give a wider range."
        case .networkNotFound(let name):
            "There is no network \(name). Make it with docker network create, or correct additionalNetworks."
        case .socketUnavailable(let reason):
            "The server can't be reached over a Unix socket: \(reason). Use the transport tcp, which needs a network, "
                + "or an engine that shares this machine's file system."
        case .gpuUnavailable(let reason):
            "The engine can't give the container a GPU: \(reason). Install the driver's container toolkit on its machine, "
                + "or leave gpus nil."
        case .mountSourceMissing(let reason):
            "A mount can't be made: \(reason). Make the directory on the engine's machine first."
        case .setupFailed(let step, let output):
            "The sandbox runs, but \(step) failed: \(output)"
        case .notASnapshot(let image):
            "The image \(image) wasn't made by snapshot(), and is left alone. Remove it with docker image rm if it should go."
        case .serverVolumeDamaged(let name):
            "The volume \(name) doesn't hold the execution server, though it was filled. Remove it with docker volume rm, and try again."
        }
    }
}
