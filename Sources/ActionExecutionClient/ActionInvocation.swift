public import EventStream

/// An action to be performed once.
public struct ActionInvocation: Sendable, Hashable {
    /// What to do, with its real text where the log has masked secrets.
    public var action: Action
    /// Seconds after which the observation comes back in any case; nil for the runtime's default.
    public var timeout: Double?
    /// Names the execution: a server that sees the key again answers with the first one's result.
    public var idempotencyKey: String
    /// The event that asks for the action, if there is one.
    public var event: Event?
    /// The shell session that a command runs in; nil for the one of actions that name none.
    ///
    /// A name has letters, digits, `.`, `_` and `-`. Sessions are made when they are named first, and run side by side.
    public var shellSession: String?
    /// Whether an earlier run, of which only the log is left, may have had the action performed.
    ///
    /// Then only a server that would remember it performs it.
    public var mayHaveBegun = false

    /// Makes an invocation of an action that is in no log, with a key of its own.
    public init(_ action: Action, timeout: Double? = nil, shellSession: String? = nil) {
        self.action = action
        self.timeout = timeout
        self.shellSession = shellSession
        idempotencyKey = randomHexadecimal(byteCount: 16)
    }

    /// Makes the invocation of an action in a log.
    ///
    /// - Parameters:
    ///   - event: the event of the action.
    ///   - action: the action as it is to be performed.
    ///   - sessionID: names the log, so that the key is the same whenever the action is tried again.
    public init(event: Event, action: Action, sessionID: String) {
        self.action = action
        self.event = event
        timeout = event.timeout
        shellSession = event.shellSession
        idempotencyKey = "\(sessionID)/\(event.id)"
    }

    /// The body of a request that has the action performed, as the reference's client writes it.
    func requestBody(timeout: Double?) -> [UInt8] {
        let members: [UInt8]
        if var event {
            event.payload = .action(action)
            event.timeout = timeout
            members = event.jsonBytes()
        } else {
            var object = action.json
            if let timeout { object["timeout"] = .number(JSONNumber(timeout)) }
            members = object.serialized()
        }
        return Array("{\"action\":".utf8) + members + Array("}".utf8)
    }
}

/// Random bytes of the system's secure generator, as lower-case hexadecimal digits.
package func randomHexadecimal(byteCount: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<byteCount).map { _ in
        let digits = String(UInt8.random(in: .min ... .max, using: &generator), radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}
