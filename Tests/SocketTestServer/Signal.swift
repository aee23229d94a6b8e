internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#endif

/// A happening that a test waits for.
package struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    package func fire() { continuation.yield() }

    /// Waits for the next firing, which may be in the past.
    package func wait() async {
        for await _ in stream { return }
    }
}

/// Blocks a server's thread until the test opens it.
package final class Gate: Sendable {
    private let isOpen = Mutex(false)
    private let pipeEnds: (read: Int32, write: Int32)

    package init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestServer.Failure(call: "pipe", number: errno) }
        pipeEnds = (ends[0], ends[1])
    }

    deinit {
        close(pipeEnds.read)
        open()
    }

    package func open() {
        isOpen.withLock { isOpen in
            guard !isOpen else { return }
            isOpen = true
            close(pipeEnds.write)
        }
    }

    package func wait() {
        while waits(for: -1) {}
    }

    /// Waits until the gate opens, then `false`, or a descriptor becomes readable, then `true`.
    func waits(for descriptor: Int32) -> Bool {
        var polled = [
            pollfd(fd: pipeEnds.read, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // A signal, as at the end of some test's child process, interrupts the call.
        while poll(&polled, 2, -1) < 0 && errno == EINTR {}
        return polled[0].revents == 0
    }
}
