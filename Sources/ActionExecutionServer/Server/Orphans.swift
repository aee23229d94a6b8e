import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Processes that lost their parent and became children of the server: it may be process 1 of a container.
enum Orphans {
    /// Reaps orphans as they exit, until the task is cancelled.
    ///
    /// Shells and interpreters are left to the sessions that own them.
    static func reap(on loop: EventLoop) async {
        while true {
            var seen: Set<pid_t> = []
            while true {
                let process = platform_exited_child()
                guard process > 0, seen.insert(process).inserted else { break }
                if !OwnedChildren.contains(process) { _ = waitpid(process, nil, WNOHANG) }
            }
            if await loop.wait(for: [loop.childChange]) == .cancelled { return }
        }
    }

    /// Kills everything that the server's shells started and left, however it was detached, until nothing is left.
    ///
    /// Needs `/proc`; without it nothing is found.
    static func killAll() {
        // Bounded, since a process that forks faster than it is killed must not keep the server.
        for _ in 0..<100 {
            // Not those of another user, such as root by `sudo`: with process 1 they end, and otherwise nobody waits for them.
            let processes = ProcessTable.descendants(of: getpid()).filter { kill($0, SIGKILL) == 0 || errno != EPERM }
            if processes.isEmpty { return }
            // Only these: one that was forked meanwhile is alive, and found in the next round. Waiting for one that isn't
            // our child fails at once; it becomes our child when its parent is gone.
            for process in processes { while waitpid(process, nil, 0) < 0, errno == EINTR {} }
        }
    }
}
