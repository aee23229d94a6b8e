import Dispatch

/// Runs work that can block, such as file access, on a thread that isn't an event loop's.
func offload<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withUnsafeContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
}
