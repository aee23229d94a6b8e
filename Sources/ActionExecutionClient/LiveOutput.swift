public import EventStream
import Synchronization

/// How the output of an action has changed that was published on the runtime's event stream.
public struct LiveOutput: Sendable, Hashable {
    /// The id of the action's event.
    public var actionID: Int
    /// What has changed, with the stream's secrets masked.
    public var update: OutputUpdate

    /// Makes a change of an action's output.
    public init(actionID: Int, update: OutputUpdate) {
        self.actionID = actionID
        self.update = update
    }
}

/// The output of a runtime's actions while they run, for those who want to watch.
///
/// It ends when the runtime is closed. A slow reader gets what came meanwhile as one change; what is too much is left
/// out, and said.
public struct LiveOutputs: AsyncSequence, Sendable {
    /// A change of one action's output.
    public typealias Element = LiveOutput
    /// It doesn't fail.
    public typealias Failure = Never

    private let listener: LiveOutputHub.Listener

    init(_ listener: LiveOutputHub.Listener) {
        self.listener = listener
    }

    /// Reads the changes.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let listener: LiveOutputHub.Listener
        fileprivate var signals: AsyncStream<Void>.AsyncIterator

        /// The next change; nil when the runtime was closed or the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> LiveOutput? {
            while true {
                if let output = listener.take() { return output }
                // What was published before the end still comes.
                guard await signals.next(isolation: actor) != nil else { return listener.take() }
            }
        }
    }

    /// Begins to read; all iterators of a sequence share its changes.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(listener: listener, signals: listener.signals.makeAsyncIterator())
    }
}

/// Hands the output of actions that run to those who watch; costs nothing while nobody does.
package final class LiveOutputHub: Sendable {
    /// Somebody who watches, for as long as somebody holds it.
    final class Listener: Sendable {
        /// Actions whose output waits to be read; those before them are forgotten.
        private static let pendingLimit = 16
        /// Bytes of text that wait for each.
        private static let textLimit = 1 << 20

        let signals: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation
        private let pending = Mutex<[LiveOutput]>([])

        init() {
            (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }

        func take() -> LiveOutput? {
            pending.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }

        func add(_ output: LiveOutput) {
            pending.withLock { pending in
                if let last = pending.indices.last, pending[last].actionID == output.actionID {
                    pending[last].update.append(output.update)
                    if pending[last].update.text.utf8.count > Self.textLimit { pending[last].update.leaveOut() }
                } else {
                    pending.append(output)
                    if pending.count > Self.pendingLimit { pending.removeFirst() }
                }
            }
            continuation.yield()
        }

        func finish() {
            continuation.finish()
        }
    }

    private struct WeakListener {
        weak var listener: Listener?
    }

    private struct State {
        var listeners: [WeakListener] = []
        var isFinished = false
    }

    private let state = Mutex(State())

    /// Makes a hub; nobody watches yet.
    package init() {}

    /// The output from now on, as a sequence of its own for each call.
    package var outputs: LiveOutputs {
        let listener = Listener()
        let isFinished = state.withLock { state in
            state.listeners.append(WeakListener(listener: listener))
            return state.isFinished
        }
        if isFinished { listener.finish() }
        return LiveOutputs(listener)
    }

    /// Whether somebody watches.
    var hasListeners: Bool { !listeners.isEmpty }

    func publish(_ output: LiveOutput) {
        guard !output.update.isEmpty else { return }
        for listener in listeners { listener.add(output) }
    }

    /// Ends the sequences.
    package func finish() {
        state.withLock { $0.isFinished = true }
        for listener in listeners { listener.finish() }
    }

    private var listeners: [Listener] {
        state.withLock { state in
            if state.listeners.isEmpty { return [] }
            state.listeners.removeAll { $0.listener == nil }
            return state.listeners.compactMap(\.listener)
        }
    }
}
