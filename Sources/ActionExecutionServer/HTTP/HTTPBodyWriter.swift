/// Writes the body of a streamed response; valid until the closure that it was given to returns.
struct HTTPBodyWriter: Sendable {
    private let stream: HTTPResponseStream

    init(_ stream: HTTPResponseStream) {
        self.stream = stream
    }

    /// Suspends until the kernel has taken the bytes, which it does as fast as the peer reads.
    ///
    /// Several tasks may write at once: each call's bytes stay together, in the order of the calls.
    ///
    /// - Throws: ``HTTPBodyError/connectionLost`` and ``HTTPBodyError/timedOut`` when the peer is gone or doesn't read,
    ///   ``HTTPBodyError/cancelled``. The response is broken off then, and each further call throws.
    func write(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        try await stream.write(bytes)
    }
}

/// The body of one response while it is written.
actor HTTPResponseStream {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private enum State {
        case open
        /// A part of what should have been sent is missing.
        case broken(HTTPBodyError)
        case ended
    }

    private let connection: HTTPConnection
    private let isChunked: Bool
    private let turn: Turn
    private var state = State.open

    init(_ connection: HTTPConnection, isChunked: Bool) {
        loop = connection.loop
        self.connection = connection
        self.isChunked = isChunked
        turn = Turn(loop: connection.loop)
    }

    func write(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        guard await turn.take() else { throw .cancelled }
        let result: Result<Void, HTTPBodyError>
        do throws(HTTPBodyError) {
            result = .success(try await writeInTurn(bytes))
        } catch {
            result = .failure(error)
        }
        await turn.end()
        try result.get()
    }

    private func writeInTurn(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        try checkState()
        // Before the first byte: a chunk that is cut short would break the response.
        if Task.isCancelled { throw .cancelled }
        // An empty chunk would be the last one.
        if bytes.isEmpty { return }
        guard isChunked else { return try await send(bytes) }
        let size = String(bytes.count, radix: 16) + "\r\n"
        if bytes.count <= Self.copiedSize {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(size.utf8.count + bytes.count + 2)
            chunk.append(contentsOf: size.utf8)
            chunk.append(contentsOf: bytes)
            chunk.append(contentsOf: "\r\n".utf8)
            try await send(chunk)
        } else {
            try await send(Array(size.utf8))
            try await send(bytes)
            try await send(Array("\r\n".utf8))
        }
    }

    /// Up to this size, a copy costs less than another call of the system.
    private static let copiedSize = 64 * 1024

    /// Ends the body: nothing can be written afterwards.
    ///
    /// - Returns: whether all of it was sent.
    func end() async -> Bool {
        guard await turn.take() else { return false }
        if case .open = state {
            do throws(HTTPBodyError) {
                if isChunked { try await send(Array("0\r\n\r\n".utf8)) }
                state = .ended
                await turn.end()
                return true
            } catch {
                // Told by the state.
            }
        }
        await turn.end()
        return false
    }

    /// Ends the body without its last chunk.
    func breakOff() {
        if case .open = state { state = .broken(.exchangeEnded) }
    }

    /// The peer is gone.
    func lose() {
        if case .open = state { state = .broken(.connectionLost) }
    }

    /// Sends a byte that means nothing, so that the system of a peer that closed its socket says so.
    ///
    /// It is a leading zero of the next chunk's size, of which there may be any number (RFC 9112, section 7.1). Without
    /// chunks there is no such byte.
    func probe() async {
        guard isChunked, await turn.take() else { return }
        if case .open = state { try? await send([UInt8(ascii: "0")]) }
        await turn.end()
    }

    private func checkState() throws(HTTPBodyError) {
        switch state {
        case .open: return
        case .broken(let error): throw error
        case .ended: throw .exchangeEnded
        }
    }

    private func send(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        do throws(HTTPBodyError) {
            try await connection.send(bytes)
        } catch {
            state = .broken(error)
            throw error
        }
    }
}
