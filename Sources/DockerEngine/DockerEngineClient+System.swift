extension DockerEngineClient {
    /// `GET /_ping`: whether the engine answers.
    ///
    /// - Throws: ``DockerEngineError/unreachable(endpoint:underlying:)`` if it doesn't.
    public func ping() async throws {
        try await perform(EngineCall("GET", "/_ping"), isVersioned: false)
    }

    /// `GET /version`: the engine's versions.
    ///
    /// Works with engines of any version.
    public func version() async throws -> EngineVersion {
        try await decode(EngineCall("GET", "/version"), isVersioned: false)
    }

    /// `GET /info`: the engine and its host.
    public func information() async throws -> EngineInformation {
        try await decode(EngineCall("GET", "/info"))
    }

    /// `GET /events`: what happens from now on, or from a moment in the past that the engine still remembers.
    ///
    /// The engine answers a little before it listens for events, so something that happens right after this call returns may be missed. Who
    /// must not miss it gives a `since` from before.
    ///
    /// - Parameters:
    ///   - filters: such as `["type": ["container"], "event": ["die", "oom"], "label": ["a=b"]]`.
    ///   - since: seconds since 1970 by the engine's clock, with or without a fraction of up to nine digits.
    ///   - until: the same; the stream ends there, at once if it is in the past.
    public func events(
        filters: EngineFilters = [:],
        since: String? = nil,
        until: String? = nil
    ) async throws -> EngineMessages<EngineEvent> {
        var call = EngineCall("GET", "/events")
        call.add("since", since)
        call.add("until", until)
        try call.add(filters)
        let name = call.name
        return try await messages(call) { line throws(DockerEngineError) in
            try EngineJSON.decode(from: line, call: name)
        }
    }
}
