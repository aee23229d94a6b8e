/// Something that the agent can act on went wrong.
public struct ErrorObservation: Sendable, Hashable {
    /// What went wrong, for the agent to read.
    public var content: String
    /// A code of the error.
    public var errorID: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        errorID: String = ""
    ) {
        self.content = content
        self.errorID = errorID
    }
}

extension ErrorObservation: ObservationRecord {
    static let kind: StaticString = "error"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("error_id", &errorID)
    }
}

/// Something went well.
public struct SuccessObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension SuccessObservation: ObservationRecord {
    static let kind: StaticString = "success"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}

/// There is nothing to observe.
public struct NullObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension NullObservation: ObservationRecord {
    static let kind: StaticString = "null"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}

/// A thought was written down.
public struct ThinkObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension ThinkObservation: ObservationRecord {
    static let kind: StaticString = "think"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}

/// The user didn't let the action run.
public struct UserRejectedObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension UserRejectedObservation: ObservationRecord {
    static let kind: StaticString = "user_rejected"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}

/// The result of a condensation.
public struct CondensationObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension CondensationObservation: ObservationRecord {
    static let kind: StaticString = "condense"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}

/// The agent is caught in a loop.
public struct LoopDetectionObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = ""
    ) {
        self.content = content
    }
}

extension LoopDetectionObservation: ObservationRecord {
    static let kind: StaticString = "loop_detection"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    }
}
