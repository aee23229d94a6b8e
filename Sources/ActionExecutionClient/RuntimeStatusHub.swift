import Synchronization

/// Receives each status update of a runtime, in order, one at a time.
public typealias RuntimeStatusCallback = @Sendable (RuntimeStatusUpdate) -> Void

/// Hands a runtime's status updates to callbacks and sequences, to all in the same order.
public final class RuntimeStatusHub: Sendable {
    private typealias Continuation = AsyncStream<RuntimeStatusUpdate>.Continuation

    /// What is to be delivered, and to whom: those who were there when it was published.
    private enum Delivery {
        case update(RuntimeStatusUpdate, [RuntimeStatusCallback], [Continuation])
        case end([Continuation])
    }

    private struct State {
        var latest = RuntimeStatusUpdate(.stopped)
        var callbacks: [RuntimeStatusCallback] = []
        var continuations: [Int: Continuation] = [:]
        var nextContinuation = 0
        /// What is not delivered yet.
        var queue: [Delivery] = []
        var isDelivering = false
        var isFinished = false

        /// Queues a delivery.
        ///
        /// - Returns: whether the caller must deliver it, since no other thread is at it.
        mutating func enqueue(_ delivery: Delivery) -> Bool {
            queue.append(delivery)
            defer { isDelivering = true }
            return !isDelivering
        }
    }

    private let state = Mutex(State())

    /// Makes a hub; the status is ``RuntimeStatus/stopped``.
    ///
    /// - Parameter callback: called for each update, like one added later by ``addCallback(_:)``.
    public init(callback: RuntimeStatusCallback? = nil) {
        if let callback { addCallback(callback) }
    }

    /// The last update that was published.
    public var latest: RuntimeStatusUpdate {
        state.withLock { $0.latest }
    }

    /// Has a function called for each update from now on, on the thread that publishes it or delivers one before it.
    public func addCallback(_ callback: @escaping RuntimeStatusCallback) {
        state.withLock { $0.callbacks.append(callback) }
    }

    /// The updates from now on, as a sequence of its own for each call.
    ///
    /// It ends with ``finish()``.
    ///
    /// Updates wait for a slow reader; there are few of them, and progress that nobody read yet is kept too.
    public var updates: AsyncStream<RuntimeStatusUpdate> {
        let (stream, continuation) = AsyncStream.makeStream(of: RuntimeStatusUpdate.self)
        let id = state.withLock { state -> Int? in
            if state.isFinished { return nil }
            state.nextContinuation += 1
            state.continuations[state.nextContinuation] = continuation
            return state.nextContinuation
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.continuations.removeValue(forKey: id) }
        }
        return stream
    }

    /// Delivers an update.
    ///
    /// When another thread is delivering one, that thread delivers this one too, after it. After ``finish()`` it does nothing.
    public func publish(_ update: RuntimeStatusUpdate) {
        let mustDeliver = state.withLock { state in
            guard !state.isFinished else { return false }
            state.latest = update
            return state.enqueue(.update(update, state.callbacks, Array(state.continuations.values)))
        }
        if mustDeliver { deliver() }
    }

    /// Ends the sequences, after the last update.
    public func finish() {
        let mustDeliver = state.withLock { state in
            guard !state.isFinished else { return false }
            state.isFinished = true
            defer {
                state.callbacks = []
                state.continuations = [:]
            }
            return state.enqueue(.end(Array(state.continuations.values)))
        }
        if mustDeliver { deliver() }
    }

    /// Callbacks are called outside the lock: they may publish, or ask for the status.
    private func deliver() {
        while true {
            let next = state.withLock { state -> Delivery? in
                guard !state.queue.isEmpty else {
                    state.isDelivering = false
                    return nil
                }
                return state.queue.removeFirst()
            }
            switch next {
            case .update(let update, let callbacks, let continuations):
                for callback in callbacks { callback(update) }
                for continuation in continuations { continuation.yield(update) }
            case .end(let continuations):
                for continuation in continuations { continuation.finish() }
            case nil:
                return
            }
        }
    }
}
