/// Which shell session a command runs in, as a member of the event that the reference ignores.
private let shellSessionKey = "shell_session"

extension Event {
    /// The shell session that the event's command runs in: letters, digits, `.`, `_` and `-`; nil for the one that all
    /// commands share that name none.
    public var shellSession: String? {
        get { extra[shellSessionKey]?.stringValue }
        set { extra[shellSessionKey] = newValue.map(JSONValue.string) }
    }
}

extension EventDraft {
    /// The shell session that the event's command runs in; see ``Event/shellSession``.
    public var shellSession: String? {
        get { extra[shellSessionKey]?.stringValue }
        set { extra[shellSessionKey] = newValue.map(JSONValue.string) }
    }
}
