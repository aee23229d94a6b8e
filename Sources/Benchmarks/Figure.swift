import Foundation

/// A measured value.
struct Figure {
    var name: String
    var value: Double
    var unit: String
    /// How many measurements stand behind it.
    var count: Int
    /// How it was measured, and what it is divided by.
    var note: String

    /// The figure as one JSON object.
    var json: String {
        let members: [(String, String)] = [
            ("name", quoted(name)), ("value", number), ("unit", quoted(unit)), ("n", String(count)),
            ("note", quoted(note)),
        ]
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// The figure as a row of a table.
    var row: String {
        let name = name.padding(toLength: 30, withPad: " ", startingAt: 0)
        let value = String(repeating: " ", count: max(0, 12 - number.count)) + number
        return "\(name)\(value) \(unit.padding(toLength: 9, withPad: " ", startingAt: 0)) n=\(count)  \(note)"
    }

    private var number: String {
        value >= 1000 ? String(format: "%.0f", value) : String(format: "%.3f", value)
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
}

/// Repeated measurements of one thing, in seconds.
struct Samples {
    private var seconds: [Double] = []

    var count: Int { seconds.count }

    mutating func append(_ duration: Duration) {
        seconds.append(duration / .seconds(1))
    }

    /// The value below which a share of the measurements lies.
    func percentile(_ share: Double) -> Double {
        let sorted = seconds.sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// The median of a part of the measurements.
    func median(of range: Range<Int>) -> Double {
        var part = Samples()
        part.seconds = Array(seconds[range.clamped(to: seconds.indices)])
        return part.percentile(0.5)
    }
}

/// The time that an operation takes.
func measure<Value>(_ operation: () async throws -> Value) async rethrows -> (Value, Duration) {
    let start = ContinuousClock.now
    let value = try await operation()
    return (value, .now - start)
}

/// The best rate of several attempts: others on the machine make one slower, never faster.
struct Best {
    private(set) var rate = 0.0

    /// Does something that is as many operations.
    mutating func measure(_ count: Int, _ body: () async throws -> Void) async rethrows {
        let start = ContinuousClock.now
        try await body()
        rate = max(rate, Double(count) / ((.now - start) / .seconds(1)))
    }
}
