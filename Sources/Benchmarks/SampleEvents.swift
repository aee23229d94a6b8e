import EventStream

/// The events that are measured with.
enum SampleEvents {
    /// A command whose action takes about 300 bytes of JSON.
    static let command = "make test"

    /// An action of about 300 bytes.
    static let action = Action.run(CommandAction(command: command))

    /// The same as a draft.
    static let draft = EventDraft(.action(action), source: .agent)

    /// How many bytes the action's event takes as JSON, so that notes say what is measured.
    static let actionSize = Event(
        id: 123_456,
        timestamp: .now(),
        source: .agent,
        payload: .action(action)
    ).jsonBytes().count

    /// The events of a session: commands and what they wrote in turns, with a word of the user's before each hundred.
    static func session(_ ids: Range<Int>) -> [EventDraft] {
        ids.map { id in
            if id % 100 == 0 {
                return EventDraft(
                    .action(.message(MessageAction(content: "Go on with part \(id / 100)."))),
                    source: .user
                )
            }
            if id % 2 == 1 { return draft }
            let observation = CommandObservation(
                content: "12 passed in 0.\(id % 97)s",
                command: command,
                metadata: CommandMetadata(exitCode: 0, pid: -1, workingDirectory: "/workspace")
            )
            return EventDraft(.observation(.run(observation)), source: .agent, cause: id - 1)
        }
    }

    /// Writes a session to a log.
    static func writeSession(count: Int, to directory: String) async throws {
        let stream = try EventStream(directory: directory)
        while stream.nextID < count {
            try await stream.publish(session(stream.nextID..<min(count, stream.nextID + batch)))
        }
        try await stream.close()
    }

    /// How many events are published at once where that isn't measured.
    static let batch = 10_000
}
