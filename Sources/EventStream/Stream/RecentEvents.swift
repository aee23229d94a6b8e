/// The latest events, so that subscribers that keep up needn't read them back from disk.
struct RecentEvents {
    private static let capacity = 1024
    private static let maximumBytes = 4 << 20

    /// Each event is at the remainder of its id.
    private var slots: [Event?] = []
    private var ids: Range<Int>
    private var bytes = 0
    private let isKept: Bool

    init(nextID: Int, isKept: Bool) {
        ids = nextID..<nextID
        self.isKept = isKept
    }

    /// Adds events, and gives up older ones.
    ///
    /// - Parameter size: How many bytes they take in the store.
    mutating func append(_ new: [Event], bytes size: Int) {
        guard isKept else { return }
        if slots.isEmpty { slots = Array(repeating: nil, count: Self.capacity) }
        for event in new.suffix(Self.capacity) { slots[event.id % Self.capacity] = event }
        ids = ids.lowerBound..<(ids.upperBound + new.count)
        bytes += size
        // Sizes are known for batches only, so those of single events are taken to be average.
        if ids.count > Self.capacity {
            // Newer events have the slots of the older ones already.
            bytes -= bytes / ids.count * (ids.count - Self.capacity)
            ids = (ids.upperBound - Self.capacity)..<ids.upperBound
        }
        if bytes > Self.maximumBytes { forgetHalf() }
    }

    private mutating func forgetHalf() {
        let kept = (ids.upperBound - ids.count / 2)..<ids.upperBound
        for id in ids.lowerBound..<kept.lowerBound { slots[id % Self.capacity] = nil }
        bytes = bytes / ids.count * kept.count
        ids = kept
    }

    /// The events from an id on, when they're still here.
    func events(from id: Int, limit: Int) -> [Event]? {
        guard ids.contains(id) else { return nil }
        let end = limit < ids.upperBound - id ? id + limit : ids.upperBound
        return (id..<end).compactMap { slots[$0 % Self.capacity] }
    }
}
