#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Answers a request; runs on the server's loop.
///
/// An error of reading the body is answered as ``HTTPBodyError/response`` says.
typealias HTTPHandler = @Sendable (HTTPRequestHead, HTTPBodyReader) async throws(HTTPBodyError) -> HTTPResponse

/// One connection: requests are read, answered and written in order until the peer or an error ends it.
actor HTTPConnection {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let descriptor: Int32
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
        self.descriptor = descriptor
        self.loop = loop
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
        defer { _ = close(descriptor) }
        do {
            while let head = try await nextHead() {
                guard await answer(head) else { break }
            }
        } catch {
            await refuse(HTTPResponse(detail: error.detail, status: error.status))
        }
        await finishSending()
    }

    /// Answers the connection with a refusal instead of serving it.
    func run(refusingWith response: HTTPResponse) async {
        defer { _ = close(descriptor) }
        await refuse(response)
        await finishSending()
    }

    // MARK: Requests

    /// The next request, or nil when there is none: closed, idle for too long, refused by the check, or cancelled.
    private func nextHead() async throws(HTTPParseError) -> HTTPRequestHead? {
        var deadline = ContinuousClock.now + (parser.isWithinRequest ? limits.headTime : limits.idleTime)
        while true {
            if case .head(let head) = try parser.next() {
                if let refusal = check(head) {
                    await refuse(refusal)
                    return nil
                }
                return head
            }
            let wasWithinRequest = parser.isWithinRequest
            switch await receive(until: deadline) {
            case .bytes:
                if !wasWithinRequest { deadline = .now + limits.headTime }
            case .closed, .cancelled:
                return nil
            case .timedOut:
                if parser.isWithinRequest {
                    await refuse(HTTPResponse(detail: "The request took too long to arrive", status: 408))
                }
                return nil
            }
        }
    }

    /// Has the request answered.
    ///
    /// - Returns: whether the connection is at the beginning of another one.
    private func answer(_ head: HTTPRequestHead) async -> Bool {
        exchange += 1
        bodyHasEnded = false
        owesContinue = head.expectsContinue && head.hasBody
        patience = TransferPatience(limits)
        if !head.hasBody { _ = try? await nextBodyPiece(of: exchange) }
        let reader = HTTPBodyReader(self, exchange: exchange, framing: head.body)
        // From here on a reader that was kept reads nothing.
        defer { exchange += 1 }
        let response: HTTPResponse
        do throws(HTTPBodyError) {
            response = try await handler(head, reader)
        } catch {
            if let refusal = error.response { await refuse(refusal) }
            return false
        }
        let keepsConnection = head.keepsConnection && !Task.isCancelled && mayReachNextRequest
        switch response.body {
        case .bytes(let bytes):
            let responseHead = response.encodedHead(.length(bytes.count), keepsConnection: keepsConnection)
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
            if !parser.hasBytes { try await send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
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
                try await send(bytes)
            } else {
                try await send(bytes)
                try await send(body)
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
        let stream = HTTPResponseStream(self, isChunked: isChunked)
        let isWhole = await withTaskGroup(of: Bool?.self) { group in
            group.addTask(executorPreference: loop) {
                do {
                    try await produce(HTTPBodyWriter(stream))
                    return await stream.end()
                } catch {
                    await stream.breakOff()
                    return false
                }
            }
            group.addTask(executorPreference: loop) {
                guard await self.waitForLoss(of: stream) else { return nil }
                await stream.lose()
                return false
            }
            defer { group.cancelAll() }
            for await isWhole in group.compactMap({ $0 }) { return isWhole }
            return false
        }
        // The end of the connection is the end of the body: only a reset says that it came too soon.
        if !isWhole, !isChunked { mustReset = true }
        return isWhole && isChunked
    }

    /// Waits for the peer to go away.
    ///
    /// A peer that has only ended its sending side still reads, but the system tells the one from the other only when
    /// something is sent.
    ///
    /// - Returns: false when the task was cancelled.
    private func waitForLoss(of stream: HTTPResponseStream) async -> Bool {
        #if os(Linux)
        // POLLRDHUP, which not every C library shows.
        let endOfSending = EventLoop.Interest(descriptor: descriptor, events: 0x2000)
        guard await loop.wait(for: [endOfSending]) == .ready else { return false }
        if isHungUp { return true }
        await stream.probe()
        return await loop.wait(for: [.init(descriptor: descriptor, events: 0)]) == .ready
        #else
        // `poll` doesn't tell the one from the other: the next write does.
        _ = await loop.wait()
        return false
        #endif
    }

    private var isHungUp: Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0
    }

    /// Makes closing reset the connection.
    private func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Answers and ends the connection, since what follows on it can't be told from the refused request's body.
    private func refuse(_ response: HTTPResponse) async {
        guard case .bytes(let bytes) = response.body else { return }
        _ = await send(response.encodedHead(.length(bytes.count), keepsConnection: false), with: bytes)
    }

    // MARK: Socket

    private enum Received {
        case bytes(Int)
        case closed
        case timedOut
        case cancelled
    }

    /// Feeds the parser with what has arrived, or waits for it.
    private func receive(until deadline: ContinuousClock.Instant) async -> Received {
        while true {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 { parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default: return .closed
            }
            switch await loop.wait(for: [.readable(descriptor)], until: deadline) {
            case .ready: continue
            case .timedOut: return .timedOut
            case .cancelled: return .cancelled
            }
        }
    }

    /// Suspends until the system has taken all bytes.
    func send(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        var sent = 0
        var patience = TransferPatience(limits)
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { buffer in
                #if canImport(Darwin)
                systemSend(descriptor, buffer.baseAddress, buffer.count, 0)
                #else
                systemSend(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
                #endif
            }
            if count >= 0 {
                sent += count
                patience.transfer(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default: throw .connectionLost
            }
            let start = ContinuousClock.now
            switch await loop.wait(for: [.writable(descriptor)], until: start + patience.left) {
            case .ready: patience.wait(.now - start)
            case .timedOut: throw .timedOut
            case .cancelled: throw .cancelled
            }
        }
    }

    /// Ends the sending side and takes what the peer still sends, within limits: closing with unread bytes would make
    /// the system reset the connection, and the peer could lose the response (RFC 9112, section 9.6).
    private func finishSending() async {
        if mustReset { return reset() }
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let deadline = ContinuousClock.now + limits.closingTime
        repeat {
            let isOpen = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
                for _ in 0..<16 {
                    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                    if count <= 0 { return count < 0 && (errno == EAGAIN || errno == EINTR) }
                }
                return true
            }
            guard isOpen, ContinuousClock.now < deadline else { return }
        } while await loop.wait(for: [.readable(descriptor)], until: deadline) == .ready
    }
}

/// `send` of the C library, which a method of the same name would hide.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
