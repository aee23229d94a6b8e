internal import Synchronization

/// One exchange, as its reader, the source of its request body and the loop's thread share it.
///
/// Everything that changes is behind one lock. Under it only the two buffers decide; continuations are resumed and
/// commands posted after it is released.
final class Transfer: Sendable {
    let id: UInt64
    let request: PreparedRequest
    private let loop: TransferLoop
    private let state: Mutex<State>

    private struct State {
        var response: ResponseBuffer
        var body: RequestBuffer
        var reader: Reader?
        var source: CheckedContinuation<Void, Never>?
        var upload: Task<Void, Never>?
    }

    private enum Reader {
        case head(CheckedContinuation<HTTPResponseHead, any Error>)
        case chunk(CheckedContinuation<[UInt8]?, any Error>)
    }

    init(id: UInt64, request: PreparedRequest, loop: TransferLoop, configuration: HTTPClientConfiguration) {
        self.id = id
        self.request = request
        self.loop = loop
        let body =
            switch request.request.body.content {
            case .none: RequestBuffer(bytes: [])
            case .bytes(let bytes): RequestBuffer(bytes: bytes)
            case .stream(_, let length): RequestBuffer(capacity: configuration.requestBufferSize, length: length)
            }
        state = Mutex(State(response: ResponseBuffer(capacity: configuration.responseBufferSize), body: body))
    }
}

// MARK: - The reader's side

extension Transfer {
    /// Waits for the head of the response.
    func head() async throws -> HTTPResponseHead {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<HTTPResponseHead, any Error>? = state.withLock { state in
                    // Cancellation or a failure may have come before this registration: then the buffer knows.
                    switch state.response.takeHead() {
                    case .value(let result), .valueAndResume(let result):
                        return result
                    case .wait:
                        state.reader = .head(continuation)
                        return nil
                    }
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            abandon()
        }
    }

    /// Waits for the next bytes of the body; `nil` at its end.
    func nextChunk(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
        if Task.isCancelled { abandon() }
        if let result = takeChunk(orRegister: nil) { return try result.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if let result = takeChunk(orRegister: continuation) { continuation.resume(with: result) }
            }
        } onCancel: {
            abandon()
        }
    }

    private func takeChunk(
        orRegister continuation: CheckedContinuation<[UInt8]?, any Error>?
    ) -> Result<[UInt8]?, any Error>? {
        let (result, resumes): (Result<[UInt8]?, any Error>?, Bool) = state.withLock { state in
            guard state.reader == nil else {
                return (
                    .failure(request.error(.invalidRequest, "the response's body already has a waiting reader")), false
                )
            }
            switch state.response.takeChunk() {
            case .value(let result):
                return (result, false)
            case .valueAndResume(let result):
                return (result, true)
            case .wait:
                if let continuation { state.reader = .chunk(continuation) }
                return (nil, false)
            }
        }
        if resumes { loop.post(.resumeReceiving(id)) }
        return result
    }

    /// Ends the transfer because the body is larger than its reader wants, and says so.
    func abort(reading amount: String, limit: Int) -> HTTPError {
        let error = request.error(.bodyTooLarge(limit: limit), amount)
        abandon()
        return error
    }

    /// Ends the transfer because nobody reads on, or the reader was cancelled.
    ///
    /// A reader that waits learns it at once; the loop removes the handle soon after.
    func abandon() {
        let isRunning = state.withLock { state in
            let isRunning = !state.response.hasEnded
            state.response.discard(CancellationError())
            return isRunning
        }
        wake()
        if isRunning { loop.post(.remove(id)) }
    }

    /// Ends the transfer because its request's body can't be completed.
    ///
    /// Too late if the response is already there.
    private func fail(_ error: any Error) {
        let isRunning = state.withLock { state in
            guard !state.response.hasEnded else { return false }
            state.response.discard(error)
            return true
        }
        guard isRunning else { return }
        wake()
        loop.post(.remove(id))
    }
}

// MARK: - The request body's side

extension Transfer {
    /// Starts to pull the request's body, if that is a stream.
    ///
    /// The task ends with the transfer at the latest.
    func startUpload() {
        guard case .stream(let source, _) = request.request.body.content else { return }
        // The exchange owns this task: `wake` cancels it once the transfer has ended, whoever ended it.
        let task = Task {
            do {
                try await waitForRoom()
                try await source { chunk in
                    try self.offer(chunk)
                    try await self.waitForRoom()
                }
                try endBody()
            } catch let mismatch as RequestBuffer.LengthMismatch {
                fail(
                    request.error(
                        .invalidRequest,
                        "the body was announced with \(mismatch.announced) bytes and its source gave \(mismatch.offered)"
                    )
                )
            } catch {
                fail(error)
            }
        }
        let hasEnded = state.withLock { state in
            state.upload = task
            return state.response.hasEnded
        }
        if hasEnded { task.cancel() }
    }

    private func offer(_ chunk: [UInt8]) throws {
        if try state.withLock({ try $0.body.offer(chunk) }) { loop.post(.resumeSending(id)) }
    }

    private func endBody() throws {
        if try state.withLock({ try $0.body.finish() }) { loop.post(.resumeSending(id)) }
    }

    /// Waits until libcurl wants more.
    ///
    /// Cancellation isn't handled here: it comes from the end of the transfer, which resumes the wait.
    private func waitForRoom() async throws {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                guard !state.response.hasEnded, !state.body.hasRoom else { return true }
                state.source = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
        try Task.checkCancellation()
    }
}

// MARK: - The loop's side, on its thread

extension Transfer {
    func receiveHead(_ head: HTTPResponseHead) {
        state.withLock { $0.response.receiveHead(head) }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.withLock { $0.response.receive(bytes) }
    }

    func readBody(into target: UnsafeMutableRawBufferPointer) -> RequestBuffer.Read {
        state.withLock { $0.body.read(into: target) }
    }

    func rewindBody(to position: Int) -> Bool {
        state.withLock { $0.body.rewind(to: position) }
    }

    func finish(_ result: Result<Void, any Error>) {
        state.withLock { $0.response.finish(result) }
    }

    /// Resumes whoever can go on.
    ///
    /// The loop calls it after each round, not from libcurl's callbacks, so that a reader finds all that the round
    /// brought: a small response takes one hand-over, not one for the head and one for the body.
    func wake() {
        struct Wakeups {
            var head: (CheckedContinuation<HTTPResponseHead, any Error>, Result<HTTPResponseHead, any Error>)?
            var chunk: (CheckedContinuation<[UInt8]?, any Error>, Result<[UInt8]?, any Error>)?
            var source: CheckedContinuation<Void, Never>?
            var finishedUpload: Task<Void, Never>?
            var resumesReceiving = false
        }
        let wakeups = state.withLock { state in
            var wakeups = Wakeups()
            switch state.reader {
            case .head(let continuation):
                if case .value(let result) = state.response.takeHead() {
                    wakeups.head = (continuation, result)
                    state.reader = nil
                }
            case .chunk(let continuation):
                switch state.response.takeChunk() {
                case .wait:
                    break
                case .value(let result):
                    wakeups.chunk = (continuation, result)
                    state.reader = nil
                case .valueAndResume(let result):
                    wakeups.chunk = (continuation, result)
                    wakeups.resumesReceiving = true
                    state.reader = nil
                }
            case nil:
                break
            }
            if state.response.hasEnded || state.body.hasRoom {
                wakeups.source = state.source
                state.source = nil
            }
            if state.response.hasEnded {
                wakeups.finishedUpload = state.upload
                state.upload = nil
            }
            return wakeups
        }
        // Before the source goes on, so that it sees the cancellation.
        wakeups.finishedUpload?.cancel()
        wakeups.source?.resume()
        if wakeups.resumesReceiving { loop.post(.resumeReceiving(id)) }
        if let (continuation, result) = wakeups.head { continuation.resume(with: result) }
        if let (continuation, result) = wakeups.chunk { continuation.resume(with: result) }
    }
}
