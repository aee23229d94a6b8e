import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation

/// Builds images for sandboxes, each once: what was built before is used, and of several who want the same, in whatever
/// process, one builds it while the others wait.
struct ImageBuilder {
    let engine: DockerEngineClient
    let status: RuntimeStatusHub
    /// Where the lock files are.
    var lockDirectory = FileManager.default.temporaryDirectory.appendingPathComponent("swift-docker-runtime-builds")
        .path

    /// Builds an image on a base image that the engine has, unless there is one already.
    ///
    /// - Parameter binary: the program of the execution server.
    /// - Returns: the name of the image.
    /// - Throws: ``DockerRuntimeError/buildFailed(base:step:output:)``, ``ConfigurationError``, `DockerEngineError`,
    ///   `CancellationError`; Foundation's error when the program can't be read.
    func image(
        _ build: DockerRuntime.ImageBuild,
        on base: String,
        platform: String?,
        binary: String
    ) async throws -> String {
        let inspection = try await engine.inspectImage(base)
        let recipe = ImageRecipe(
            base: base,
            baseID: inspection.id,
            baseUser: inspection.configuration?.user ?? "",
            platform: platform,
            extraDependencies: build.extraDependencies,
            arguments: try BuildArguments(parsing: build.arguments),
            repository: build.repository,
            serverHash: try ProgramIdentity(path: binary).contentHash()
        )
        if !build.isForced, try await engine.imageExists(recipe.image) { return recipe.image }
        let lock = try await lock(for: recipe)
        defer { withExtendedLifetime(lock) {} }
        // Somebody may have built it while the lock was waited for.
        if !build.isForced, try await engine.imageExists(recipe.image) { return recipe.image }
        try await makeImages(recipe, isForced: build.isForced, binary: binary)
        return recipe.image
    }

    private func lock(for recipe: ImageRecipe) async throws -> FileLock {
        do {
            try FileLock.makeDirectory(lockDirectory)
            let name = SHA256.hexadecimal(SHA256.digest("\(engine.endpoint) \(recipe.lockImage)").prefix(16))
            return try await FileLock.waiting(path: "\(lockDirectory)/\(name).lock") {
                let message = "Waiting for another process that builds on \(recipe.base)"
                status.publish(RuntimeStatusUpdate(.building, message: message))
            }
        } catch FileLock.Failure.system(let path, let code) {
            throw DockerRuntimeError.buildLockFailed(path: path, reason: String(cString: strerror(code)))
        }
    }

    private func makeImages(_ recipe: ImageRecipe, isForced: Bool, binary: String) async throws {
        let hasDependencies = try await engine.imageExists(recipe.lockImage)
        if isForced || !hasDependencies {
            var options = BuildOptions(tags: [recipe.lockImage, "\(recipe.repository):\(recipe.versionedTag)"])
            options.arguments = recipe.arguments.values
            options.networkMode = recipe.arguments.network
            options.hosts = recipe.arguments.hosts
            options.usesCache = recipe.arguments.usesCache && !isForced
            options.labels = recipe.arguments.labels
            var context = TarArchive()
            context.addFile("Dockerfile", bytes: Array(recipe.dependenciesDockerfile.utf8))
            try await replacing(recipe.lockImage) { try await run(context, options, recipe) }
        }
        var context = TarArchive()
        context.addFile("Dockerfile", bytes: Array(recipe.serverDockerfile.utf8))
        context.addFile(ServerVolume.programName, from: binary, mode: 0o755, modificationTime: 0)
        try await replacing(recipe.image) { try await run(context, BuildOptions(tags: [recipe.image]), recipe) }
    }

    /// Builds an image, and removes the one that had its name before unless a container or another image needs it.
    private func replacing(_ image: String, build: () async throws -> Void) async throws {
        func id() async throws -> String? {
            do {
                return try await engine.inspectImage(image).id
            } catch let error as DockerEngineError where error.isNotFound {
                return nil
            }
        }
        let previous = try await id()
        try await build()
        guard let previous, try await id() != previous else { return }
        do {
            try await engine.removeImage(previous)
        } catch let error as DockerEngineError where error.isConflict || error.isNotFound {
            // In use, or somebody else's by another name.
        }
    }

    private func run(_ context: TarArchive, _ options: BuildOptions, _ recipe: ImageRecipe) async throws {
        var options = options
        options.platform = recipe.platform
        options.labels[Labels.role] = Labels.imageRole
        let message = "Building \(options.tags[0]) on \(recipe.base)"
        status.publish(RuntimeStatusUpdate(.building, message: message))
        var output = BuildOutput()
        do {
            for try await message in try await engine.buildImage(context.body, options: options) {
                guard let text = message.stream ?? message.status.map({ $0 + "\n" }) else { continue }
                for line in output.receive(text) {
                    status.publish(RuntimeStatusUpdate(.building, message: line.text, progress: line.progress))
                }
            }
        } catch let error as DockerEngineError {
            switch error {
            case .operationFailed(let message, _), .api(_, let message, _):
                throw DockerRuntimeError.buildFailed(
                    base: recipe.base,
                    step: output.step ?? "the start",
                    output: output.end.isEmpty ? message : "\(output.end)\n\(message)"
                )
            default: throw error
            }
        }
        try Task.checkCancellation()
    }
}
