/// The right to use something that one request at a time may use, handed on in the order of asking.
actor Turn {
    private let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private(set) var isTaken = false
    /// Those who wait for it, in order.
    private(set) var waiting: [EventLoop.WaitID] = []

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Waits until nobody else has it.
    ///
    /// - Returns: false when the waiting task was cancelled.
    func take() async -> Bool {
        if !isTaken {
            isTaken = true
            return true
        }
        let id = loop.makeWaitID()
        waiting.append(id)
        if await loop.wait(id: id) == .ready { return true }
        if let index = waiting.firstIndex(of: id) {
            waiting.remove(at: index)
        } else {
            // It came at the same time as the cancellation: the next one has it.
            loop.forget(id)
            end()
        }
        return false
    }

    /// Lets the next one have it.
    func end() {
        if waiting.isEmpty { isTaken = false } else { loop.notify(waiting.removeFirst()) }
    }
}
