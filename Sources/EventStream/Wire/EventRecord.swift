/// The `args` of one kind of action.
protocol ActionRecord: WireRecord {
    /// The word in the log.
    static var kind: StaticString { get }

    /// Puts together the line that people see, as the reference words it.
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable)

    /// Whether the action is kept from the agent's history.
    var isHidden: Bool { get }
}

/// The `content` and `extras` of one kind of observation.
protocol ObservationRecord: WireRecord {
    /// The word in the log.
    static var kind: StaticString { get }

    /// What the agent reads.
    var content: String { get set }

    /// Puts together the line that people see, as the reference words it.
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable)

    /// Whether the action succeeded; `nil` for kinds of which the reference doesn't say it.
    var success: Bool? { get }

    /// Whether the observation is kept from the agent's history.
    var isHidden: Bool { get }
}

extension ActionRecord {
    var isHidden: Bool { false }
}

extension ObservationRecord {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) { builder.text(content) }
    var success: Bool? { nil }
    var isHidden: Bool { false }
}

/// What is done with the fields of an action, whatever its kind.
protocol ActionVisitor: ~Copyable {
    associatedtype Result
    mutating func visit<Record: ActionRecord>(_ record: consuming Record) -> Result
}

/// What is done with the fields of an observation, whatever its kind.
protocol ObservationVisitor: ~Copyable {
    associatedtype Result
    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> Result
}

/// Reads the payload of an action out of the members of an event.
struct ActionReader {
    let members: JSONObject

    func read<Record: ActionRecord>() throws(EventDecodingError) -> Record {
        let wire = members["args"] ?? .object([:])
        guard case .object(let args) = wire else { throw EventDecodingError.mismatch("an object", wire).inside("args") }
        do {
            return try Record(wire: args)
        } catch {
            throw error.inside("args")
        }
    }

    func other(kind: String) -> OtherAction {
        OtherAction(kind: kind, args: members["args"], message: members["message"])
    }
}

/// Reads the payload of an observation out of the members of an event.
struct ObservationReader {
    let members: JSONObject

    func read<Record: ObservationRecord>() throws(EventDecodingError) -> Record {
        let wire = members["extras"] ?? .object([:])
        guard case .object(let extras) = wire else {
            throw EventDecodingError.mismatch("an object", wire).inside("extras")
        }
        var record: Record
        do {
            record = try Record(wire: extras)
        } catch {
            throw error.inside("extras")
        }
        switch members["content"] {
        case nil, .null?: record.content = ""
        case .string(let content)?: record.content = content
        case let other?: throw EventDecodingError.mismatch("a string", other).inside("content")
        }
        return record
    }

    func other(kind: String) -> OtherObservation {
        OtherObservation(
            kind: kind,
            content: members["content"],
            extras: members["extras"],
            message: members["message"],
            success: members["success"]
        )
    }
}
