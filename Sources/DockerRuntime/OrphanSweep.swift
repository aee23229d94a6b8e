import ActionExecutionClient
import DockerEngine
import Synchronization

/// Removes what processes that have ended left on an engine.
///
/// Whether an owner has ended is told by its label, on the machine that it ran on; what may be a living process's, and what is
/// to be kept, is left alone. Sandboxes that run end by themselves, with their lease: somebody may have attached to one.
struct OrphanSweep: Sendable {
    let engine: DockerEngineClient

    /// Removes what it finds.
    ///
    /// - Returns: the names of what was removed.
    /// - Throws: `DockerEngineError` when something may still be there.
    @discardableResult
    func run() async throws -> [String] {
        var removed: [String] = []
        for container in try await engine.listContainers(all: true, filters: Self.owned)
        where Self.isOrphan(container) {
            try await engine.removeOwnContainer(container.id)
            removed += container.names
        }
        // After the containers that use them.
        for volume in try await engine.listVolumes(filters: Self.owned) where Owner.hasEnded(volume.labels) {
            do {
                try await engine.removeVolume(volume.name)
                removed.append(volume.name)
            } catch let error as DockerEngineError where error.isConflict || error.isNotFound {
                // In use, or gone meanwhile.
            }
        }
        for network in try await engine.listNetworks(filters: Self.owned) where Owner.hasEnded(network.labels) {
            do {
                try await engine.removeNetwork(network.id)
                removed.append(network.name)
            } catch let error as DockerEngineError where error.status == 403 || error.isNotFound {
                // In use, or gone meanwhile.
            }
        }
        return removed
    }

    private static let owned = EngineFilters.labels([Labels.owner: ""])

    private static func isOrphan(_ container: ContainerSummary) -> Bool {
        container.labels?[Labels.kept] == nil && container.status != .running && Owner.hasEnded(container.labels)
    }

    /// Removes a container of a session whose process has ended without removing it, so that another can have its name.
    ///
    /// - Returns: whether there was one.
    /// - Throws: `DockerEngineError`.
    func removePredecessor(named name: String, of sessionID: String) async throws -> Bool {
        let labels = [Labels.owner: "", Labels.role: Labels.sandboxRole, Labels.session: sessionID]
        let container = try await engine.listContainers(all: true, filters: .labels(labels)).first {
            $0.names == [name] && $0.labels?[Labels.kept] == nil && Owner.hasEnded($0.labels)
        }
        guard let container else { return false }
        try await engine.removeOwnContainer(container.id)
        return true
    }
}

/// The engines that this process has swept.
enum SweptEngines {
    private static let known = Mutex<Set<String>>([])

    static func isFirst(_ engine: String) -> Bool {
        known.withLock { $0.insert(engine).inserted }
    }
}
