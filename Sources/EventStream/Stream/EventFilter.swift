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
        guard let first = wanted.first else { return true }
        let all = Array(json.description.lowercased().utf8)
        guard all.count >= wanted.count else { return false }
        return (0...(all.count - wanted.count)).contains { start in
            all[start] == first && all[start..<(start + wanted.count)].elementsEqual(wanted)
        }
    }
}
