/// Decides when a pool starts how many sandboxes: a value, so that it can be tested without any.
struct RefillPlan: Sendable {
    /// How many are to be ready.
    let size: Int
    /// How many may be starting at a time.
    let concurrency: Int
    private(set) var ready = 0
    private(set) var starting = 0
    /// Starts that have failed since one succeeded.
    private(set) var failures = 0
    /// Whether a pause is under way.
    private(set) var isPausing = false

    init(size: Int, concurrency: Int) {
        self.size = size
        self.concurrency = concurrency
    }

    /// How many to start now; they count as starting from then on.
    mutating func begin() -> Int {
        guard !isPausing else { return 0 }
        // After a failure one at a time: most likely it fails too.
        let limit = failures == 0 ? concurrency : 1
        let count = max(0, min(size - ready - starting, limit - starting))
        starting += count
        return count
    }

    /// One that was starting is ready.
    mutating func succeed() {
        starting -= 1
        ready += 1
        failures = 0
    }

    /// One that was starting isn't there.
    ///
    /// - Returns: how long to wait before the next; nil when a wait is under way.
    mutating func fail() -> Duration? {
        starting -= 1
        failures += 1
        guard !isPausing else { return nil }
        isPausing = true
        return Self.pause(after: failures)
    }

    /// The wait is over.
    mutating func resume() {
        isPausing = false
    }

    /// One that was ready was claimed, or has ended.
    mutating func take() {
        ready -= 1
    }

    /// One that was taken is given back.
    mutating func giveBack() {
        ready += 1
    }

    /// From half a second on, doubled each time, up to a minute.
    static func pause(after failures: Int) -> Duration {
        min(.milliseconds(500) * (1 << min(failures - 1, 10)), .seconds(60))
    }
}
