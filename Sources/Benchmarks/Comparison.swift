import Foundation

/// What a figure is compared with: measured in the same run, and a figure of its own.
struct Comparison {
    /// The name of the figure that is compared.
    var name: String
    var value: Double
    var unit: String
    var count: Int
    var note: String
    /// What the machine does of the same without anything of ours, and how that is measured.
    var floor: (value: Double, note: String)
    /// What the reference does, and how that is measured; `nil` for what it has nothing of.
    var reference: (measurement: String, arguments: [String], note: String)?

    /// The figure, its floor, and the reference's where that is there to be measured.
    func figures(_ options: Options) async throws -> [Figure] {
        var note = note + "; \(Self.ratio(value / floor.value)) × the floor"
        var others = [Figure(name: "bare_" + name, value: floor.value, unit: unit, count: count, note: floor.note)]
        if let reference {
            if let process = options.reference {
                let value = try await process.measure(reference.measurement, reference.arguments)
                note += ", \(Self.ratio(self.value / value)) × the reference"
                others.append(
                    Figure(name: "reference_" + name, value: value, unit: unit, count: 1, note: reference.note)
                )
            } else {
                note += "; the reference isn't measured without --reference"
            }
        }
        return [Figure(name: name, value: value, unit: unit, count: count, note: note)] + others
    }

    private static func ratio(_ value: Double) -> String {
        String(format: value < 0.1 ? "%.4f" : value < 10 ? "%.2f" : "%.0f", value)
    }
}
