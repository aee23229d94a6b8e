/// Conditions on what a list or a stream of events shows; all must hold, for each the values are alternatives.
///
/// The names that a call knows are in the Engine API's reference.
public struct EngineFilters: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    var values: [String: [String]]

    /// Creates filters from a literal: `["label": ["a=b"], "status": ["running", "paused"]]`.
    public init(dictionaryLiteral elements: (String, [String])...) {
        values = Dictionary(elements) { $0 + $1 }
    }

    /// Keeps what carries all of these labels.
    ///
    /// An empty value keeps any value of the label.
    public static func labels(_ labels: [String: String]) -> EngineFilters {
        var filters: EngineFilters = [:]
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            filters.add("label", value.isEmpty ? name : "\(name)=\(value)")
        }
        return filters
    }

    /// Adds a value to a filter.
    ///
    /// Of `label`, unlike others, all values must hold.
    public mutating func add(_ name: String, _ value: String) {
        values[name, default: []].append(value)
    }

    var isEmpty: Bool { values.isEmpty }
}
