import Foundation
import Synchronization

/// Stands between a client and an engine's Unix socket, on a port of the loopback address, and can go away.
public final class EngineRelay: Sendable {
    /// The port to connect to.
    public let port: Int
    private let listener: Int32
    private let path: String
    private let watch: @Sendable ([UInt8]) -> Void
    private let state = Mutex<(descriptors: Set<Int32>, isStopped: Bool)>(([], false))

    /// Starts a relay.
    ///
    /// - Parameter watch: sees what clients send, before the engine does.
    public init(to path: String, watch: @escaping @Sendable ([UInt8]) -> Void = { _ in }) throws {
        self.path = path
        self.watch = watch
        (listener, port) = try Socket.listenOnLoopback()
        Thread.detachNewThread { [self] in acceptLoop() }
    }

    /// Cuts all connections and refuses new ones: the engine is gone.
    public func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
    }

    private func acceptLoop() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            guard let engine = Socket.connect(toUnix: path) else {
                close(client)
                continue
            }
            let isOpen = state.withLock { state in
                state.descriptors.formUnion([client, engine])
                return !state.isStopped
            }
            if !isOpen { for descriptor in [client, engine] { shutdown(descriptor, Int32(SHUT_RDWR)) } }
            let remaining = Mutex(2)
            let pass: @Sendable (Int32, Int32) -> Void = { [self] from, to in
                while true {
                    let bytes = Socket.receive(from)
                    if from == client { watch(bytes) }
                    if bytes.isEmpty || !Socket.sendAll(to, bytes) { break }
                }
                shutdown(to, Int32(SHUT_WR))
                guard
                    remaining.withLock({
                        $0 -= 1; return $0 == 0
                    })
                else { return }
                state.withLock { state in
                    for descriptor in [client, engine] {
                        state.descriptors.remove(descriptor)
                        close(descriptor)
                    }
                }
            }
            Thread.detachNewThread { pass(client, engine) }
            Thread.detachNewThread { pass(engine, client) }
        }
    }
}
