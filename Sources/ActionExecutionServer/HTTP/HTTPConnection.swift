/// Answers a request; runs on the server's loop.
///
/// An error of reading the body is answered as ``HTTPBodyError/response`` says.
typealias HTTPHandler = @Sendable (HTTPRequestHead, HTTPBodyReader) async throws(HTTPBodyError) -> HTTPResponse

/// One connection: requests are read, answered and written in order until the peer or an error ends it.
actor HTTPConnection {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let socket: PeerSocket
    private let limits: HTTPLimits
    private let handler: HTTPHandler
    private let check: @Sendable (HTTPRequestHead) -> HTTPResponse?
    private var parser: HTTPRequestParser

    /// The number of the request that is being answered.
    private var exchange = 0
    private var bodyHasEnded = true
    /// The peer waits to be told before it sends the body.
    private var owesContinue = false
    private var patience: TransferPatience
    /// The server ends: no other request is taken.
    private var isDraining = false
    private var isAnswering = false
    /// What ends when the server does: waiting for a request, or for the peer to close.
    private var pause: EventLoop.WaitID?
    /// The peer must not take what it got for a whole response.
    private var mustReset = false

    /// Takes over an accepted socket, which ``run()`` closes.
    ///
    /// - Parameter check: looks at the head before the body is read, and refuses the request with the response it gives.
    init(
        descriptor: Int32,
        loop: EventLoop,
        limits: HTTPLimits,
        check: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse?,
        handler: @escaping HTTPHandler
    ) {
        self.loop = loop
        socket = PeerSocket(descriptor: descriptor, loop: loop, limits: limits)
        self.limits = limits
        self.check = check
        self.handler = handler
        parser = HTTPRequestParser(
            limits: .init(head: limits.headSize, fieldCount: limits.fieldCount, body: limits.streamedBodySize)
        )
        patience = TransferPatience(limits)
    }

    /// Serves the connection until it ends or the task is cancelled.
    ///
    /// A request that is being answered when the task is cancelled is answered, as far as the system takes the response
    /// without delay.
    func run() async {
        defer { socket.close() }
        do {
            while let head = try await nextHead() {
                guard await answer(head) else { break }
            }
        } catch {
            await refuse(HTTPResponse(detail: error.detail, status: error.status))
        }
        await finishSending()
    }

    /// Ends the connection with a refusal, or without, instead of serving it.
    func refuse(with response: HTTPResponse?) async {
        defer { socket.close() }
        guard let response else { return }
        await refuse(response)
        await finishSending()
    }

    // MARK: The end of the server

    /// Ends the connection as soon as no request is being answered; one that is still sent is refused with 503.
    func drain() {
        isDraining = true
        if let pause { loop.notify(pause) }
    }

    /// What ends the wait for a response; nil when nobody waits for one here.
    ///
    /// A peer that has ended its side may wait or not. Most that did are gone.
    var waitingPeer: EventLoop.Interest? {
        isAnswering && !socket.hasEnded ? socket.endOfPeer : nil
    }

    // MARK: Requests

    /// The next request, or nil when there is none: closed, idle for too long, refused, or the server ends.
    private func nextHead() async throws(HTTPParseError) -> HTTPRequestHead? {
        var deadline = ContinuousClock.now + limits.idleTime
        var hasBegun = false
        while true {
            if case .head(let head) = try parser.next() {
                guard let refusal = refusal(of: head) else { return head }
                await refuse(refusal)
                return nil
            }
            if !hasBegun, parser.isWithinRequest {
                hasBegun = true
                deadline = .now + limits.headTime
            }
            switch await receive(until: deadline, isPause: !hasBegun) {
            case .bytes:
                continue
            case .closed, .cancelled:
                return nil
            case .timedOut:
                if hasBegun { await refuse(HTTPResponse(detail: "The request took too long to arrive", status: 408)) }
                return nil
            }
        }
    }

    private func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        if let refusal = check(head) { return refusal }
        if isDraining { return HTTPResponse(detail: "The server is shutting down", status: 503) }
        if head.hasUnknownExpectation { return HTTPResponse(detail: "Only 100-continue can be expected", status: 417) }
        return nil
    }

    /// Has the request answered.
    ///
    /// - Returns: whether the connection is at the beginning of another one.
    private func answer(_ head: HTTPRequestHead) async -> Bool {
        exchange += 1
        isAnswering = true
        bodyHasEnded = false
        owesContinue = head.expectsContinue && head.hasBody
        patience = TransferPatience(limits)
        if !head.hasBody { _ = try? await nextBodyPiece(of: exchange) }
        let reader = HTTPBodyReader(self, exchange: exchange, framing: head.body)
        defer {
            isAnswering = false
            // A reader that was kept reads nothing.
            exchange += 1
        }
        let response: HTTPResponse
        do throws(HTTPBodyError) {
            response = try await handler(head, reader)
        } catch {
            if let refusal = error.response { await refuse(refusal) }
            return false
        }
        let keepsConnection = head.keepsConnection && !isDraining && !Task.isCancelled && mayReachNextRequest
        switch response.body {
        case .bytes(let bytes):
            let responseHead = response.encodedHead(
                .length(bytes.count),
                keepsConnection: keepsConnection,
                minorVersion: head.minorVersion
            )
            guard await send(responseHead, with: head.method == "HEAD" ? [] : bytes) else { return false }
        case .stream(let produce):
            guard await send(response, from: produce, to: head, keepsConnection: keepsConnection) else { return false }
        }
        guard keepsConnection else { return false }
        return bodyHasEnded ? true : await drainBody()
    }

    // MARK: Request bodies

    /// The next piece of the current request's body; nil at its end.
    func nextBodyPiece(of exchange: Int) async throws(HTTPBodyError) -> [UInt8]? {
        guard exchange == self.exchange else { throw .exchangeEnded }
        if bodyHasEnded { return nil }
        if owesContinue {
            owesContinue = false
            // RFC 9110, section 10.1.1: not needed when the body comes already.
            if parser.pendingSize == 0 { try await socket.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        }
        while true {
            do throws(HTTPParseError) {
                switch try parser.next() {
                case .body(let bytes): return bytes
                case .end, .head:
                    bodyHasEnded = true
                    return nil
                case nil: break
                }
            } catch {
                throw .refused(error)
            }
            try await receiveBody()
        }
    }

    private func receiveBody() async throws(HTTPBodyError) {
        let start = ContinuousClock.now
        let received = await receive(until: start + patience.left)
        patience.wait(.now - start)
        switch received {
        case .bytes(let count): patience.transfer(count)
        case .closed: throw .connectionLost
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        }
    }

    /// Whether the body can be read to its end, so that another request may follow on the connection.
    private var mayReachNextRequest: Bool {
        if bodyHasEnded { return true }
        // A peer that wasn't told to go on may send its next request instead of the body, or the body.
        if owesContinue { return false }
        guard let left = parser.bodyBytesLeft else { return true }
        return left <= limits.drainedSize
    }

    /// Reads what the handler didn't of the body.
    ///
    /// - Returns: false when that is more than it's worth, or fails.
    private func drainBody() async -> Bool {
        var left = limits.drainedSize
        do throws(HTTPBodyError) {
            while let piece = try await nextBodyPiece(of: exchange) {
                left -= piece.count
                if left < 0 { return false }
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: Responses

    private func send(_ head: String, with body: [UInt8]) async -> Bool {
        do throws(HTTPBodyError) {
            var bytes = Array(head.utf8)
            // Up to this size, a copy costs less than another call of the system.
            if body.count <= 64 * 1024 {
                bytes.append(contentsOf: body)
                try await socket.send(bytes)
            } else {
                try await socket.send(bytes)
                try await socket.send(body)
            }
            return true
        } catch {
            return false
        }
    }

    /// Sends a response whose body is made meanwhile.
    ///
    /// - Returns: whether all of it was sent and the connection is still good.
    private func send(
        _ response: HTTPResponse,
        from produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void,
        to request: HTTPRequestHead,
        keepsConnection: Bool
    ) async -> Bool {
        let isChunked = request.minorVersion == 1
        let head = response.encodedHead(
            isChunked ? .chunked : .untilClose,
            keepsConnection: keepsConnection && isChunked
        )
        guard await send(head, with: []) else { return false }
        if request.method == "HEAD" { return isChunked }
        let isWhole = await HTTPResponseStream(socket, isChunked: isChunked).run(produce)
        // The end of the connection is the end of the body: only a reset says that it came too soon.
        if !isWhole, !isChunked { mustReset = true }
        return isWhole && isChunked
    }

    /// Answers and ends the connection, since what follows on it can't be told from the refused request's body.
    private func refuse(_ response: HTTPResponse) async {
        guard case .bytes(let bytes) = response.body else { return }
        _ = await send(response.encodedHead(.length(bytes.count), keepsConnection: false), with: bytes)
    }

    /// Ends the sending side and takes what the peer still sends, within limits: closing with unread bytes would make
    /// the system reset the connection, and the peer could lose the response (RFC 9112, section 9.6).
    private func finishSending() async {
        if mustReset { return socket.resetAtClose() }
        guard socket.finishSending() else { return }
        let deadline = ContinuousClock.now + limits.closingTime
        repeat {
            var received = PeerSocket.Received.nothing
            for _ in 0..<16 {
                received = socket.receive { _ in }
                guard case .bytes = received else { break }
            }
            if case .closed = received { return }
            guard !isDraining, ContinuousClock.now < deadline else { return }
        } while await waitInPause(until: deadline) == .ready
    }

    // MARK: Receiving

    private enum Received {
        case bytes(Int)
        case closed
        case timedOut
        case cancelled
    }

    /// Feeds the parser with what has arrived, or waits for it.
    ///
    /// - Parameter isPause: between requests, where the end of the server is the end.
    private func receive(until deadline: ContinuousClock.Instant, isPause: Bool = false) async -> Received {
        while true {
            switch socket.receive({ parser.append($0) }) {
            case .bytes(let count): return .bytes(count)
            case .closed: return .closed
            case .nothing: break
            }
            if isPause, isDraining { return .cancelled }
            let outcome =
                if isPause {
                    await waitInPause(until: deadline)
                } else {
                    await loop.wait(for: [.readable(socket.descriptor)], until: deadline)
                }
            switch outcome {
            case .ready: continue
            case .timedOut: return .timedOut
            case .cancelled: return .cancelled
            }
        }
    }

    /// Waits for bytes, or for the end of the server.
    private func waitInPause(until deadline: ContinuousClock.Instant) async -> EventLoop.Outcome {
        let id = loop.makeWaitID()
        pause = id
        defer {
            pause = nil
            loop.forget(id)
        }
        return await loop.wait(for: [.readable(socket.descriptor)], until: deadline, id: id)
    }
}
