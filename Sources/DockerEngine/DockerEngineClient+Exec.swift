internal import CurlHTTP

extension DockerEngineClient {
    /// `POST /containers/{id}/exec`: prepares a program to run in a container that runs.
    ///
    /// - Returns: the id to start it with.
    public func createExec(_ request: ExecRequest, in container: String) async throws -> String {
        var call = EngineCall("POST", "/containers/\(container)/exec")
        try call.setBody(request)
        return try await decode(call, as: IdentifierAnswer.self).id
    }

    /// `POST /exec/{id}/start`, detached: starts it and doesn't wait.
    public func startExec(_ id: String) async throws {
        var call = EngineCall("POST", "/exec/\(id)/start")
        try call.setBody(["Detach": true, "Tty": false] as JSONValue)
        try await perform(call)
    }

    /// `POST /exec/{id}/start`, attached: starts it and returns its output, which ends with it.
    ///
    /// It gets no input.
    ///
    /// - Parameter tty: as in the request that it was created with.
    public func attachExec(_ id: String, tty: Bool = false) async throws -> LogFrames {
        var call = EngineCall("POST", "/exec/\(id)/start")
        try call.setBody(["Detach": false, "Tty": .bool(tty)] as JSONValue)
        call.timeLimit = .none
        return LogFrames(body: .arrived(try await open(call).body), call: call.name, isRaw: tty)
    }

    /// `GET /exec/{id}/json`: what became of it.
    public func inspectExec(_ id: String) async throws -> ExecInspection {
        try await decode(EngineCall("GET", "/exec/\(id)/json"))
    }
}
