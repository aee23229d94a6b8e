/// JSON that isn't an event: which field, what it should hold and what it holds.
public struct EventDecodingError: Error, Sendable, Hashable {
    /// The names of members from the outermost to the field, for example `["args", "command"]`; empty for the whole.
    public var path: [String]

    /// What the field should hold.
    public var expected: String

    /// What it holds.
    public var found: String

    /// The id of the event, where it is known.
    public var eventID: Int?

    /// Makes an error.
    public init(path: [String], expected: String, found: String, eventID: Int? = nil) {
        self.path = path
        self.expected = expected
        self.found = found
        self.eventID = eventID
    }

    /// The same error inside a member of that name.
    func inside(_ name: String) -> EventDecodingError {
        var error = self
        error.path.insert(name, at: 0)
        return error
    }

    /// A value that isn't of the right kind.
    static func mismatch(_ expected: String, _ value: JSONValue) -> EventDecodingError {
        let found: String
        switch value {
        case .number, .bool: found = value.description
        case .string(let string) where string.utf8.count <= 40: found = value.description
        default: found = value.kindName
        }
        return EventDecodingError(path: [], expected: expected, found: found)
    }
}

extension EventDecodingError: CustomStringConvertible {
    /// The error as a sentence.
    public var description: String {
        let place = path.isEmpty ? "" : " in \"\(path.joined(separator: "."))\""
        let event = eventID.map { "event \($0)" } ?? "event"
        return "malformed \(event): expected \(expected)\(place), found \(found)"
    }
}
