import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Child processes that exist or wait to be reaped, by whoever owns them and nobody else.
enum OwnedChildren {
    private static let processes = Mutex<Set<pid_t>>([])

    static func insert(_ process: pid_t) {
        processes.withLock { _ = $0.insert(process) }
    }

    static func remove(_ process: pid_t) {
        processes.withLock { _ = $0.remove(process) }
    }

    static func contains(_ process: pid_t) -> Bool {
        processes.withLock { $0.contains(process) }
    }
}
