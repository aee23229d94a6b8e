/// Accepts connections and has each served in a task of its own.
actor HTTPServer {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let limits: HTTPLimits
    private let connectionLimit: Int
    private let check: @Sendable (HTTPRequestHead) -> HTTPResponse?
    private let handler: HTTPHandler
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var isDraining = false
    private var mustEndNow = false
    /// Ends the wait for connections, of each listener.
    private var accepting: [EventLoop.WaitID] = []
    /// Ends the wait for responses when one of them was sent.
    private var draining: EventLoop.WaitID?

    /// Beyond the limit of connections, so many are told so at a time; others are closed.
    private static let refusalLimit = 64

    /// - Parameters:
    ///   - check: looks at the head of a request before its body is read, and refuses it with the response it gives.
    ///   - handler: answers requests.
    init(
        loop: EventLoop,
        limits: HTTPLimits,
        connectionLimit: Int,
        check: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse?,
        handler: @escaping HTTPHandler
    ) {
        self.loop = loop
        self.limits = limits
        self.connectionLimit = connectionLimit
        self.check = check
        self.handler = handler
    }

    /// Serves until ``drain(for:)`` was called and the last connection has ended, or the task is cancelled.
    func serve(_ listener: ListeningSocket) async {
        await withDiscardingTaskGroup { group in
            let id = loop.makeWaitID()
            accepting.append(id)
            while await loop.wait(for: [.readable(listener.descriptor)], id: id) == .ready, !isDraining {
                do throws(SystemError) {
                    while let descriptor = try listener.accept() {
                        let connection = connection(descriptor)
                        group.addTask(executorPreference: loop) { await self.serve(connection) }
                    }
                } catch {
                    // Out of descriptors, most likely. Connections that end give some back.
                    if await loop.wait(until: .now + .milliseconds(100), id: id) != .timedOut { break }
                }
            }
            listener.close()
            loop.forget(id)
            accepting.removeAll { $0 == id }
        }
    }

    private func connection(_ descriptor: Int32) -> HTTPConnection {
        let connection = HTTPConnection(
            descriptor: descriptor,
            loop: loop,
            limits: limits,
            check: check,
            handler: handler
        )
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }

    private func serve(_ connection: HTTPConnection) async {
        defer {
            connections[ObjectIdentifier(connection)] = nil
            if let draining { loop.notify(draining) }
        }
        if connections.count <= connectionLimit { return await connection.run() }
        let isTold = connections.count <= connectionLimit + Self.refusalLimit
        await connection.refuse(with: isTold ? HTTPResponse(detail: "Too many connections", status: 503) : nil)
    }

    // MARK: The end

    /// Accepts no more connections and takes no more requests, and waits for those that are being answered.
    ///
    /// - Parameter limit: how long to wait at most; not for a peer that is gone.
    func drain(for limit: Duration) async {
        isDraining = true
        for id in accepting { loop.notify(id) }
        for connection in connections.values { await connection.drain() }
        let deadline = ContinuousClock.now + limit
        let id = loop.makeWaitID()
        draining = id
        while !mustEndNow {
            var peers: [EventLoop.Interest] = []
            for connection in connections.values {
                if let peer = await connection.waitingPeer { peers.append(peer) }
            }
            guard !peers.isEmpty, await loop.wait(for: peers, until: deadline, id: id) == .ready else { break }
        }
        draining = nil
        loop.forget(id)
    }

    /// Has ``drain(for:)`` wait no longer.
    func endNow() {
        mustEndNow = true
        if let draining { loop.notify(draining) }
    }
}
