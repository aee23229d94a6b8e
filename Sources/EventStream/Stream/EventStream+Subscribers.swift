import Synchronization

extension EventStream {
    /// The tasks of named subscribers.
    struct Subscribers {
        var tasks: [String: (number: Int, task: Task<Void, Never>)] = [:]
        var count = 0
    }

    /// Calls a function with each event, in order and one at a time, under a name that no other subscriber may have meanwhile.
    ///
    /// Subscribers don't wait for each other. An error of one call is reported and the next event is delivered all the same. The stream owns
    /// the task that makes the calls: it ends after the last event of a closed stream, or with ``removeSubscriber(named:)``.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - id: The first event; `nil` for the next that will be published.
    ///   - filter: Which events to deliver; `nil` for all.
    ///   - onError: Gets the errors of `handler` with the event, and without one the error that ends the subscription since an event can't
    ///     be read.
    ///   - handler: Gets the events.
    /// - Throws: ``EventStreamError/duplicateSubscriber(name:)``.
    public func addSubscriber(
        named name: String,
        from id: Int? = nil,
        where filter: EventFilter? = nil,
        onError: @escaping @Sendable (any Error, Event?) -> Void,
        _ handler: @escaping @Sendable (Event) async throws -> Void
    ) throws(EventStreamError) {
        let subscription = subscribe(from: id, where: filter)
        let isNew = subscribers.withLock { subscribers in
            guard subscribers.tasks[name] == nil else { return false }
            subscribers.count += 1
            let number = subscribers.count
            let task = Task {
                await Self.deliver(subscription, onError: onError, handler)
                self.forgetSubscriber(named: name, number)
            }
            subscribers.tasks[name] = (number, task)
            return true
        }
        guard isNew else { throw .duplicateSubscriber(name: name) }
    }

    /// Ends a subscriber and frees its name.
    ///
    /// A call that runs is cancelled and not waited for, so that a subscriber can remove itself.
    ///
    /// - Returns: Whether there was a subscriber of that name.
    @discardableResult
    public func removeSubscriber(named name: String) -> Bool {
        let task = subscribers.withLock { $0.tasks.removeValue(forKey: name)?.task }
        task?.cancel()
        return task != nil
    }

    /// The names of the subscribers that there are.
    public var subscriberNames: Set<String> {
        subscribers.withLock { Set($0.tasks.keys) }
    }

    /// Waits until the subscribers that there are have ended: after ``close()``, until they've been called with the last event.
    public func waitForSubscribers() async {
        let tasks = subscribers.withLock { $0.tasks.values.map(\.task) }
        for task in tasks { await task.value }
    }

    private static func deliver(
        _ subscription: EventSubscription,
        onError: @Sendable (any Error, Event?) -> Void,
        _ handler: @Sendable (Event) async throws -> Void
    ) async {
        do {
            for try await event in subscription {
                do {
                    try await handler(event)
                } catch {
                    onError(error, event)
                }
            }
        } catch {
            onError(error, nil)
        }
    }

    private func forgetSubscriber(named name: String, _ number: Int) {
        subscribers.withLock { subscribers in
            // The name may be another's by now.
            if subscribers.tasks[name]?.number == number { subscribers.tasks[name] = nil }
        }
    }
}
