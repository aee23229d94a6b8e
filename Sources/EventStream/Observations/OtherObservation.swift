/// An observation of a kind that this version doesn't know.
public struct OtherObservation: Sendable, Hashable {
    /// The word in the log.
    public var kind: String
    /// What the log has as `content`; `nil` when it has none.
    public var content: JSONValue?
    /// What the log has as `extras`; `nil` when it has none.
    public var extras: JSONValue?
    /// What the log has as `message`; `nil` when it has none.
    public var message: JSONValue?
    /// What the log has as `success`; `nil` when it has none.
    public var success: JSONValue?

    /// Makes an observation.
    public init(
        kind: String,
        content: JSONValue? = "",
        extras: JSONValue? = [:],
        message: JSONValue? = nil,
        success: JSONValue? = nil
    ) {
        self.kind = kind
        self.content = content
        self.extras = extras
        self.message = message
        self.success = success
    }
}

extension OtherObservation {
    /// The same with placeholders for secrets in all but the kind.
    func masked(with masker: SecretMasker) -> OtherObservation {
        var copy = self
        copy.content.mask(with: masker)
        copy.extras.mask(with: masker)
        copy.message.mask(with: masker)
        copy.success.mask(with: masker)
        return copy
    }
}
