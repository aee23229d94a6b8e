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

    private let socket: PeerSocket
    private let isChunked: Bool
    private let turn: Turn
    private var state = State.open

    init(_ socket: PeerSocket, isChunked: Bool) {
        loop = socket.loop
        self.socket = socket
        self.isChunked = isChunked
        turn = Turn(loop: socket.loop)
    }

    /// Has the body made, in a task that is cancelled when the peer goes away.
    ///
    /// - Returns: whether all of it was sent.
    func run(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) async -> Bool {
        await withTaskGroup(of: Bool?.self) { group in
            group.addTask(executorPreference: loop) {
                do {
                    try await produce(HTTPBodyWriter(self))
                    return await self.end()
                } catch {
                    await self.breakOff(.exchangeEnded)
                    return false
                }
            }
            group.addTask(executorPreference: loop) {
                guard await self.waitForLoss() else { return nil }
                await self.breakOff(.connectionLost)
                return false
            }
            defer { group.cancelAll() }
            for await isWhole in group.compactMap({ $0 }) { return isWhole }
            return false
        }
    }

    // MARK: Writing

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

    // MARK: The end

    /// Ends the body: nothing can be written afterwards.
    ///
    /// - Returns: whether all of it was sent.
    private func end() async -> Bool {
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
    private func breakOff(_ error: HTTPBodyError) {
        if case .open = state { state = .broken(error) }
    }

    /// Waits for the peer to go away.
    ///
    /// A peer that has only ended its sending side still reads, but the system tells the one from the other only when
    /// something is sent.
    ///
    /// - Returns: false when the task was cancelled.
    private func waitForLoss() async -> Bool {
        #if os(Linux)
        guard await loop.wait(for: [socket.endOfPeer]) == .ready else { return false }
        if socket.isLost { return true }
        await probe()
        return await loop.wait(for: [socket.loss]) == .ready
        #else
        // `poll` doesn't tell the one from the other: the next write does.
        _ = await loop.wait()
        return false
        #endif
    }

    /// Sends a byte that means nothing, so that the system of a peer that closed its socket says so.
    ///
    /// It is a leading zero of the next chunk's size, of which there may be any number (RFC 9112, section 7.1). Without
    /// chunks there is no such byte.
    private func probe() async {
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
            try await socket.send(bytes)
        } catch {
            state = .broken(error)
            throw error
        }
    }
}
