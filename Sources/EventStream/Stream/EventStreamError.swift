/// Why a stream can't do what it was asked to.
public enum EventStreamError: Error, Sendable, Hashable {
    /// The stream is closed, or being closed; nothing can be published any more.
    case closed
    /// The events couldn't be kept, so they aren't in the stream and nobody saw them.
    case storage(EventStoreError)
    /// There is a subscriber of that name already.
    case duplicateSubscriber(name: String)
}

extension EventStreamError: CustomStringConvertible {
    /// The error as a sentence.
    public var description: String {
        switch self {
        case .closed: "the event stream is closed; open the session again to publish"
        case .storage(let error): "the event was not published: \(error)"
        case .duplicateSubscriber(let name):
            "the event stream has a subscriber named \"\(name)\" already; remove that one first or use another name"
        }
    }
}
