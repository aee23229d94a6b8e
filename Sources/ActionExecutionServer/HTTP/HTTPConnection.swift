#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A request with its whole body.
struct HTTPRequest: Sendable {
    var head: HTTPRequestHead
    var body: [UInt8]
}

/// Answers a request; runs on the server's loop.
typealias HTTPHandler = @Sendable (HTTPRequest) async -> HTTPResponse

/// Times after which a connection is given up.
struct HTTPTimeouts: Sendable {
    /// From the first byte of a request to its last.
    var request: Duration = .seconds(60)
    /// Between requests.
    var idle: Duration = .seconds(300)
    /// For the peer to take a response.
    var response: Duration = .seconds(60)
    /// For the peer to end its side when the server has ended its own.
    var closing: Duration = .seconds(2)
}

/// One connection: requests are read, answered and written in order until the peer or an error ends it.
actor HTTPConnection {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let descriptor: Int32
    private let timeouts: HTTPTimeouts
    private let handler: HTTPHandler
    private let check: @Sendable (HTTPRequestHead) -> HTTPResponse?
    private var parser: HTTPRequestParser

    /// Takes over an accepted socket, which ``run()`` closes.
    ///
    /// - Parameter check: looks at the head before the body is read, and refuses the request with the response it gives.
    init(
        descriptor: Int32,
        loop: EventLoop,
        limits: HTTPRequestParser.Limits,
        timeouts: HTTPTimeouts,
        check: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse?,
        handler: @escaping HTTPHandler
    ) {
        self.descriptor = descriptor
        self.loop = loop
        self.timeouts = timeouts
        self.check = check
        self.handler = handler
        parser = HTTPRequestParser(limits: limits)
    }

    /// Serves the connection until it ends or the task is cancelled.
    ///
    /// A request that is being answered when the task is cancelled is answered, as far as the system takes the response
    /// without delay.
    func run() async {
        defer { _ = close(descriptor) }
        do {
            while let request = try await nextRequest() {
                let keepsConnection = request.head.keepsConnection && !Task.isCancelled
                let response = await handler(request)
                let bytes = response.encoded(keepsConnection: keepsConnection, omitsBody: request.head.method == "HEAD")
                guard await send(bytes), keepsConnection else { break }
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

    /// The next request, or nil when there is none: closed, idle for too long, refused by the check, or cancelled.
    private func nextRequest() async throws(HTTPParseError) -> HTTPRequest? {
        var head: HTTPRequestHead?
        var body: [UInt8] = []
        var deadline = ContinuousClock.now + (parser.isWithinRequest ? timeouts.request : timeouts.idle)
        while true {
            while let part = try parser.next() {
                switch part {
                case .head(let found):
                    if let refusal = check(found) {
                        await refuse(refusal)
                        return nil
                    }
                    if found.expectsContinue, found.body != .none {
                        guard await send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) else { return nil }
                    }
                    head = found
                case .body(let bytes):
                    if body.isEmpty { body = bytes } else { body.append(contentsOf: bytes) }
                case .end:
                    guard let head else { return nil }
                    return HTTPRequest(head: head, body: body)
                }
            }
            let wasWithinRequest = parser.isWithinRequest
            switch await receive(until: deadline) {
            case .bytes:
                if !wasWithinRequest { deadline = .now + timeouts.request }
            case .closed:
                return nil
            case .timedOut:
                if parser.isWithinRequest {
                    await refuse(HTTPResponse(detail: "The request took too long to arrive", status: 408))
                }
                return nil
            }
        }
    }

    private enum Received {
        case bytes
        case closed
        case timedOut
    }

    /// Feeds the parser with what has arrived, or waits for it.
    private func receive(until deadline: ContinuousClock.Instant) async -> Received {
        while true {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 { parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            if count > 0 { return .bytes }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default: return .closed
            }
            switch await loop.wait(for: [.readable(descriptor)], until: deadline) {
            case .ready: continue
            case .timedOut: return .timedOut
            case .cancelled: return .closed
            }
        }
    }

    /// Whether all bytes were taken by the system.
    private func send(_ bytes: [UInt8]) async -> Bool {
        var sent = 0
        let deadline = ContinuousClock.now + timeouts.response
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
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default: return false
            }
            guard await loop.wait(for: [.writable(descriptor)], until: deadline) == .ready else { return false }
        }
        return true
    }

    /// Answers and ends the connection, since what follows on it can't be told from the refused request's body.
    private func refuse(_ response: HTTPResponse) async {
        _ = await send(response.encoded(keepsConnection: false))
    }

    /// Ends the sending side and takes what the peer still sends, within limits: closing with unread bytes would make
    /// the system reset the connection, and the peer could lose the response (RFC 9112, section 9.6).
    private func finishSending() async {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let deadline = ContinuousClock.now + timeouts.closing
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
