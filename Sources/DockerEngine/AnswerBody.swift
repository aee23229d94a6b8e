internal import CurlHTTP

/// The body of an answer that goes on, of which the head may still be to come.
///
/// Docker sends the head of such an answer at once, and so says that it has begun. Podman (4.3) sends it only when there is
/// something to tell, such as the end of a container that isn't even started: who waited for it would never start it.
enum AnswerBody: Sendable {
    case arrived(HTTPResponse.Body)
    case pending(PendingAnswer)

    /// The body, once the head is there.
    ///
    /// - Throws: ``DockerEngineError``, `CancellationError`.
    func value() async throws -> HTTPResponse.Body {
        switch self {
        case .arrived(let body): body
        case .pending(let answer): try await answer.body()
        }
    }
}

/// A call that was sent; it ends with this object.
final class PendingAnswer: Sendable {
    private let task: Task<HTTPResponse.Body, any Error>

    init(_ call: EngineCall, on engine: DockerEngineClient) {
        task = Task { try await engine.open(call).body }
    }

    deinit {
        task.cancel()
    }

    func body() async throws -> HTTPResponse.Body {
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

extension DockerEngineClient {
    /// Sends a call whose answer goes on, and returns when it has begun, as far as the engine says so.
    func begin(_ call: EngineCall) async throws -> AnswerBody {
        if try await isPodman() { return .pending(PendingAnswer(call, on: self)) }
        return .arrived(try await open(call).body)
    }
}
