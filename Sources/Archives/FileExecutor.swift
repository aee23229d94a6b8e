import Dispatch

/// Runs an actor whose methods block in file access, on threads that are not those of Swift's pool.
final class FileExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "files")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
