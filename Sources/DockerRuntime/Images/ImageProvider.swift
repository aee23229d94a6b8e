import ActionExecutionClient
import DockerEngine

/// Sees to it that the engine has an image.
struct ImageProvider {
    let engine: DockerEngineClient
    let status: RuntimeStatusHub

    /// Pulls the image unless the engine has it, and tells of the progress.
    ///
    /// - Throws: ``DockerRuntimeError/imageUnavailable(image:reason:)``, or `DockerEngineError` when the engine fails.
    func ensure(_ image: String, platform: String? = nil) async throws {
        if try await engine.imageExists(image) { return }
        status.publish(RuntimeStatusUpdate(.building, message: "Pulling \(image)"))
        do {
            var layers: [String: (completed: Int, total: Int)] = [:]
            for try await message in try await engine.pullImage(image, platform: platform) {
                guard let layer = message.id, let progress = message.progress, let total = progress.total else {
                    continue
                }
                layers[layer] = (progress.current ?? 0, total)
                let completed = layers.values.reduce(0) { $0 + $1.completed }
                let all = layers.values.reduce(0) { $0 + $1.total }
                status.publish(
                    RuntimeStatusUpdate(
                        .building,
                        message: "Pulling \(image)",
                        progress: RuntimeStatusUpdate.Progress(completed: completed, total: all)
                    )
                )
            }
        } catch let error as DockerEngineError {
            switch error {
            case .unreachable, .transport: throw error
            case .operationFailed(let message, _), .api(_, let message, _):
                throw DockerRuntimeError.imageUnavailable(image: image, reason: message)
            default: throw DockerRuntimeError.imageUnavailable(image: image, reason: "\(error)")
            }
        }
    }
}
