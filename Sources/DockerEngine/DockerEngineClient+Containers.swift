extension DockerEngineClient {
    /// `POST /containers/create`: makes a container.
    ///
    /// It doesn't run yet.
    ///
    /// - Parameter name: 2 or more of `[a-zA-Z0-9_.-]`, not starting with one of `_.-`; the engine makes one up if `nil`.
    /// - Throws: ``DockerEngineError`` that `isConflict` if the name is in use, that `isNotFound` if the image isn't there.
    public func createContainer(_ request: ContainerRequest, named name: String? = nil) async throws -> ContainerCreated
    {
        var call = EngineCall("POST", "/containers/create")
        call.add("name", name)
        call.add("platform", request.platform)
        try call.setBody(try request.body(call: call.name))
        return try await decode(call)
    }

    /// `POST /containers/{id}/start`: starts a container; does nothing if it runs.
    public func startContainer(_ id: String) async throws {
        try await perform(EngineCall("POST", "/containers/\(id)/start"))
    }

    /// `GET /containers/{id}/json`: all about a container.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is none.
    public func inspectContainer(_ id: String) async throws -> ContainerInspection {
        try await decode(EngineCall("GET", "/containers/\(id)/json"))
    }

    /// `GET /containers/json`: the containers.
    ///
    /// - Parameters:
    ///   - all: also those that don't run.
    ///   - filters: such as `["label": ["a=b"], "status": ["exited"], "name": ["^/exact$"]]`.
    public func listContainers(all: Bool = false, filters: EngineFilters = [:]) async throws -> [ContainerSummary] {
        var call = EngineCall("GET", "/containers/json")
        call.add("all", all)
        try call.add(filters)
        return try await decode(call)
    }

    /// `POST /containers/{id}/stop`: ends a container with its stop signal and, if that doesn't help in time, with `SIGKILL`.
    ///
    /// Does nothing if it doesn't run.
    ///
    /// - Parameters:
    ///   - timeout: the time to wait, in whole seconds (rounded up); the container's own or 10 s if `nil`.
    ///   - signal: instead of the container's own; needs API 1.42 and is an error with an older engine.
    public func stopContainer(_ id: String, timeout: Duration? = nil, signal: String? = nil) async throws {
        var call = EngineCall("POST", "/containers/\(id)/stop")
        if let timeout { call.add("t", "\(timeout.wholeSeconds)") }
        if let signal {
            let version = try await apiVersion()
            guard version >= EngineAPIVersion(major: 1, minor: 42) else {
                throw DockerEngineError.invalidArgument(
                    "the engine (API \(version)) takes no signal; set the container's stopSignal, or use killContainer",
                    call: call.name
                )
            }
            call.add("signal", signal)
        }
        // The container's own timeout isn't known here.
        call.timeLimit = timeout.map { .extended(by: $0) } ?? .none
        try await perform(call)
    }

    /// `POST /containers/{id}/kill`: sends a signal to process 1.
    ///
    /// - Throws: ``DockerEngineError`` that `isConflict` if it doesn't run.
    public func killContainer(_ id: String, signal: String = "SIGKILL") async throws {
        var call = EngineCall("POST", "/containers/\(id)/kill")
        call.add("signal", signal)
        try await perform(call)
    }

    /// `POST /containers/{id}/pause`: freezes all processes.
    public func pauseContainer(_ id: String) async throws {
        try await perform(EngineCall("POST", "/containers/\(id)/pause"))
    }

    /// `POST /containers/{id}/unpause`: lets frozen processes go on.
    public func unpauseContainer(_ id: String) async throws {
        try await perform(EngineCall("POST", "/containers/\(id)/unpause"))
    }

    /// `POST /containers/{id}/rename`: gives a container another name.
    public func renameContainer(_ id: String, to name: String) async throws {
        var call = EngineCall("POST", "/containers/\(id)/rename")
        call.add("name", name)
        try await perform(call)
    }

    /// `DELETE /containers/{id}`: removes a container.
    ///
    /// - Parameters:
    ///   - force: also when it runs; it is killed.
    ///   - removesVolumes: with its anonymous volumes.
    /// - Throws: ``DockerEngineError`` that `isConflict` if it runs, or is being removed already.
    public func removeContainer(_ id: String, force: Bool = false, removesVolumes: Bool = false) async throws {
        var call = EngineCall("DELETE", "/containers/\(id)")
        call.add("force", force)
        call.add("v", removesVolumes)
        try await perform(call)
    }

    /// `POST /containers/{id}/wait`: waits for a container to end.
    ///
    /// With `.notRunning` it doesn't matter when it ends; with the other conditions ``beginWaiting(for:of:)`` makes sure that the end
    /// isn't missed.
    ///
    /// - Returns: its exit code.
    /// - Throws: ``DockerEngineError/operationFailed(message:call:)`` if the engine can't tell;
    ///   `isNotFound` if there is no such container.
    public func waitContainer(_ id: String, for condition: WaitCondition = .notRunning) async throws -> Int {
        try await beginWaiting(for: condition, of: id).exitCode()
    }
}

/// What to wait for.
public struct WaitCondition: RawRepresentable, Sendable, Hashable {
    /// The word on the wire.
    public let rawValue: String

    /// Wraps a word of the API.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// That it doesn't run: at once if it doesn't, also if it never did.
    public static let notRunning = WaitCondition(rawValue: "not-running")
    /// That it ends the next time.
    public static let nextExit = WaitCondition(rawValue: "next-exit")
    /// That it is gone.
    public static let removed = WaitCondition(rawValue: "removed")
}

extension Duration {
    /// The duration in seconds, rounded up.
    var wholeSeconds: Int64 {
        components.seconds + (components.attoseconds > 0 ? 1 : 0)
    }
}
