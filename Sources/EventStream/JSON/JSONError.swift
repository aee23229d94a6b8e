/// A text that isn't JSON: where, what was expected there and what was found.
public struct JSONError: Error, Hashable, Sendable {
    /// The byte offset in the parsed bytes, from 0.
    public var offset: Int

    /// What could have stood at the offset.
    public var expected: String

    /// What stands there.
    public var found: String

    /// Makes an error.
    public init(offset: Int, expected: String, found: String) {
        self.offset = offset
        self.expected = expected
        self.found = found
    }
}

extension JSONError: CustomStringConvertible {
    /// The error as a sentence.
    public var description: String { "invalid JSON at byte \(offset): expected \(expected), found \(found)" }
}
