import EventStream

extension EventDraft {
    /// A message whose text tells it from others.
    static func message(_ text: String) -> EventDraft {
        EventDraft(.action(.message(MessageAction(content: text))), source: .user)
    }
}

extension Event {
    /// The text of a message.
    var text: String? {
        if case .action(.message(let message)) = payload { message.content } else { nil }
    }
}

extension AsyncSequence where Element == Event {
    /// The first events.
    func first(_ count: Int) async throws -> [Event] {
        var events: [Event] = []
        guard count > 0 else { return events }
        for try await event in self {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }

    /// All events until the end.
    func all() async throws -> [Event] {
        var events: [Event] = []
        for try await event in self { events.append(event) }
        return events
    }
}
