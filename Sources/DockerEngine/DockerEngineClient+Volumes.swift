extension DockerEngineClient {
    /// `POST /volumes/create`: makes a volume; returns the one that exists if there is one of this name and driver.
    @discardableResult
    public func createVolume(_ request: VolumeRequest) async throws -> Volume {
        var call = EngineCall("POST", "/volumes/create")
        try call.setBody(request)
        return try await decode(call)
    }

    /// `GET /volumes/{name}`: all about a volume.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is none.
    public func inspectVolume(_ name: String) async throws -> Volume {
        try await decode(EngineCall("GET", "/volumes/\(name)"))
    }

    /// `GET /volumes`: the volumes.
    ///
    /// - Parameter filters: such as `["label": ["a=b"], "dangling": ["true"]]`.
    public func listVolumes(filters: EngineFilters = [:]) async throws -> [Volume] {
        var call = EngineCall("GET", "/volumes")
        try call.add(filters)
        return try await decode(call, as: VolumeList.self).volumes ?? []
    }

    /// `DELETE /volumes/{name}`: removes a volume and what is in it.
    ///
    /// - Parameter force: also when its driver fails, and when there is none of this name.
    /// - Throws: ``DockerEngineError`` that `isConflict` if a container uses it.
    public func removeVolume(_ name: String, force: Bool = false) async throws {
        var call = EngineCall("DELETE", "/volumes/\(name)")
        call.add("force", force)
        try await perform(call)
    }
}
