/// What kind of event it is: action or observation, and the word for it in the log.
public struct EventType: Sendable, Hashable {
    /// Whether it is an observation rather than an action.
    public var isObservation: Bool
    /// The word in the log, for example `run`.
    public var kind: String

    /// The type of actions with that word.
    public static func action(_ kind: String) -> EventType {
        EventType(isObservation: false, kind: kind)
    }

    /// The type of observations with that word.
    public static func observation(_ kind: String) -> EventType {
        EventType(isObservation: true, kind: kind)
    }
}

extension Event {
    /// What kind of event it is.
    public var type: EventType {
        switch payload {
        case .action(let action): .action(action.kind)
        case .observation(let observation): .observation(observation.kind)
        }
    }

    /// Whether the event is kept from the agent's history.
    public var isHidden: Bool {
        switch payload {
        case .action(.run(let action)): action.hidden
        case .observation(.run(let observation)): observation.hidden
        default: false
        }
    }
}

/// Which events somebody wants: those that meet all conditions that are set.
public struct EventFilter: Sendable, Hashable {
    /// Whether to want actions.
    public var includesActions: Bool
    /// Whether to want observations.
    public var includesObservations: Bool
    /// The only types wanted; `nil` for all.
    public var types: Set<EventType>?
    /// Types not wanted.
    public var excludedTypes: Set<EventType>
    /// The only sources wanted; `nil` for all.
    public var sources: Set<EventSource>?
    /// Whether to leave out what is kept from the agent's history.
    public var excludesHidden: Bool
    /// The earliest time wanted.
    public var earliest: Timestamp?
    /// The latest time wanted.
    public var latest: Timestamp?
    /// A text that the event's JSON has, in upper or lower case.
    public var text: String?

    /// Makes a filter; without arguments it wants all events.
    public init(
        includesActions: Bool = true,
        includesObservations: Bool = true,
        types: Set<EventType>? = nil,
        excludedTypes: Set<EventType> = [],
        sources: Set<EventSource>? = nil,
        excludesHidden: Bool = false,
        earliest: Timestamp? = nil,
        latest: Timestamp? = nil,
        text: String? = nil
    ) {
        self.includesActions = includesActions
        self.includesObservations = includesObservations
        self.types = types
        self.excludedTypes = excludedTypes
        self.sources = sources
        self.excludesHidden = excludesHidden
        self.earliest = earliest
        self.latest = latest
        self.text = text
    }

    /// All events.
    public static let all = EventFilter()

    /// All actions.
    public static let actions = EventFilter(includesObservations: false)

    /// All observations.
    public static let observations = EventFilter(includesActions: false)

    /// Whether the event is wanted.
    public func includes(_ event: Event) -> Bool {
        guard event.action != nil ? includesActions : includesObservations else { return false }
        if let sources, !sources.contains(event.source) { return false }
        if types != nil || !excludedTypes.isEmpty {
            let type = event.type
            if let types, !types.contains(type) { return false }
            if excludedTypes.contains(type) { return false }
        }
        if excludesHidden, event.isHidden { return false }
        if let earliest, event.timestamp < earliest { return false }
        if let latest, latest < event.timestamp { return false }
        if let text, !event.contains(text) { return false }
        return true
    }
}

extension Event {
    /// Whether a text is in the event's JSON, in upper or lower case.
    func contains(_ text: String) -> Bool {
        let wanted = Array(text.lowercased().utf8)
        let all = jsonBytes()
        if wanted.allSatisfy({ $0 < 0x80 }) {
            // Most texts are ASCII, and need no tables of letters.
            if all.containsIgnoringCase(wanted) { return true }
            guard all.hasOtherLettersOfASCII else { return false }
        }
        return Array(String(decoding: all, as: UTF8.self).lowercased().utf8).containsIgnoringCase(wanted)
    }
}

extension [UInt8] {
    /// Whether a text, whose letters of ASCII are small, is in this one, whose letters of ASCII may be capitals.
    fileprivate func containsIgnoringCase(_ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first else { return true }
        let isLetter = first &- UInt8(ascii: "a") < 26
        let capital = isLetter ? first ^ 0x20 : first
        return withUnsafeBufferPointer { all in
            wanted.withUnsafeBufferPointer { wanted in
                guard all.count >= wanted.count else { return false }
                for start in 0...(all.count &- wanted.count) where all[start] == first || all[start] == capital {
                    var length = 1
                    while length < wanted.count {
                        let byte = all[start &+ length]
                        let isCapital = byte &- UInt8(ascii: "A") < 26
                        guard (isCapital ? byte | 0x20 : byte) == wanted[length] else { break }
                        length &+= 1
                    }
                    if length == wanted.count { return true }
                }
                return false
            }
        }
    }

    /// Whether there may be one of the two letters beyond ASCII whose small form has one of ASCII: U+0130 (İ), and U+212A, the sign for
    /// kelvin.
    fileprivate var hasOtherLettersOfASCII: Bool {
        withUnsafeBufferPointer { bytes in
            bytes.indices.dropLast().contains { index in
                bytes[index] == 0xC4 && bytes[index &+ 1] == 0xB0 || bytes[index] == 0xE2 && bytes[index &+ 1] == 0x84
            }
        }
    }
}
