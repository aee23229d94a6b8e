import CPlatform
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A thread that runs every part of a server: the executor of its actors, which waits in `poll` when none has work.
///
/// The actors of a server share one loop, so that a call from one to another costs no change of thread, and a server
/// that nobody talks to sleeps in the kernel without a timer. Nothing that can block may run on it: see `offload`.
final class EventLoop: SerialExecutor, TaskExecutor, Sendable {
    /// What a task waits for.
    struct Interest: Sendable {
        /// A file descriptor that stays open for the time of the wait.
        var descriptor: Int32
        var events: Int16

        static func readable(_ descriptor: Int32) -> Interest {
            Interest(descriptor: descriptor, events: Int16(POLLIN))
        }

        static func writable(_ descriptor: Int32) -> Interest {
            Interest(descriptor: descriptor, events: Int16(POLLOUT))
        }
    }

    /// Why a wait ended.
    enum Outcome: Sendable {
        /// One of the descriptors is ready, hung up or broken, or the wait was notified: the caller tries and sees.
        case ready
        /// The deadline passed.
        case timedOut
        /// The waiting task was cancelled.
        case cancelled
    }

    /// Names a wait so that ``notify(_:)`` can end it.
    struct WaitID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Wait {
        var interests: [Interest]
        var deadline: ContinuousClock.Instant?
        var continuation: UnsafeContinuation<Outcome, Never>
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var waits: [UInt64: Wait] = [:]
        /// Waits that ended before they were registered: cancelled or notified between making the id and suspending.
        var endedEarly: [UInt64: Outcome] = [:]
        var nextWait: UInt64 = 0
        /// The loop is in `poll`, or about to be, and nobody has written to wake it yet.
        var needsWakeUp = false
        var isStopped = false

        /// Whether the caller, having changed the state, must wake the loop: once for each time that it sleeps.
        mutating func takeWakeUp() -> Bool {
            defer { needsWakeUp = false }
            return needsWakeUp
        }
    }

    private let state = Mutex(State())
    private let wakeUp: Pipe
    private let childSignals: Pipe

    /// Makes a loop; nothing runs until ``run()``.
    ///
    /// - Throws: ``SystemError`` when the process has no descriptors left.
    init() throws(SystemError) {
        wakeUp = try Pipe()
        childSignals = try Pipe()
        guard platform_subscribe_signal(SIGCHLD, childSignals.writeEnd) == 0 else {
            throw SystemError("watch for SIGCHLD")
        }
    }

    deinit {
        platform_unsubscribe_signals(childSignals.writeEnd)
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            return state.takeWakeUp()
        }
        if mustWake { wakeUp.signal() }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    // MARK: Waiting

    /// Makes an id for one wait, to be known to whoever will notify it before the wait begins.
    func makeWaitID() -> WaitID {
        state.withLock { state in
            state.nextWait += 1
            return WaitID(number: state.nextWait)
        }
    }

    /// Suspends until a descriptor is ready, the deadline passes, the id is notified, or the task is cancelled.
    ///
    /// - Parameter isolation: the caller's. Without it the closures within would run on another thread: they are of the
    ///   standard library's function types, which are concurrent.
    func wait(
        for interests: [Interest] = [],
        until deadline: ContinuousClock.Instant? = nil,
        id: WaitID? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Outcome {
        let id = (id ?? makeWaitID()).number
        return await withTaskCancellationHandler {
            // Captured, so that the closure has the caller's isolation.
            _ = isolation
            return await withUnsafeContinuation { continuation in
                let (early, mustWake) = state.withLock { state -> (Outcome?, Bool) in
                    if let early = state.endedEarly.removeValue(forKey: id) { return (early, false) }
                    // The cancellation handler ran before there was a wait to find, or runs after this: it takes the lock.
                    if Task.isCancelled { return (.cancelled, false) }
                    state.waits[id] = Wait(interests: interests, deadline: deadline, continuation: continuation)
                    // Needed only when a task waits that doesn't run on the loop.
                    return (nil, state.takeWakeUp())
                }
                if let early { continuation.resume(returning: early) }
                if mustWake { wakeUp.signal() }
            }
        } onCancel: {
            end(id, with: .cancelled, rememberIfUnknown: false)
        }
    }

    /// Ends a wait as ready.
    ///
    /// When the wait has not begun yet it will end at once.
    func notify(_ id: WaitID) {
        end(id.number, with: .ready, rememberIfUnknown: true)
    }

    /// Forgets a notification that no wait took.
    func forget(_ id: WaitID) {
        state.withLock { _ = $0.endedEarly.removeValue(forKey: id.number) }
    }

    private func end(_ id: UInt64, with outcome: Outcome, rememberIfUnknown: Bool) {
        let (wait, mustWake) = state.withLock { state -> (Wait?, Bool) in
            guard let wait = state.waits.removeValue(forKey: id) else {
                if rememberIfUnknown { state.endedEarly[id] = outcome }
                return (nil, false)
            }
            return (wait, state.takeWakeUp())
        }
        wait?.continuation.resume(returning: outcome)
        if mustWake { wakeUp.signal() }
    }

    /// Ready when a child of this process may have changed its state.
    ///
    /// The loop empties the pipe, so that each task that waits for this sees each change; one that has just asked
    /// `waitpid` in vain must wait before it suspends elsewhere.
    var childChange: Interest { .readable(childSignals.readEnd) }

    // MARK: Running

    /// Runs jobs and waits on the calling thread until ``stop()``.
    func run() {
        var jobs: [UnownedJob] = []
        var pollSet = PollSet()
        while true {
            runReadyJobs(&jobs)
            let mayRun = state.withLock { state in
                if state.isStopped { return false }
                // A job that another thread added just now is found by a poll that doesn't wait.
                state.needsWakeUp = state.jobs.isEmpty
                pollSet.prepare(for: state, wakeUp: wakeUp.readEnd)
                return true
            }
            guard mayRun else { return }
            pollSet.poll()
            state.withLock { $0.needsWakeUp = false }
            if pollSet.isReady(at: 0) { wakeUp.drain() }
            if pollSet.contains(ready: childSignals.readEnd) { childSignals.drain() }
            for id in pollSet.readyWaits() { end(id, with: .ready, rememberIfUnknown: false) }
            if pollSet.deadlineHasPassed { endExpiredWaits() }
        }
    }

    /// Makes ``run()`` return once the jobs that are ready have run.
    func stop() {
        let mustWake = state.withLock { state in
            state.isStopped = true
            return state.takeWakeUp()
        }
        if mustWake { wakeUp.signal() }
    }

    /// Runs the loop on a thread of its own, which ends with ``stop()``.
    func runInBackground() throws(SystemError) {
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let argument = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                #if canImport(Darwin)
                Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run()
                #else
                if let argument { Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run() }
                #endif
                return nil
            },
            argument
        )
        guard result == 0 else {
            Unmanaged<EventLoop>.fromOpaque(argument).release()
            throw SystemError("start a thread", code: result)
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
    }

    /// Runs what is ready and what that makes ready.
    ///
    /// The array is the caller's so that its storage is used again.
    ///
    /// Bounded, so that descriptors have their turn too when jobs never come to an end.
    private func runReadyJobs(_ jobs: inout [UnownedJob]) {
        for _ in 0..<64 {
            state.withLock { swap(&jobs, &$0.jobs) }
            if jobs.isEmpty { return }
            for job in jobs {
                job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
            jobs.removeAll(keepingCapacity: true)
        }
    }

    private func endExpiredWaits() {
        let now = ContinuousClock.now
        let expired = state.withLock { state in
            state.waits.compactMap { id, wait in wait.deadline.map { $0 <= now } == true ? id : nil }
        }
        for id in expired { end(id, with: .timedOut, rememberIfUnknown: false) }
    }

}

extension EventLoop {
    /// What the loop waits for in one call of `poll`, kept between calls so that a round allocates nothing.
    private struct PollSet {
        private var descriptors: [pollfd] = []
        /// The wait that each descriptor belongs to; 0 for the loop's own.
        private var owners: [UInt64] = []
        private var earliest: ContinuousClock.Instant?
        private var hasJobs = false
        private var readyCount: Int32 = 0

        mutating func prepare(for state: State, wakeUp: Int32) {
            descriptors.removeAll(keepingCapacity: true)
            owners.removeAll(keepingCapacity: true)
            earliest = nil
            hasJobs = !state.jobs.isEmpty
            descriptors.append(pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0))
            owners.append(0)
            for (id, wait) in state.waits {
                for interest in wait.interests {
                    descriptors.append(pollfd(fd: interest.descriptor, events: interest.events, revents: 0))
                    owners.append(id)
                }
                if let deadline = wait.deadline { earliest = min(earliest ?? deadline, deadline) }
            }
        }

        mutating func poll() {
            readyCount = systemPoll(&descriptors, nfds_t(descriptors.count), hasJobs ? 0 : milliseconds)
        }

        func isReady(at index: Int) -> Bool {
            readyCount > 0 && descriptors[index].revents != 0
        }

        func contains(ready descriptor: Int32) -> Bool {
            readyCount > 0 && descriptors.contains { $0.fd == descriptor && $0.revents != 0 }
        }

        func readyWaits() -> some Sequence<UInt64> {
            zip(descriptors, owners).lazy
                .filter { [readyCount] in readyCount > 0 && $0.revents != 0 && $1 != 0 }
                .map { $1 }
        }

        var deadlineHasPassed: Bool {
            earliest.map { $0 <= .now } ?? false
        }

        /// Rounded up, so that a wait that wakes finds its deadline passed; -1 waits without limit.
        private var milliseconds: Int32 {
            guard let earliest else { return -1 }
            let left = earliest - .now
            guard left > .zero else { return 0 }
            let (seconds, attoseconds) = left.components
            guard seconds < 1_000_000 else { return 1_000_000_000 }
            return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000) + 1
        }
    }
}

/// `poll` of the C library, which a method of the same name would hide.
private func systemPoll(_ descriptors: inout [pollfd], _ count: nfds_t, _ milliseconds: Int32) -> Int32 {
    poll(&descriptors, count, milliseconds)
}
