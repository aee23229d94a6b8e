/// Gives the word for the kind.
struct KindVisitor: ActionVisitor, ObservationVisitor {
    mutating func visit<Record: ActionRecord>(_ record: consuming Record) -> StaticString { Record.kind }
    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> StaticString { Record.kind }
}

/// Gives the message.
struct MessageVisitor: ActionVisitor, ObservationVisitor {
    mutating func visit<Record: ActionRecord>(_ record: consuming Record) -> String { record.message }
    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> String { record.message }
}

/// Gives the fields as an object.
struct WireVisitor: ActionVisitor, ObservationVisitor {
    mutating func visit<Record: ActionRecord>(_ record: consuming Record) -> JSONObject { record.wire }
    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> JSONObject { record.wire }
}

/// Gives what an observation has beside its fields.
struct ContentVisitor: ObservationVisitor {
    mutating func visit<Record: ObservationRecord>(_ record: consuming Record) -> (content: String, success: Bool?) {
        (record.content, record.success)
    }
}
