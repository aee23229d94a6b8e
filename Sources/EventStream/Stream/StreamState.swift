/// What a stream decides: who writes, what is visible, who waits.
///
/// A value without I/O; its owner holds the lock.
///
/// A publisher places its events at the end of `pending` and so learns their ids. One publisher at a time has the *writer's role*: it
/// takes all that is pending, has the store keep it without holding the lock, and then makes it visible. Publishers that come meanwhile
/// wait for their *ticket*; the writer passes its role on to one of them rather than working for others forever.
struct StreamState: ~Copyable {
    /// How a wait for a ticket ends.
    enum Outcome: Sendable {
        /// The events are kept.
        case stored
        /// The events aren't kept.
        case failed(EventStoreError)
        /// The events are pending still, and the waiter is the writer now.
        case write
    }

    /// What a publisher is to do once its events are pending.
    enum Role {
        /// Write this, and then what is pending.
        case writer(Batch)
        /// Wait for the ticket.
        case waiter
        /// Wake the stream's own thread, then wait for the ticket.
        case waiterWakingThread
    }

    /// What is to be done after the lock is let go of.
    struct Effects {
        var outcomes: [(CheckedContinuation<Outcome, Never>, Outcome)] = []
        var readers: [CheckedContinuation<Void, Never>] = []
        var closers: [CheckedContinuation<Void, Never>] = []

        func perform() {
            for (continuation, outcome) in outcomes { continuation.resume(returning: outcome) }
            for continuation in readers { continuation.resume() }
            for continuation in closers { continuation.resume() }
        }
    }

    /// Publishers' events that the store doesn't have yet, or is just taking.
    struct Batch {
        var events: [Event] = []
        /// The ticket of the last publisher of the batch.
        var lastTicket: UInt64 = 0
        /// How many publishers the events are from.
        var publishers = 0
    }

    private enum Phase {
        /// Publishers are let in.
        case open
        /// Publishers are refused, and what is pending is still written.
        case closing
        /// Nothing changes any more.
        case closed
    }

    private var phase = Phase.open
    private var nextID: Int
    private var lastTimestamp: Timestamp?

    private var pending = Batch()
    /// Memory for the next batch.
    private var spare: [Event] = []
    private var isWriting = false
    private let hasThread: Bool
    /// Whether the thread waits for publishers.
    private var isGathering = false
    /// How many publishers may be part of the next batch, if those of the last one go on.
    private var expectedPublishers = 0

    private var issuedTickets: UInt64 = 0
    private var storedTicket: UInt64 = 0
    /// Publishers that wait, by ticket; in order, since each ticket is larger than those before.
    private var waiters: [(ticket: UInt64, continuation: CheckedContinuation<Outcome, Never>)] = []
    /// Failures of publishers that have placed their events and aren't waiting yet.
    private var failures: [UInt64: EventStoreError] = [:]

    /// Readers that have read all there is, by number.
    private var readers: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextReader = 0
    /// The caller of the closing, while it waits for the writer.
    private var closer: CheckedContinuation<Void, Never>?
    /// Callers that came after that one.
    private var closers: [CheckedContinuation<Void, Never>] = []

    /// What actions were before secrets were masked, by id, until they're answered.
    private var originals: [Int: Action] = [:]

    /// The number of events that subscribers and readers may see.
    private(set) var visibleCount: Int
    private(set) var recent: RecentEvents

    init(count: Int, lastTimestamp: Timestamp?, isResident: Bool, hasThread: Bool) {
        nextID = count
        visibleCount = count
        self.lastTimestamp = lastTimestamp
        self.hasThread = hasThread
        recent = RecentEvents(nextID: count, isKept: !isResident)
    }

    /// The time for events that are published now: never before that of an earlier event.
    private mutating func place(_ event: inout Event, at time: Timestamp) {
        event.id = nextID
        event.timestamp = time
        nextID += 1
    }

    private mutating func monotone(_ now: Timestamp) -> Timestamp {
        // The clock may be set back, and local time goes back once a year.
        let time = lastTimestamp.map { max($0, now) } ?? now
        lastTimestamp = time
        return time
    }

    // MARK: Publishing

    /// Gives an event its id and time and puts it in line; `nil` when the stream is closed.
    ///
    /// - Parameter original: What the action was before secrets were masked; `nil` when none were.
    mutating func enqueue(_ event: inout Event, original: Action?, now: Timestamp) -> (Role, ticket: UInt64)? {
        guard phase == .open else { return nil }
        place(&event, at: monotone(now))
        pending.events.append(event)
        if let original { originals[event.id] = original }
        return takeTicket()
    }

    /// Gives events their ids and time and puts them in line; `nil` when the stream is closed.
    ///
    /// - Parameter changed: What actions were before secrets were masked, by position.
    mutating func enqueue(
        _ events: inout [Event],
        originals changed: [Int: Action],
        now: Timestamp
    ) -> (Role, ticket: UInt64)? {
        guard phase == .open else { return nil }
        let time = monotone(now)
        pending.events.reserveCapacity(pending.events.count + events.count)
        for index in events.indices {
            place(&events[index], at: time)
            pending.events.append(events[index])
        }
        for (index, original) in changed { originals[events[index].id] = original }
        return takeTicket()
    }

    private mutating func takeTicket() -> (Role, ticket: UInt64) {
        issuedTickets += 1
        pending.lastTicket = issuedTickets
        pending.publishers += 1
        if hasThread {
            let wakes = isWriting ? isGathering && pending.publishers >= expectedPublishers : pending.publishers == 1
            return (wakes ? .waiterWakingThread : .waiter, issuedTickets)
        }
        if isWriting { return (.waiter, issuedTickets) }
        isWriting = true
        return (.writer(takeBatch()), issuedTickets)
    }

    // MARK: The stream's own thread

    /// Takes the writer's role for the stream's own thread; false when there is nothing to write.
    mutating func beginWriting() -> Bool {
        guard !isWriting, !pending.events.isEmpty else { return false }
        isWriting = true
        return true
    }

    /// Whether to wait a little for the publishers that the last batch has just woken: each batch costs a wait for the disk.
    mutating func beginGathering() -> Bool {
        isGathering = pending.publishers < expectedPublishers
        return isGathering
    }

    /// Hands what is pending to the thread, or takes the writer's role from it when nothing is.
    mutating func endGathering(_ effects: inout Effects) -> Batch? {
        isGathering = false
        guard pending.events.isEmpty else { return takeBatch() }
        expectedPublishers = 0
        endWriting(&effects)
        return nil
    }

    /// Hands what is pending to the writer.
    mutating func takeBatch() -> Batch {
        var batch = Batch()
        batch.events = spare
        spare = []
        swap(&batch, &pending)
        return batch
    }

    /// Keeps the memory of a batch for a later one.
    private mutating func recycle(_ batch: inout Batch) {
        guard batch.events.count <= 64 else { return }
        spare = batch.events
        batch.events = []
        spare.removeAll(keepingCapacity: true)
    }

    /// Makes a batch that the store has kept visible.
    ///
    /// - Returns: Whether the writer's role stays with the caller.
    mutating func finish(_ batch: inout Batch, bytes: Int, _ effects: inout Effects) -> Bool {
        storedTicket = batch.lastTicket
        visibleCount += batch.events.count
        recent.append(batch.events, bytes: bytes)
        if !originals.isEmpty {
            for event in batch.events {
                if let cause = event.cause, event.observation != nil { originals[cause] = nil }
            }
        }
        wakeWaiters(upTo: batch.lastTicket, .stored, &effects)
        if !readers.isEmpty {
            effects.readers.append(contentsOf: readers.values)
            readers.removeAll(keepingCapacity: true)
        }
        expectedPublishers = batch.publishers + pending.publishers
        recycle(&batch)
        return passRole(&effects)
    }

    /// Takes back the batch that the store hasn't kept, and all that is pending: its ids follow on those of the batch.
    ///
    /// - Parameter ticket: The writer's own ticket, which nobody will wait for.
    /// - Returns: Whether the writer's role stays with the caller.
    mutating func fail(_ error: EventStoreError, ownTicket ticket: UInt64?, _ effects: inout Effects) -> Bool {
        var unclaimed = (storedTicket + 1)...issuedTickets
        nextID = visibleCount
        pending = Batch()
        originals = originals.filter { $0.key < visibleCount }
        storedTicket = issuedTickets
        var waiting = Set(waiters.map(\.ticket))
        if let ticket { waiting.insert(ticket) }
        while let first = unclaimed.first {
            if !waiting.contains(first) { failures[first] = error }
            guard first < unclaimed.upperBound else { break }
            unclaimed = (first + 1)...unclaimed.upperBound
        }
        wakeWaiters(upTo: issuedTickets, .failed(error), &effects)
        return passRole(&effects)
    }

    private mutating func wakeWaiters(upTo ticket: UInt64, _ outcome: Outcome, _ effects: inout Effects) {
        guard !waiters.isEmpty else { return }
        waiters.removeAll { waiter in
            guard waiter.ticket <= ticket else { return false }
            effects.outcomes.append((waiter.continuation, outcome))
            return true
        }
    }

    private mutating func passRole(_ effects: inout Effects) -> Bool {
        // The thread keeps the role until it finds nothing to write.
        if hasThread { return true }
        if pending.events.isEmpty {
            endWriting(&effects)
            return false
        }
        // Whoever is in line but not waiting yet will be soon; until one is, the caller goes on.
        guard !waiters.isEmpty else { return true }
        effects.outcomes.append((waiters.removeFirst().continuation, .write))
        return false
    }

    private mutating func endWriting(_ effects: inout Effects) {
        isWriting = false
        guard let closer else { return }
        effects.closers.append(closer)
        self.closer = nil
    }

    /// Waits for a ticket, unless it is known already how that ended.
    mutating func wait(
        for ticket: UInt64,
        _ continuation: CheckedContinuation<Outcome, Never>
    ) -> Outcome? {
        if let error = failures.removeValue(forKey: ticket) { return .failed(error) }
        if ticket <= storedTicket { return .stored }
        // Publishers wait in about the order in which they came, so the place is at the end or near it.
        let index = waiters.lastIndex { $0.ticket < ticket }.map { $0 + 1 } ?? waiters.startIndex
        waiters.insert((ticket, continuation), at: index)
        return nil
    }

    // MARK: Secrets

    /// What an action was before secrets were masked; `nil` when none were, or it is answered or forgotten.
    func original(_ id: Int) -> Action? { originals[id] }

    /// Forgets what an action was.
    mutating func forgetOriginal(_ id: Int) {
        originals[id] = nil
    }

    // MARK: Closing

    /// Refuses publishers from now on.
    ///
    /// - Returns: Whether the caller is the first, and so the one to close the store.
    mutating func beginClosing() -> Bool {
        guard phase == .open else { return false }
        phase = .closing
        return true
    }

    /// Waits for what is pending to be written, unless nothing is.
    mutating func waitForWriter(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard isWriting || !pending.events.isEmpty else { return false }
        closer = continuation
        return true
    }

    /// Ends iterations after the last event, and the wait of those who called for the closing too.
    mutating func finishClosing(_ effects: inout Effects) {
        phase = .closed
        originals.removeAll()
        effects.readers.append(contentsOf: readers.values)
        effects.closers.append(contentsOf: closers)
        readers.removeAll()
        closers.removeAll()
    }

    /// Waits for the closing to be done, unless it is.
    mutating func waitForClose(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard !isClosed else { return false }
        closers.append(continuation)
        return true
    }

    var isClosed: Bool { phase == .closed }

    // MARK: Reading

    /// A number for a reader that is about to wait.
    mutating func makeReaderNumber() -> Int {
        nextReader += 1
        return nextReader
    }

    /// Waits for the event of that id, unless it is there or never will be.
    mutating func waitForEvent(_ id: Int, reader: Int, _ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard id >= visibleCount, !isClosed else { return false }
        readers[reader] = continuation
        return true
    }

    /// Takes out a reader whose task was cancelled.
    mutating func cancel(reader: Int) -> CheckedContinuation<Void, Never>? {
        readers.removeValue(forKey: reader)
    }
}
