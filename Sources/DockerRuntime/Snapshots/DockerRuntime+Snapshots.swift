public import DockerEngine
import Foundation

extension DockerRuntime {
    /// Makes an image of the sandbox's files as they are now; the sandbox is frozen meanwhile, and runs on.
    ///
    /// ```swift
    /// let snapshot = try await runtime.snapshot()
    /// var configuration = runtime.configuration
    /// configuration.image = snapshot.imageID
    /// let fork = DockerRuntime(configuration: configuration, eventStream: other, sessionID: "fork")
    /// ```
    ///
    /// The image starts what its base starts, not the server, and has neither the sandbox's key nor its labels. What is in files is in
    /// it: the initial environment too, which is in `.bashrc`. It stays until ``removeSnapshot(_:endpoint:)``.
    ///
    /// - Throws: `RuntimeError` when the runtime isn't connected; `DockerEngineError`.
    public func snapshot(comment: String? = nil) async throws -> SandboxSnapshot {
        let sandbox = try connectedSandbox("snapshot()")
        let container = try await sandbox.engine.inspectContainer(sandbox.container)
        let base = try await sandbox.engine.inspectImage(container.imageID).configuration
        let description = SnapshotImage(base: base ?? ContainerConfiguration(), sessionID: sessionID, comment: comment)
        let image = try await sandbox.engine.commitContainer(
            sandbox.container,
            comment: comment,
            configuration: description.configuration
        )
        return SandboxSnapshot(imageID: image, sessionID: sessionID, comment: comment)
    }

    /// The snapshots that an engine has, of one session or of all, also those of other processes.
    ///
    /// - Parameter endpoint: the engine; nil for the one that the docker command would use.
    /// - Throws: `DockerEngineError`.
    public static func snapshots(
        ofSession sessionID: String? = nil,
        endpoint: DockerEndpoint? = nil
    ) async throws -> [SandboxSnapshot] {
        try await withEngine(endpoint) { engine in
            var labels = [Labels.role: SnapshotImage.role]
            if let sessionID { labels[SnapshotImage.sessionLabel] = sessionID }
            return try await engine.listImages(filters: .labels(labels)).map { image in
                SandboxSnapshot(
                    imageID: image.id,
                    sessionID: image.labels?[SnapshotImage.sessionLabel] ?? "",
                    comment: image.labels?[SnapshotImage.commentLabel]
                )
            }
        }
    }

    /// Removes the image of a snapshot, by its exact id.
    ///
    /// It may be gone already.
    ///
    /// - Throws: ``DockerRuntimeError/notASnapshot(image:)`` for another image, which stays; `DockerEngineError`, which `isConflict`
    ///   while a sandbox runs from it or a snapshot is based on it.
    public static func removeSnapshot(_ snapshot: SandboxSnapshot, endpoint: DockerEndpoint? = nil) async throws {
        try await withEngine(endpoint) { engine in
            do {
                let image = try await engine.inspectImage(snapshot.imageID)
                guard image.id == snapshot.imageID, image.configuration?.labels?[Labels.role] == SnapshotImage.role
                else {
                    throw DockerRuntimeError.notASnapshot(image: snapshot.imageID)
                }
                try await engine.removeImage(snapshot.imageID)
            } catch let error as DockerEngineError where error.isNotFound {
                // Gone, which is what was wanted.
            }
        }
    }

    private static func withEngine<Value>(
        _ endpoint: DockerEndpoint?,
        _ body: (DockerEngineClient) async throws -> Value
    ) async throws -> Value {
        let engine =
            if let endpoint { try DockerEngineClient(endpoint: endpoint) } else {
                try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
            }
        defer { engine.close() }
        return try await body(engine)
    }
}

/// Describes the image of a snapshot: what was the container's is taken back.
struct SnapshotImage {
    /// An image that a sandbox's files were made into.
    static let role = "snapshot"
    static let sessionLabel = "swift-docker-runtime.snapshot.session"
    static let commentLabel = "swift-docker-runtime.snapshot.comment"

    /// The configuration of the image that the sandbox runs.
    var base: ContainerConfiguration
    var sessionID: String
    var comment: String?

    /// What is put over the container's configuration.
    var configuration: ContainerConfiguration {
        var configuration = ContainerConfiguration()
        configuration.entrypoint = base.entrypoint ?? []
        // An image without a command would get the container's: the server's arguments.
        let command = base.command ?? []
        configuration.command = command.isEmpty ? ["/bin/sh"] : command
        configuration.workingDirectory = base.workingDirectory
        // The ports are another sandbox's.
        configuration.environment = ["port", "VSCODE_PORT", "APP_PORT_1", "APP_PORT_2"].map { $0 + "=" }
        // An image hands its labels on to containers, which aren't ours for that.
        var labels = [
            Labels.owner: "", Labels.session: "", Labels.role: Self.role, Self.sessionLabel: sessionID,
        ]
        labels[Self.commentLabel] = comment
        configuration.labels = labels
        return configuration
    }
}
