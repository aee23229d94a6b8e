import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A thread that waits for a disk in place of the tasks, whose threads are few.
///
/// It runs its body each time that it is woken, and once for wakings that come while it runs.
final class StoreThread: Sendable {
    private struct State {
        var body: (@Sendable () -> Void)?
        var isStopped = false
    }

    private let state = Mutex(State())
    private let signal = Signal()

    /// Starts the thread; `nil` when the system gives none.
    init?() {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return nil }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(Context(self))
        #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(&thread, &attributes, { StoreThread.main($0) }, context.toOpaque())
        #else
        var thread = pthread_t()
        let result = pthread_create(&thread, &attributes, { StoreThread.main($0) }, context.toOpaque())
        #endif
        guard result == 0 else {
            context.release()
            return nil
        }
    }

    /// Sets what the thread does when it is woken.
    func run(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.body = body }
    }

    /// Has the thread run its body.
    func wake() {
        signal.send()
    }

    /// Waits to be woken, in the body.
    func waitForWake(microseconds: Int) {
        signal.wait(microseconds: microseconds)
    }

    /// Ends the thread after what it is doing.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.body = nil
        }
        signal.send()
    }

    /// What the thread is given to start with.
    private final class Context {
        let thread: StoreThread

        init(_ thread: StoreThread) {
            self.thread = thread
        }
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        Unmanaged<Context>.fromOpaque(context).takeRetainedValue().thread.loop()
        return nil
    }

    private func loop() {
        while true {
            signal.wait()
            let (body, isStopped) = state.withLock { ($0.body, $0.isStopped) }
            if isStopped { return }
            body?()
        }
    }
}

/// A flag that one thread waits for and any may raise.
private final class Signal: @unchecked Sendable {
    // Sendable: the memory is valid and at one address from init to deinit, and the C library's calls on it are made for being
    // called from any thread. The flag is read and written with the mutex held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRaised = false

    init() {
        // None of these fails for valid attributes.
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
        pthread_cond_init(condition, nil)
        #else
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // So that setting the clock doesn't make a wait longer.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func send() {
        pthread_mutex_lock(mutex)
        isRaised = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func wait() {
        pthread_mutex_lock(mutex)
        while !isRaised { pthread_cond_wait(condition, mutex) }
        isRaised = false
        pthread_mutex_unlock(mutex)
    }

    func wait(microseconds: Int) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        #if canImport(Darwin)
        var duration = timespec(tv_sec: 0, tv_nsec: microseconds * 1000)
        while !isRaised, pthread_cond_timedwait_relative_np(condition, mutex, &duration) == 0 {}
        #else
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = Int(end.tv_nsec) + microseconds * 1000
        end.tv_sec += time_t(nanoseconds / 1_000_000_000)
        end.tv_nsec = .init(nanoseconds % 1_000_000_000)
        while !isRaised, pthread_cond_timedwait(condition, mutex, &end) == 0 {}
        #endif
        isRaised = false
    }
}
