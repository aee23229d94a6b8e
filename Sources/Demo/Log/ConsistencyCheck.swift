import EventStream

/// Looks for what can't be so in the events of a session, as they come by; a value without I/O.
struct ConsistencyCheck {
    /// Whether all events from 0 on must be there.
    private let needsAll: Bool
    private var seen = IDSet()
    /// Actions that have had their observation.
    private var answered = IDSet()
    /// Actions that wait for theirs, with their kinds.
    private var open: [Int: String] = [:]
    /// The latest action that has had its observation.
    private var lastAnswered = -1
    /// Whether events may be missing here since something is damaged.
    private var isAfterDamage = false
    private(set) var count = 0
    private(set) var first: Event?
    private(set) var last: Event?
    /// How many ids a recording leaves out that may.
    private(set) var leftOut = 0

    init(needsAll: Bool) {
        self.needsAll = needsAll
    }

    /// The actions at the end that have no observation yet.
    var unanswered: [Int] { open.keys.filter { $0 > lastAnswered }.sorted() }

    /// The actions that should have an observation, since a later one has: a runtime performs them in their order.
    var passedOver: [String] {
        // What is left out may be the observation.
        guard leftOut == 0 else { return [] }
        return open.filter { $0.key < lastAnswered }.sorted { $0.key < $1.key }
            .map { "event \($0.key), an action \($0.value), has no observation, and a later one has" }
    }

    /// Takes in something that can't be read: what was to be seen there isn't held against the rest.
    mutating func addDamage() {
        isAfterDamage = true
        open = [:]
    }

    /// Takes in the next event.
    ///
    /// - Returns: what can't be so.
    mutating func add(_ event: Event) -> [String] {
        var problems: [String] = []
        if let problem = checkOrder(event) { problems.append(problem) }
        count += 1
        if first == nil { first = event }
        last = event
        if let cause = event.cause, let problem = checkCause(cause, of: event) { problems.append(problem) }
        if let action = event.action, action.isPerformed { open[event.id] = action.kind }
        return problems
    }

    private mutating func checkOrder(_ event: Event) -> String? {
        defer { isAfterDamage = false }
        guard seen.insert(event.id) else { return "event \(event.id) is there twice" }
        let expected = last.map { $0.id + 1 } ?? 0
        guard event.id != expected, !isAfterDamage else { return nil }
        if event.id < expected { return "event \(event.id) comes after event \(expected - 1)" }
        guard needsAll else {
            leftOut += event.id - expected
            return nil
        }
        let missing = event.id - expected == 1 ? "event \(expected) is" : "events \(expected) to \(event.id - 1) are"
        return "\(missing) missing"
    }

    private mutating func checkCause(_ cause: Int, of event: Event) -> String? {
        guard cause < event.id else { return "event \(event.id) has the later event \(cause) as its cause" }
        guard event.observation != nil else { return nil }
        if open.removeValue(forKey: cause) != nil {
            answered.insert(cause)
            lastAnswered = max(lastAnswered, cause)
            return nil
        }
        return answered.contains(cause) ? "event \(event.id) is another observation of event \(cause)" : nil
    }
}
