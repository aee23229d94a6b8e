/// An action of a kind that this version doesn't know.
public struct OtherAction: Sendable, Hashable {
    /// The word in the log.
    public var kind: String
    /// What the log has as `args`; `nil` when it has none.
    public var args: JSONValue?
    /// What the log has as `message`; `nil` when it has none.
    public var message: JSONValue?

    /// Makes an action.
    public init(kind: String, args: JSONValue? = [:], message: JSONValue? = nil) {
        self.kind = kind
        self.args = args
        self.message = message
    }
}

extension OtherAction {
    /// The same with placeholders for secrets in all but the kind.
    func masked(with masker: SecretMasker) -> OtherAction {
        var copy = self
        copy.args.mask(with: masker)
        copy.message.mask(with: masker)
        return copy
    }
}
