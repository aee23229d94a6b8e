import EventStream

/// The body of `POST /execute_action`: `{"action": …}` with an action, or the whole event of one.
struct ActionRequest {
    var action: Action
    /// Seconds; nil when the request names none.
    var timeout: Double?
    /// The shell session that a command runs in; nil for the one of requests that name none.
    var session: SessionName?

    /// Reads a request to perform an action.
    ///
    /// - Throws: `JSONError`, `EventDecodingError`, ``NoAction``, ``InvalidSession``.
    init(_ headers: HTTPHeaders, body: [UInt8]) throws {
        try self.init(body: body)
        let names = headers.values(for: "shell-session")
        guard let name = names.first else { return }
        session = SessionName(name)
        if session == nil || names.count > 1 { throw InvalidSession(name: name) }
    }

    /// - Throws: `JSONError`, `EventDecodingError`, ``NoAction``.
    init(body: [UInt8]) throws {
        if let event = Self.event(in: body), case .action(let action) = event.payload {
            (self.action, timeout) = (action, event.timeout)
            return
        }
        guard case .object(let members)? = try JSONValue(parsing: body)["action"] else { throw NoAction() }
        action = try Action(json: members)
        timeout = members["timeout"]?.doubleValue
    }

    /// The body has no action.
    struct NoAction: Error, CustomStringConvertible {
        var description: String { "The body must be an object with the member \"action\"" }
    }

    /// The header names no session.
    struct InvalidSession: Error, CustomStringConvertible {
        var name: String
        var description: String { SessionName.rule(name) }
    }

    /// The event as a client of this version writes it, which is read several times as fast.
    private static func event(in body: [UInt8]) -> Event? {
        let lead = Array("{\"action\":".utf8)
        guard body.starts(with: lead), body.last == UInt8(ascii: "}") else { return nil }
        return body.withUnsafeBufferPointer { bytes in
            Event(canonical: UnsafeBufferPointer(rebasing: bytes[lead.count..<bytes.count - 1]))
        }
    }
}
