import DockerEngine
import Foundation
import Synchronization

/// The volume that brings the server's program into containers: one for each version of the program on an engine,
/// filled once and mounted read-only by all.
///
/// It comes into being with the first container that mounts it.
struct ServerVolume: Sendable {
    /// The volume's name, which tells versions of the program apart.
    let name: String
    private let binary: String
    private let size: Int

    static let programName = "action-execution-server"
    private static let fillerDirectory = "/server"

    /// What is being filled in this process, by engine and volume: a second runtime waits for the first.
    private static let filling = Mutex<[String: Task<Void, any Error>]>([:])

    /// Volumes that this process has found complete, by engine and name: they are not looked at again.
    private static let complete = Mutex<Set<String>>([])

    /// Describes the volume for a program.
    ///
    /// - Throws: Foundation's error when the program can't be read.
    init(binary: String) throws {
        self.binary = binary
        let identity = try ProgramIdentity(path: binary)
        size = identity.size
        name = "swift-docker-runtime-server-\(try identity.contentHash())"
    }

    /// How a container mounts the volume.
    func mount(at target: String, isReadOnly: Bool) -> Mount {
        Mount(
            kind: .volume,
            source: name,
            target: target,
            isReadOnly: isReadOnly,
            // The image's files have no place in it.
            volumeOptions: VolumeOptions(isNotPopulated: true, labels: [Labels.role: Labels.serverRole])
        )
    }

    /// Sees to it that the program is whole in a container that mounts the volume.
    ///
    /// It need not run.
    ///
    /// - Parameter image: any image that the engine has, for the container through which the volume is filled.
    /// - Throws: `DockerEngineError`; ``DockerRuntimeError/serverVolumeDamaged(name:)`` when filling doesn't help.
    func complete(in container: String, at directory: String, image: String, on engine: DockerEngineClient) async throws
    {
        let identity = identity(on: engine)
        if Self.complete.withLock({ $0.contains(identity) }) { return }
        let path = "\(directory)/\(Self.programName)"
        if try await !isComplete(path, in: container, on: engine) {
            try await fillOnce(image: image, on: engine)
            guard try await isComplete(path, in: container, on: engine) else {
                throw DockerRuntimeError.serverVolumeDamaged(name: name)
            }
        }
        _ = Self.complete.withLock { $0.insert(identity) }
    }

    /// Has the volume looked at again by the next container: one did not start, and somebody may have removed the volume.
    func forgetCompleteness(on engine: DockerEngineClient) {
        _ = Self.complete.withLock { $0.remove(identity(on: engine)) }
    }

    private func identity(on engine: DockerEngineClient) -> String { "\(engine.endpoint) \(name)" }

    private func isComplete(_ path: String, in container: String, on engine: DockerEngineClient) async throws -> Bool {
        do {
            return try await engine.pathStatus(of: path, in: container).size == size
        } catch let error as DockerEngineError where error.isNotFound {
            return false
        }
    }

    /// Fills the volume, or waits for another runtime of this process that does.
    ///
    /// It isn't cancelled with the task that asks for it, since others may wait for it.
    private func fillOnce(image: String, on engine: DockerEngineClient) async throws {
        let identity = identity(on: engine)
        let task = Self.filling.withLock { filling in
            if let task = filling[identity] { return task }
            let task = Task {
                defer { Self.filling.withLock { filling in filling[identity] = nil } }
                try await fill(image: image, on: engine)
            }
            filling[identity] = task
            return task
        }
        try await task.value
    }

    /// Fills the volume through a container that mounts it for writing and is never started.
    private func fill(image: String, on engine: DockerEngineClient) async throws {
        var configuration = ContainerConfiguration()
        configuration.image = image
        configuration.entrypoint = [Self.fillerDirectory]
        configuration.labels = [Labels.owner: Owner.name, Labels.role: Labels.fillerRole]
        var host = HostConfiguration()
        host.mounts = [mount(at: Self.fillerDirectory, isReadOnly: false)]
        host.networkMode = "none"
        let container = try await engine.createContainer(ContainerRequest(configuration: configuration, host: host)).id
        let result: Result<Void, any Error>
        do {
            // Under a name of its own first: the program has its name only when it is whole, whatever interrupts this.
            let whole = "\(Self.programName)-\(UInt64.random(in: .min ... .max))"
            var archive = TarArchive()
            archive.addFile(whole, from: binary, mode: 0o755)
            archive.addHardLink(Self.programName, to: whole)
            result = .success(try await engine.putArchive(archive.body, into: Self.fillerDirectory, of: container))
        } catch {
            result = .failure(error)
        }
        try await engine.removeOwnContainer(container)
        try result.get()
    }
}
