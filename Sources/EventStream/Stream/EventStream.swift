import Synchronization

/// An ordered, durable log of what happens in a session, which any number of tasks publish to and subscribe to.
///
/// All of it may be used from any task or thread. Ids are dense from 0; all subscribers, the store and a later replay see the same events in
/// the same order. An event is delivered after the store has it, and ``publish(_:source:cause:timeout:toolCallMetadata:)`` returns after
/// that. A subscriber is a cursor on the log: it costs the same whether it keeps up or not.
///
/// ```swift
/// let stream = EventStream()
/// let id = try await stream.publish(.run(CommandAction(command: "ls")), timeout: 20).id
/// for try await event in stream.subscribe(from: 0) { print(event.message) }
/// ```
public final class EventStream: Sendable {
    let store: any EventStore
    let state: Mutex<StreamState>
    let secrets = Mutex(Secrets())
    /// Whether there are any, for those who publish where there is none.
    let hasSecrets = Atomic(false)
    let subscribers = Mutex(Subscribers())
    let thread: StoreThread?
    /// How many events the store had when the stream was opened: those with lower ids are an earlier run's.
    package let recordedCount: Int

    /// Opens a stream on the events of a store.
    ///
    /// The store is the stream's from now on: nothing else may append to it or close it.
    public init(store: any EventStore) {
        self.store = store
        thread = store.waitsForDisk ? StoreThread() : nil
        recordedCount = store.count
        state = Mutex(
            StreamState(
                count: recordedCount,
                lastTimestamp: store.lastTimestamp,
                isResident: store.isResident,
                hasThread: thread != nil
            )
        )
        thread?.run { [weak self] in self?.writeFromThread() }
    }

    /// Opens an empty stream in memory, which keeps nothing.
    public convenience init() {
        self.init(store: MemoryEventStore())
    }

    /// Opens the stream of a session whose events are kept in a directory; see ``JSONLinesEventStore``.
    ///
    /// - Parameters:
    ///   - directory: The directory's path; it is made where it isn't there.
    ///   - durability: What an acknowledged event survives.
    /// - Throws: Why the directory can't be opened for writing.
    public convenience init(
        directory: String,
        durability: JSONLinesEventStore.Durability = .os
    ) throws(EventStoreError) {
        self.init(store: try JSONLinesEventStore(directory: directory, durability: durability))
    }

    deinit {
        thread?.stop()
    }

    /// The id of the next event, which is also how many events there are.
    public var nextID: Int { state.withLock { $0.visibleCount } }

    // MARK: Publishing

    /// Appends an event and delivers it.
    ///
    /// Cancelling the task doesn't take back an event, so it doesn't interrupt the call.
    ///
    /// - Returns: The event with its id and time, as it is stored: secrets are masked.
    /// - Throws: ``EventStreamError/closed``, or ``EventStreamError/storage(_:)`` when the store can't keep it; the stream then is as
    ///   if the call hadn't been made.
    @discardableResult
    public func publish(
        _ payload: Event.Payload,
        source: EventSource,
        cause: Int? = nil,
        timeout: Double? = nil,
        toolCallMetadata: JSONValue? = nil
    ) async throws(EventStreamError) -> Event {
        var event = Event(unplaced: payload, source: source, cause: cause, timeout: timeout, toolCallMetadata)
        if let ticket = try place(&event) { try await wait(for: ticket) }
        return event
    }

    /// Appends an action and delivers it; see ``publish(_:source:cause:timeout:toolCallMetadata:)``.
    @discardableResult
    public func publish(
        _ action: Action,
        source: EventSource = .agent,
        timeout: Double? = nil,
        toolCallMetadata: JSONValue? = nil
    ) async throws(EventStreamError) -> Event {
        var event = Event(unplaced: .action(action), source: source, cause: nil, timeout: timeout, toolCallMetadata)
        if let ticket = try place(&event) { try await wait(for: ticket) }
        return event
    }

    /// Appends an observation and delivers it; see ``publish(_:source:cause:timeout:toolCallMetadata:)``.
    @discardableResult
    public func publish(
        _ observation: Observation,
        source: EventSource = .agent,
        cause: Int? = nil,
        toolCallMetadata: JSONValue? = nil
    ) async throws(EventStreamError) -> Event {
        var event = Event(
            unplaced: .observation(observation),
            source: source,
            cause: cause,
            timeout: nil,
            toolCallMetadata
        )
        if let ticket = try place(&event) { try await wait(for: ticket) }
        return event
    }

    /// Appends an event and delivers it; see ``publish(_:source:cause:timeout:toolCallMetadata:)``.
    @discardableResult
    public func publish(_ draft: EventDraft) async throws(EventStreamError) -> Event {
        var event = draft.unplacedEvent
        if let ticket = try place(&event) { try await wait(for: ticket) }
        return event
    }

    /// Appends events one after the other, with no other event between them, and delivers them.
    ///
    /// - Returns: The events with their ids and times, as they're stored.
    /// - Throws: As for one event; all of them are kept or none is.
    @discardableResult
    public func publish(_ drafts: [EventDraft]) async throws(EventStreamError) -> [Event] {
        guard !drafts.isEmpty else { return [] }
        var events = drafts.map(\.unplacedEvent)
        let originals = mask(&events)
        let now = Timestamp.now()
        let place = state.withLock { $0.enqueue(&events, originals: originals, now: now) }
        guard let (role, ticket) = place else { throw .closed }
        if try take(role, ticket) { try await wait(for: ticket) }
        return events
    }

    /// Puts an event in line, and writes it where that is up to the caller.
    ///
    /// - Returns: The ticket to wait for; `nil` when the event is stored.
    private func place(_ event: inout Event) throws(EventStreamError) -> UInt64? {
        let original = mask(&event)
        let now = Timestamp.now()
        let place = state.withLock { $0.enqueue(&event, original: original, now: now) }
        guard let (role, ticket) = place else { throw .closed }
        return try take(role, ticket) ? ticket : nil
    }

    /// Does what is up to a publisher whose events are in line.
    ///
    /// - Returns: Whether to wait for the ticket.
    private func take(_ role: consuming StreamState.Role, _ ticket: UInt64) throws(EventStreamError) -> Bool {
        switch consume role {
        case .writer(let batch):
            if let error = write(batch, ownTicket: ticket) { throw .storage(error) }
            return false
        case .waiter: return true
        case .waiterWakingThread:
            thread?.wake()
            return true
        }
    }

    /// Waits until the events of a ticket are stored.
    private func wait(for ticket: UInt64) async throws(EventStreamError) {
        let outcome = await withCheckedContinuation { continuation in
            if let outcome = state.withLock({ $0.wait(for: ticket, continuation) }) {
                continuation.resume(returning: outcome)
            }
        }
        switch outcome {
        case .stored: return
        case .failed(let error): throw .storage(error)
        case .write:
            let batch = state.withLock { $0.takeBatch() }
            if let error = write(batch, ownTicket: ticket) { throw .storage(error) }
        }
    }

    /// Writes a batch, and what is pending then, until the role is passed on or nothing is pending.
    ///
    /// - Parameter ownTicket: The ticket of the caller, whose events are in the batch and who doesn't wait for it.
    /// - Returns: The error of the batch.
    func write(_ batch: consuming StreamState.Batch, ownTicket: UInt64?) -> EventStoreError? {
        var batch = consume batch
        var effects = StreamState.Effects()
        var goesOn: Bool
        var result: EventStoreError?
        do {
            let bytes = try store.append(batch.events)
            goesOn = state.withLock { $0.finish(&batch, bytes: bytes, &effects) }
        } catch {
            goesOn = state.withLock { $0.fail(error, ownTicket: ownTicket, &effects) }
            result = error
        }
        effects.perform()
        while goesOn {
            // Those who wait for these events are told themselves of an error.
            var next = state.withLock { $0.takeBatch() }
            effects = StreamState.Effects()
            do {
                let bytes = try store.append(next.events)
                goesOn = state.withLock { $0.finish(&next, bytes: bytes, &effects) }
            } catch {
                goesOn = state.withLock { $0.fail(error, ownTicket: nil, &effects) }
            }
            effects.perform()
        }
        return result
    }

    // MARK: Closing

    /// Ends the stream: refuses publishers, has what is pending written, closes the store, and ends all iterations after the last event.
    ///
    /// What is stored can still be read. Closing a second time waits for the first.
    ///
    /// - Throws: What the store says when it is closed; the stream is closed all the same.
    public func close() async throws(EventStreamError) {
        guard state.withLock({ $0.beginClosing() }) else {
            await withCheckedContinuation { continuation in
                if !state.withLock({ $0.waitForClose(continuation) }) { continuation.resume() }
            }
            return
        }
        await withCheckedContinuation { continuation in
            if !state.withLock({ $0.waitForWriter(continuation) }) { continuation.resume() }
        }
        thread?.stop()
        var failure: EventStoreError?
        do {
            try store.close()
        } catch {
            failure = error
        }
        var effects = StreamState.Effects()
        state.withLock { $0.finishClosing(&effects) }
        effects.perform()
        if let failure { throw .storage(failure) }
    }
}
