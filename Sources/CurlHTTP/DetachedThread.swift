// On Linux the initialiser of `sigset_t` belongs to whichever C module shows the type first, which is this one.
internal import CCurl

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Starts a thread of our own; one that blocks must not be one of the few that run Swift tasks.
package enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new thread; returns 0, or the error number of `pthread_create`.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(
            &thread,
            nil,
            { context in
                DetachedThread.run(context)
                return nil
            },
            context
        )
        guard status == 0 else {
            Unmanaged<Body>.fromOpaque(context).release()
            return status
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
        return 0
    }

    private static func run(_ context: UnsafeMutableRawPointer?) {
        guard let context else { return }
        blockSignals()
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
    }

    /// Leaves the process's signals to its other threads, and turns a `SIGPIPE` of a broken connection into `EPIPE`.
    private static func blockSignals() {
        var signals = sigset_t()
        sigfillset(&signals)
        // A crash must still be reported where it happens.
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&signals, signal) }
        pthread_sigmask(SIG_SETMASK, &signals, nil)
    }
}
