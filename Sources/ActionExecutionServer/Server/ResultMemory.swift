/// Remembers the responses to requests that carry an idempotency key, so that a request that is sent again, since its
/// connection broke, doesn't act again.
///
/// Bounded in number and bytes: the oldest results are forgotten first.
struct ResultMemory {
    /// What to do with a request.
    enum Answer {
        /// It is new: perform it, then call ``finish(_:with:)``.
        case perform
        /// The same request was answered.
        case remembered(HTTPResponse)
        /// The same request is being performed: wait for it.
        case join
        /// The key was used for another request.
        case conflict
    }

    private enum Entry {
        case running(body: [UInt8])
        case done(body: [UInt8], HTTPResponse)
    }

    private let countLimit: Int
    private let byteLimit: Int
    private var entries: [String: Entry] = [:]
    /// Keys of what is done, oldest first.
    private var order: [String] = []
    private var byteCount = 0

    init(countLimit: Int = 1000, byteLimit: Int = 32 << 20) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    /// Looks a request up by its key and takes it in when it is new.
    mutating func begin(_ key: String, body: [UInt8]) -> Answer {
        switch entries[key] {
        case nil:
            entries[key] = .running(body: body)
            return .perform
        case .running(let first): return first == body ? .join : .conflict
        case .done(let first, let response): return first == body ? .remembered(response) : .conflict
        }
    }

    /// Keeps the response to a request that ``begin(_:body:)`` said to perform.
    mutating func finish(_ key: String, with response: HTTPResponse) {
        guard case .running(let body) = entries[key] else { return }
        entries[key] = .done(body: body, response)
        order.append(key)
        byteCount += Self.size(key, body, response)
        while order.count > countLimit || byteCount > byteLimit, order.count > 1 { forget(order.removeFirst()) }
    }

    private mutating func forget(_ key: String) {
        guard case .done(let body, let response) = entries.removeValue(forKey: key) else { return }
        byteCount -= Self.size(key, body, response)
    }

    private static func size(_ key: String, _ body: [UInt8], _ response: HTTPResponse) -> Int {
        key.utf8.count + body.count + response.body.heldSize
    }
}
