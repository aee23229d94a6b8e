import ActionExecutionClient
import Dispatch
public import DockerEngine
public import Foundation
import Synchronization

extension DockerRuntime {
    /// Removes what belongs to a session, whatever its runtime does: its container, and volumes and networks of ours.
    ///
    /// Only what carries our labels and the session's is removed; what isn't there needs no removal.
    ///
    /// - Parameters:
    ///   - sessionID: names the session.
    ///   - endpoint: the engine; nil for the one that the docker command would use, by the environment.
    /// - Returns: the names of what was removed.
    /// - Throws: `DockerEngineError`.
    @discardableResult
    public static func delete(sessionID: String, endpoint: DockerEndpoint? = nil) async throws -> [String] {
        let engine: DockerEngineClient =
            if let endpoint { try DockerEngineClient(endpoint: endpoint) } else {
                try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
            }
        defer { engine.close() }
        let filters = EngineFilters.labels([Labels.owner: "", Labels.session: sessionID])
        var removed: [String] = []
        for container in try await engine.listContainers(all: true, filters: filters) {
            try await engine.removeOwnContainer(container.id)
            removed += container.names
        }
        for volume in try await engine.listVolumes(filters: filters) {
            try await engine.removeVolume(volume.name)
            removed.append(volume.name)
        }
        for network in try await engine.listNetworks(filters: filters) {
            try await engine.removeNetwork(network.id)
            removed.append(network.name)
        }
        return removed
    }

    /// Closes all runtimes of this process that are connected, and waits until they are.
    ///
    /// A process that ends by `exit()` does so by itself, in a few seconds at most.
    public static func closeAll() async {
        await withTaskGroup { group in
            for runtime in OpenRuntimes.all { group.addTask { await runtime.close() } }
        }
    }

    /// Has signals close all runtimes before they end this process, as they would without.
    ///
    /// For programs that handle these signals in no other way. A second signal ends the process at once; what is left then
    /// ends with its lease. Call it once, before the first runtime is connected.
    public static func closeAll(on signals: [Int32] = [SIGINT, SIGTERM, SIGHUP]) {
        for number in signals {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                guard OpenRuntimes.isFirstSignal() else { return endProcess(by: number) }
                Task {
                    await closeAll()
                    endProcess(by: number)
                }
            }
            signal(number, SIG_IGN)
            source.activate()
            OpenRuntimes.keep(SignalSource(source: source))
        }
    }

    /// Does what the signal does in a program that doesn't handle it.
    private static func endProcess(by number: Int32) {
        signal(number, SIG_DFL)
        // Dispatch's threads have them blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, number)
        pthread_sigmask(Int32(SIG_UNBLOCK), &signals, nil)
        raise(number)
    }

    /// Removes all sandboxes of this process, but for those that are kept.
    static func removeAllContainers(on engine: DockerEngineClient) async throws {
        let labels = [Labels.owner: Owner.name, Labels.role: Labels.sandboxRole]
        for container in try await engine.listContainers(all: true, filters: .labels(labels))
        where container.labels?[Labels.kept] == nil {
            try await engine.removeOwnContainer(container.id)
        }
    }
}

/// A source of signals that is kept, and never touched again once it is active: so it may be kept anywhere.
struct SignalSource: @unchecked Sendable {
    let source: any DispatchSourceSignal
}

/// The runtimes of this process that have, or may have, a container.
enum OpenRuntimes {
    private struct State {
        var runtimes: [ObjectIdentifier: DockerRuntime] = [:]
        var handlesExit = false
        var sources: [SignalSource] = []
        var hadSignal = false
    }

    private static let state = Mutex(State())
    /// Seconds that the process's end is held up for at most.
    private static let exitTime = 5.0

    static var all: [DockerRuntime] { state.withLock { Array($0.runtimes.values) } }

    /// Has a runtime closed when the process ends.
    static func add(_ runtime: DockerRuntime) {
        let isFirst = state.withLock { state in
            state.runtimes[ObjectIdentifier(runtime)] = runtime
            defer { state.handlesExit = true }
            return !state.handlesExit
        }
        guard isFirst else { return }
        atexit {
            guard !OpenRuntimes.all.isEmpty else { return }
            let isDone = DispatchSemaphore(value: 0)
            Task.detached {
                await DockerRuntime.closeAll()
                isDone.signal()
            }
            _ = isDone.wait(timeout: .now() + OpenRuntimes.exitTime)
        }
    }

    static func remove(_ runtime: DockerRuntime) {
        state.withLock { _ = $0.runtimes.removeValue(forKey: ObjectIdentifier(runtime)) }
    }

    /// Whether no signal came before.
    static func isFirstSignal() -> Bool {
        state.withLock { state in
            defer { state.hadSignal = true }
            return !state.hadSignal
        }
    }

    static func keep(_ source: SignalSource) {
        state.withLock { $0.sources.append(source) }
    }
}
