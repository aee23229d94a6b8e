/// The form in which a session is kept.
public enum SessionForm: Sendable, Hashable {
    /// A directory of ``JSONLinesEventStore``.
    case store
    /// A file with one event per line.
    case lines
    /// A folder of the reference: a file for each event, and maybe pages of them.
    case referenceSession
    /// A file with an array of events, or with an object that has that array as `trajectory`.
    case trajectory
}
