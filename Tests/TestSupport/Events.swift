public import EventStream

extension EventStream {
    /// Waits for the observation of an action.
    ///
    /// - Returns: the event; nil when the stream is closed without it.
    public func answer(to action: Event) async throws -> Event? {
        for try await event in subscribe(from: action.id + 1, where: .observations) where event.cause == action.id {
            return event
        }
        return nil
    }

    /// Publishes an action and waits for its observation.
    public func perform(_ action: Action, timeout: Double? = nil) async throws -> Observation? {
        try await answer(to: publish(action, timeout: timeout))?.observation
    }

    /// Publishes a command and waits for what it wrote and how it ended; nil when it was answered otherwise.
    public func run(
        _ command: String,
        isInput: Bool = false,
        timeout: Double? = nil
    ) async throws -> CommandObservation? {
        let action = CommandAction(command: command, isInput: isInput)
        guard case .run(let result)? = try await perform(.run(action), timeout: timeout) else { return nil }
        return result
    }

    /// The observations that answer an action, so far.
    public func answers(to action: Event) throws -> [Observation] {
        try events(where: .observations).filter { $0.cause == action.id }.compactMap(\.observation)
    }
}
