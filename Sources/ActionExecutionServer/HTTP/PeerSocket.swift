#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The connected socket of a peer; not closed by itself.
struct PeerSocket: Sendable {
    let descriptor: Int32
    let loop: EventLoop
    let limits: HTTPLimits

    enum Received {
        case bytes(Int)
        /// Nothing is there now.
        case nothing
        /// The peer has ended its sending side, or is gone.
        case closed
    }

    /// Takes what has arrived, up to a measure, without waiting.
    func receive(_ body: (UnsafeRawBufferPointer) -> Void) -> Received {
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            while true {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 {
                    body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    return .bytes(count)
                }
                if count == 0 { return .closed }
                if errno == EINTR { continue }
                return errno == EAGAIN ? .nothing : .closed
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

    // MARK: The end

    /// Ready when the peer has ended its sending side, or is gone.
    var endOfPeer: EventLoop.Interest {
        #if os(Linux)
        // POLLRDHUP, which not every C library shows.
        EventLoop.Interest(descriptor: descriptor, events: 0x2000)
        #else
        // POLLHUP, which says so there, needs not be asked for.
        EventLoop.Interest(descriptor: descriptor, events: 0)
        #endif
    }

    /// Whether the peer has ended its sending side, or is gone.
    var hasEnded: Bool { isReady(endOfPeer) }

    /// Ready when the peer is gone for certain.
    var loss: EventLoop.Interest {
        EventLoop.Interest(descriptor: descriptor, events: 0)
    }

    var isLost: Bool { isReady(loss) }

    private func isReady(_ interest: EventLoop.Interest) -> Bool {
        var state = pollfd(fd: interest.descriptor, events: interest.events, revents: 0)
        return poll(&state, 1, 0) > 0
    }

    /// Ends the sending side.
    ///
    /// - Returns: false when the peer is gone.
    func finishSending() -> Bool {
        shutdown(descriptor, Int32(SHUT_WR)) == 0
    }

    /// Makes closing reset the connection.
    func resetAtClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func close() {
        systemClose(descriptor)
    }
}

/// `send` of the C library, which a method of the same name would hide.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}

/// `close` of the C library, likewise.
private func systemClose(_ descriptor: Int32) {
    _ = close(descriptor)
}
