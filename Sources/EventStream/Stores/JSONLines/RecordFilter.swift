/// What of a filter can be told from an event's record alone.
struct RecordFilter {
    private var types = [Bool](repeating: true, count: 256)
    private var sources = [Bool](repeating: true, count: 256)
    private let excludesHidden: Bool
    private let earliest: Int64
    private let latest: Int64

    init(_ filter: EventFilter) {
        let firstObservation = Int(Event.Payload.firstObservationCode)
        if !filter.includesActions { for code in 0..<firstObservation { types[code] = false } }
        if !filter.includesObservations { for code in firstObservation..<256 { types[code] = false } }
        if let wanted = filter.types {
            let codes = Set(wanted.map { Int($0.code) })
            for code in types.indices where !codes.contains(code) { types[code] = false }
        }
        for type in filter.excludedTypes where type.code != 0 && Int(type.code) != firstObservation {
            types[Int(type.code)] = false
        }
        if let wanted = filter.sources {
            let codes = Set(wanted.map { Int($0.code) })
            for code in sources.indices where !codes.contains(code) { sources[code] = false }
        }
        excludesHidden = filter.excludesHidden
        earliest = filter.earliest.flatMap { $0.zone == .local ? $0.wallMicroseconds : nil } ?? .min
        latest = filter.latest.flatMap { $0.zone == .local ? $0.wallMicroseconds : nil } ?? .max
    }

    /// False when the event certainly isn't wanted.
    @inline(__always)
    func mayInclude(_ record: IndexRecord) -> Bool {
        types[Int(record.type)] && sources[Int(record.source)] && !(excludesHidden && record.flags.contains(.hidden))
            && (record.flags.contains(.foreignTime)
                || record.wallMicroseconds >= earliest && record.wallMicroseconds <= latest)
    }
}
