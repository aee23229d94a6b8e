/// Who caused an event.
///
/// The reference knows three; another one in a log is kept as it is.
public struct EventSource: RawRepresentable, Sendable, Hashable {
    /// The word in the log.
    public var rawValue: String

    /// Makes a source of a word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The agent; also of the observations that answer its actions.
    public static let agent = EventSource(rawValue: "agent")

    /// The person the agent works for.
    public static let user = EventSource(rawValue: "user")

    /// What is around both, for example a state change.
    public static let environment = EventSource(rawValue: "environment")
}

extension EventSource: CustomStringConvertible {
    /// The word in the log.
    public var description: String { rawValue }
}
