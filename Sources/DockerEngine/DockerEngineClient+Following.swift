internal import CurlHTTP

// Calls that begin before a container is started, so that nothing of it is missed.

extension DockerEngineClient {
    /// `POST /containers/{id}/attach`: what a container writes from now on, as it comes.
    ///
    /// Unlike ``containerLogs(_:options:)`` it can begin before the container is started, and needs no log to be kept: what the first
    /// moments of a container that ends at once have to say isn't lost. It ends when the container does.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is no such container.
    public func attachContainer(_ id: String) async throws -> LogFrames {
        let isRaw = try await inspectContainer(id).configuration.tty == true
        var call = EngineCall("POST", "/containers/\(id)/attach")
        call.timeLimit = .none
        call.add("stream", true)
        call.add("stdout", true)
        call.add("stderr", true)
        return LogFrames(body: try await begin(call), call: call.name, isRaw: isRaw)
    }

    /// `POST /containers/{id}/wait`: begins to wait for a container to end.
    ///
    /// The engine waits once this has returned; begun before the container is started, the end isn't missed, however soon it comes.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is no such container.
    public func beginWaiting(for condition: WaitCondition, of id: String) async throws -> ContainerExit {
        var call = EngineCall("POST", "/containers/\(id)/wait")
        call.timeLimit = .none
        call.add("condition", condition.rawValue)
        return ContainerExit(
            body: try await begin(call),
            call: call.name,
            maximumResponseSize: configuration.maximumResponseSize
        )
    }
}

/// The end of a container, which the engine tells when it comes.
public struct ContainerExit: Sendable {
    let body: AnswerBody
    let call: String
    let maximumResponseSize: Int

    /// Waits for the end; call it once.
    ///
    /// - Returns: the exit code.
    /// - Throws: ``DockerEngineError/operationFailed(message:call:)`` if the engine can't tell, or `CancellationError`.
    public func exitCode() async throws -> Int {
        do {
            let answer = try EngineJSON.decode(
                WaitAnswer.self,
                from: try await body.value().collect(upTo: maximumResponseSize),
                call: call
            )
            if let message = answer.failure?.message, !message.isEmpty {
                throw DockerEngineError.operationFailed(message: message, call: call)
            }
            return answer.exitCode
        } catch let error as HTTPError {
            throw DockerEngineError.transport(call: call, underlying: error)
        }
    }
}
