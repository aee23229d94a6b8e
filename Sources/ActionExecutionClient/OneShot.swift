import Synchronization

/// A value that is set once and that any number of tasks wait for.
package final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Value?, Never>] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The value, if it is set.
    package var current: Value? { state.withLock { $0.value } }

    /// Sets the value, unless it is set already.
    package func set(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [CheckedContinuation<Value?, Never>]() }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// Waits until the value is set.
    ///
    /// - Throws: `CancellationError`.
    package func wait() async throws -> Value {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let value = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (value, isOver) = state.withLock { state -> (Value?, Bool) in
                    if let value = state.value { return (value, true) }
                    // Cancelled before there was a waiter to find: the handler has had its turn.
                    if Task.isCancelled { return (nil, true) }
                    state.waiters[id] = continuation
                    return (nil, false)
                }
                if isOver { continuation.resume(returning: value) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
        guard let value else { throw CancellationError() }
        return value
    }
}

/// The result of what ends first; the other is cancelled and waited for.
package func firstOf<Value: Sendable>(
    _ one: @escaping @Sendable @concurrent () async throws -> Value,
    _ other: @escaping @Sendable @concurrent () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup { group in
        group.addTask(operation: one)
        group.addTask(operation: other)
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
