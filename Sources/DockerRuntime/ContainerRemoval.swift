import DockerEngine

extension DockerEngineClient {
    /// Kills and removes a container that is ours, with its anonymous volumes, and waits until it is gone.
    ///
    /// It may be gone already, or be on its way out, since the engine removes it when its process ends. It isn't cancelled
    /// with the task that asks for it: what was made must go.
    ///
    /// - Throws: `DockerEngineError` when the container may still be there.
    func removeOwnContainer(_ id: String) async throws {
        try await Task {
            do {
                do {
                    try await removeContainer(id, force: true, removesVolumes: true)
                } catch let error as DockerEngineError where error.isConflict {
                    // "Removal is already in progress."
                    _ = try await waitContainer(id, for: .removed)
                }
            } catch let error as DockerEngineError where error.isNotFound {
                // Gone, which is what was wanted.
            }
        }.value
    }
}
