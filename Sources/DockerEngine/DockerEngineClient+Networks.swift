extension DockerEngineClient {
    /// `POST /networks/create`: makes a network.
    ///
    /// - Returns: its id.
    public func createNetwork(_ request: NetworkRequest) async throws -> String {
        var call = EngineCall("POST", "/networks/create")
        try call.setBody(request)
        return try await decode(call, as: IdentifierAnswer.self).id
    }

    /// `GET /networks/{id}`: all about a network, with the containers in it.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is none.
    public func inspectNetwork(_ id: String) async throws -> Network {
        try await decode(EngineCall("GET", "/networks/\(id)"))
    }

    /// `GET /networks`: the networks, without their containers.
    ///
    /// - Parameter filters: such as `["label": ["a=b"], "name": ["part"]]`.
    public func listNetworks(filters: EngineFilters = [:]) async throws -> [Network] {
        var call = EngineCall("GET", "/networks")
        try call.add(filters)
        return try await decode(call)
    }

    /// `POST /networks/{id}/connect`: puts a container into a network.
    public func connectNetwork(_ id: String, container: String, settings: EndpointSettings? = nil) async throws {
        var call = EngineCall("POST", "/networks/\(id)/connect")
        try call.setBody(NetworkConnection(container: container, settings: settings))
        try await perform(call)
    }

    /// `POST /networks/{id}/disconnect`: takes a container out of a network.
    public func disconnectNetwork(_ id: String, container: String, force: Bool = false) async throws {
        var call = EngineCall("POST", "/networks/\(id)/disconnect")
        try call.setBody(["Container": .string(container), "Force": .bool(force)] as JSONValue)
        try await perform(call)
    }

    /// `DELETE /networks/{id}`: removes a network.
    ///
    /// - Throws: ``DockerEngineError`` with status 403 if containers are in it.
    public func removeNetwork(_ id: String) async throws {
        try await perform(EngineCall("DELETE", "/networks/\(id)"))
    }
}
