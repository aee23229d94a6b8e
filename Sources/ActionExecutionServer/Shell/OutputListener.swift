import EventStream
import Synchronization

/// Somebody who follows the output of one command while it runs: pulls what is new, at the pace of a connection.
///
/// What comes while nobody pulls is collected where the output is kept, so that a slow listener holds nothing up.
final class OutputListener: Sendable {
    /// How often updates are given: as often as a person can see.
    private static let interval = Duration.milliseconds(20)

    private struct State {
        var source: ShellSession?
        var hasNews = false
        var isFinished = false
        /// The last update, once the output has ended.
        var last: OutputUpdate?
        /// When the next update may be given.
        var nextTime = ContinuousClock.now
        var waiter: EventLoop.WaitID?
        /// Whether the wait is for the time only.
        var isPacing = false
    }

    private enum Step {
        case end(OutputUpdate?)
        case ask(ShellSession)
        case wait(until: ContinuousClock.Instant?)
    }

    private let state = Mutex(State())
    private let loop: EventLoop

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Begins to give a session's output.
    func begin(with source: ShellSession) {
        announce { state in
            state.source = source
            state.hasNews = true
            return true
        }
    }

    /// Has another listener told of the output from its beginning, in place of this one.
    func handOver(to next: OutputListener) async {
        guard let source = state.withLock({ $0.source }) else { return next.finish() }
        await source.follow(with: next, inPlaceOf: self)
    }

    /// There is something new to ask for.
    func announceNews() {
        announce { state in
            state.hasNews = true
            return !state.isPacing
        }
    }

    /// Gives the last update; doing it again does nothing.
    func finish(with last: OutputUpdate? = nil) {
        announce { state in
            guard !state.isFinished else { return false }
            state.isFinished = true
            state.last = last
            state.source = nil
            return true
        }
    }

    /// The next update, or nil when the output has ended or the task is cancelled.
    func next() async -> OutputUpdate? {
        while true {
            let id = loop.makeWaitID()
            switch nextStep(id) {
            case .end(let last):
                return last
            case .ask(let source):
                guard let update = await source.takeUpdate(for: self) else { continue }
                state.withLock { $0.nextTime = .now + Self.interval }
                return update
            case .wait(let time):
                let outcome = await loop.wait(until: time, id: id)
                state.withLock { $0.waiter = nil }
                loop.forget(id)
                if outcome == .cancelled { return nil }
            }
        }
    }

    private func nextStep(_ id: EventLoop.WaitID) -> Step {
        state.withLock { state in
            if state.isFinished { return .end(state.last.take()) }
            if state.hasNews, let source = state.source, state.nextTime <= .now {
                state.hasNews = false
                return .ask(source)
            }
            state.waiter = id
            state.isPacing = state.hasNews && state.source != nil
            return .wait(until: state.isPacing ? state.nextTime : nil)
        }
    }

    /// - Parameter change: says whether whoever waits must look again.
    private func announce(_ change: (inout State) -> Bool) {
        let waiter = state.withLock { change(&$0) ? $0.waiter.take() : nil }
        if let waiter { loop.notify(waiter) }
    }
}
