internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#endif

/// A real server on a socket, with a thread per connection and a script that may misbehave.
package final class TestServer: Sendable {
    package enum Transport: CaseIterable { case tcp, unix }

    package struct Failure: Error {
        package let call: String
        package let number: Int32
    }

    /// Runs once per connection, which is closed when it returns.
    package typealias Script = @Sendable (Connection) -> Void

    package let url: String
    package let unixSocketPath: String?
    private let listener: Int32
    /// Tells the accepting thread to stop, which then closes the listener itself: closed from elsewhere, its number could be
    /// another server's by the time that the thread uses it.
    private let stopping: Gate
    private let state = Mutex(State())

    private struct State {
        var accepted = 0
        var connections: [Connection] = []
        var isStopped = false
    }

    package var acceptedConnections: Int { state.withLock { $0.accepted } }

    package init(_ transport: Transport = .tcp, script: @escaping Script) throws {
        switch transport {
        case .tcp:
            let (descriptor, port) = try Socket.boundToLoopback()
            listener = descriptor
            url = "http://127.0.0.1:\(port)"
            unixSocketPath = nil
        case .unix:
            let path = "/tmp/curlhttp-\(UInt64.random(in: 0 ... .max)).sock"
            listener = try Socket.bound(toUnix: path)
            url = "http://localhost"
            unixSocketPath = path
        }
        stopping = try Gate()
        guard listen(listener, 128) == 0 else { throw Failure(call: "listen", number: errno) }
        Socket.runThread { [self] in acceptLoop(script) }
    }

    package func stop() {
        let connections = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        stopping.open()
        for connection in connections { connection.interrupt() }
        if let unixSocketPath { unlink(unixSocketPath) }
    }

    private func acceptLoop(_ script: @escaping Script) {
        defer { close(listener) }
        while stopping.waits(for: listener) {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { continue }
            let connection = Connection(descriptor: descriptor)
            let isStopped = state.withLock { state in
                state.accepted += 1
                state.connections.append(connection)
                return state.isStopped
            }
            if isStopped { connection.interrupt() }
            Socket.runThread {
                script(connection)
                connection.close()
            }
        }
    }
}
