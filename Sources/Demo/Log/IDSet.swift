/// A set of ids that takes little memory when they're dense.
struct IDSet {
    private var words: [Int: UInt64] = [:]

    func contains(_ id: Int) -> Bool {
        words[id >> 6].map { $0 & Self.bit(id) != 0 } ?? false
    }

    /// Takes an id in.
    ///
    /// - Returns: whether it is new.
    @discardableResult
    mutating func insert(_ id: Int) -> Bool {
        let word = words[id >> 6, default: 0]
        words[id >> 6] = word | Self.bit(id)
        return word & Self.bit(id) == 0
    }

    private static func bit(_ id: Int) -> UInt64 { 1 << UInt64(id & 63) }
}
