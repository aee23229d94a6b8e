internal import CPlatform
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Tells when another process changes the files of a session.
///
/// The system is asked by a thread of its own, which sleeps until something happens; it ends with the watcher.
final class DirectoryWatcher: Sendable {
    private let core: Core

    /// Begins to watch a directory, and a file in it where the system needs to know that.
    init(directory: String, file: String) throws(EventStoreError) {
        core = try Core(directory: directory, file: file)
        guard let thread = StoreThread() else { throw .system(EAGAIN, "start a thread to watch", directory) }
        // The thread has the core alone, so that it doesn't keep the watcher.
        thread.run { [core] in
            core.run()
            thread.stop()
        }
        thread.wake()
    }

    deinit {
        core.stop()
    }

    /// How many changes there were; for use with ``waitForChange(after:isolation:)``.
    var changes: Int { core.changes }

    /// Waits for there to be more changes than there were, or for the task to be cancelled.
    func waitForChange(after changes: Int, isolation: isolated (any Actor)?) async {
        await core.waitForChange(after: changes, isolation: isolation)
    }

    private final class Core: Sendable {
        private struct State {
            var changes = 0
            var isStopped = false
            var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
            var nextWaiter = 0
        }

        private let state = Mutex(State())
        private let watch: Mutex<cplatform_watch>
        /// The thread sleeps on the first of these too; closing the second wakes it.
        private let stopped: Int32
        private let stopper: Int32

        init(directory: String, file: String) throws(EventStoreError) {
            var watch = cplatform_watch()
            guard cplatform_watch_begin(&watch, directory, file) == 0 else { throw .system(errno, "watch", directory) }
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else {
                let number = errno
                cplatform_watch_end(&watch)
                throw .system(number, "make a pipe to watch", directory)
            }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (stopped, stopper) = (ends[0], ends[1])
            self.watch = Mutex(watch)
        }

        deinit {
            watch.withLock { cplatform_watch_end(&$0) }
            close(stopped)
        }

        var changes: Int { state.withLock { $0.changes } }

        func stop() {
            let isFirst = state.withLock { state in
                defer { state.isStopped = true }
                return !state.isStopped
            }
            if isFirst { close(stopper) }
        }

        /// Sleeps until something changes, again and again, until it is stopped.
        func run() {
            let descriptor = watch.withLock { $0.descriptor }
            while true {
                var descriptors = [
                    pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: stopped, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&descriptors, nfds_t(descriptors.count), -1) >= 0 || errno == EINTR else { break }
                if descriptors[1].revents != 0 { break }
                if descriptors[0].revents != 0 { watch.withLock { cplatform_watch_drain(&$0) } }
                noteChange()
            }
            // Whoever still waits looks for itself what there is.
            noteChange()
        }

        private func noteChange() {
            let waiters = state.withLock { state in
                state.changes += 1
                defer { state.waiters.removeAll() }
                return Array(state.waiters.values)
            }
            for waiter in waiters { waiter.resume() }
        }

        func waitForChange(after changes: Int, isolation: isolated (any Actor)?) async {
            let number = state.withLock { state in
                state.nextWaiter += 1
                return state.nextWaiter
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation(isolation: isolation) { continuation in
                    let waits = state.withLock { state in
                        // As for a subscription: a cancellation is seen here, or finds the continuation.
                        guard !Task.isCancelled, state.changes <= changes else { return false }
                        state.waiters[number] = continuation
                        return true
                    }
                    if !waits { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
            }
        }
    }
}
