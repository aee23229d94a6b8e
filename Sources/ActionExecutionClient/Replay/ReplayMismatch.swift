public import EventStream

/// An action that is not the one that was recorded.
public struct ReplayMismatch: Error, Sendable, Hashable, CustomStringConvertible {
    /// The event of the recorded action that should have come; nil when none was left, or none was like it.
    public var expected: Event?
    /// The action that came; nil when none did.
    public var actual: Action?

    /// Makes a mismatch.
    public init(expected: Event?, actual: Action?) {
        self.expected = expected
        self.actual = actual
    }

    /// What was recorded, what came, and where they differ, on several lines.
    public var description: String {
        switch (expected, actual) {
        case (let expected?, let actual?):
            let differences = JSONDifference.between(Self.essentials(expected.action), Self.essentials(actual))
            return "The action differs from the recorded one, event \(expected.id):\n"
                + differences.map { "  \($0)" }.joined(separator: "\n")
        case (let expected?, nil):
            return "The recorded action of event \(expected.id) was not performed: \(expected.message)"
        case (nil, let actual?):
            return "The recording has no such action (any more): \(JSONValue.object(actual.json))"
        case (nil, nil):
            return "The recording was not followed."
        }
    }
}

extension ReplayMismatch {
    /// The action's JSON without the line for people, which says again what the arguments do.
    private static func essentials(_ action: Action?) -> JSONValue {
        var json = action?.json ?? [:]
        json.removeValue(forKey: "message")
        return .object(json)
    }
}

/// A place where two JSON values differ.
public struct JSONDifference: Sendable, Hashable, CustomStringConvertible {
    /// The place, such as `args.command` or `images[2]`; empty for the whole.
    public var path: String
    /// What is on the one side; nil when there is nothing.
    public var expected: JSONValue?
    /// What is on the other side; nil when there is nothing.
    public var actual: JSONValue?

    /// The place and both sides; for long texts, what is around the first difference.
    public var description: String {
        if case .string(let one)? = expected, case .string(let other)? = actual {
            let (one, other) = Self.excerpts(one, other)
            return "\(path): expected \(one)\n    but got \(other)"
        }
        let one = expected.map { "\($0)" } ?? "nothing"
        let other = actual.map { "\($0)" } ?? "nothing"
        return "\(path): expected \(one)\n    but got \(other)"
    }

    /// All places where two values differ, in the order of the first.
    public static func between(_ expected: JSONValue, _ actual: JSONValue, at path: String = "") -> [JSONDifference] {
        switch (expected, actual) {
        case (.object(let one), .object(let other)):
            let prefix = path.isEmpty ? "" : path + "."
            var differences: [JSONDifference] = []
            for (key, value) in one {
                if let counterpart = other[key] {
                    differences += between(value, counterpart, at: prefix + key)
                } else {
                    differences.append(JSONDifference(path: prefix + key, expected: value, actual: nil))
                }
            }
            for (key, value) in other where one[key] == nil {
                differences.append(JSONDifference(path: prefix + key, expected: nil, actual: value))
            }
            return differences
        case (.array(let one), .array(let other)) where one.count == other.count:
            return zip(one, other).enumerated().flatMap { between($1.0, $1.1, at: "\(path)[\($0)]") }
        default:
            return expected == actual ? [] : [JSONDifference(path: path, expected: expected, actual: actual)]
        }
    }

    /// What is around the first character in which two texts differ.
    private static func excerpts(_ one: String, _ other: String) -> (String, String) {
        let same = zip(one, other).prefix { $0 == $1 }.count
        let start = max(0, same - 40)
        func excerpt(_ text: String) -> String {
            let part = text.dropFirst(start).prefix(160)
            let quoted = JSONValue.string(String(part)).description
            return (start > 0 ? "…" : "") + quoted + (text.count > start + part.count ? "…" : "")
        }
        return (excerpt(one), excerpt(other))
    }
}
