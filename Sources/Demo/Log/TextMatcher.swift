import EventStream
import Foundation

/// What `grep` looks for.
struct TextMatcher {
    private enum Pattern {
        case text(String)
        case regex(Regex<AnyRegexOutput>)
    }

    private let pattern: Pattern

    /// Reads a pattern.
    ///
    /// - Throws: `UsageError` when it isn't a regular expression and should be one.
    init(_ text: String, isRegex: Bool) throws(DemoOptions.UsageError) {
        guard isRegex else {
            pattern = .text(text)
            return
        }
        do {
            pattern = .regex(try Regex(text).ignoresCase())
        } catch {
            throw DemoOptions.UsageError(description: "\(text) isn't a regular expression: \(error)")
        }
    }

    /// The text that a filter can look for; `nil` for a regular expression.
    var filterText: String? {
        if case .text(let text) = pattern { text } else { nil }
    }

    /// Whether the JSON of an event matches a regular expression.
    ///
    /// Plain text is left to the filter.
    func matches(_ event: Event) -> Bool {
        guard case .regex(let regex) = pattern else { return true }
        return String(decoding: event.jsonBytes(), as: UTF8.self).firstMatch(of: regex) != nil
    }

    /// Where the pattern is in a text.
    func ranges(in text: String) -> [Range<String.Index>] {
        switch pattern {
        case .regex(let regex): return text.ranges(of: regex).filter { !$0.isEmpty }
        case .text(""): return []
        case .text(let wanted):
            var ranges: [Range<String.Index>] = []
            var start = text.startIndex
            while let range = text.range(of: wanted, options: .caseInsensitive, range: start..<text.endIndex) {
                ranges.append(range)
                start = range.upperBound
            }
            return ranges
        }
    }
}
