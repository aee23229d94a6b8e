/// How dangerous an action is, as far as anybody judged.
public struct SecurityRisk: RawRepresentable, Sendable, Hashable {
    /// The number in the log.
    public var rawValue: Int

    /// Makes a risk of a number.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Nobody judged it.
    public static let unknown = SecurityRisk(rawValue: -1)
    /// Not dangerous.
    public static let low = SecurityRisk(rawValue: 0)
    /// Dangerous outside of a sandbox.
    public static let medium = SecurityRisk(rawValue: 1)
    /// Dangerous in a sandbox too.
    public static let high = SecurityRisk(rawValue: 2)
}

extension SecurityRisk: WireValue {
    static var expectation: String { "an integer" }

    /// The reference drops what isn't one of its numbers; so nothing is refused here.
    init?(wire: JSONValue) {
        self.init(rawValue: wire.intValue ?? -1)
    }

    var wire: JSONValue { .number(JSONNumber(rawValue)) }
    func write(to writer: inout ByteWriter) { writer.append(rawValue) }
    init?(reading reader: inout CanonicalReader) {
        guard let value = reader.integer() else { return nil }
        self.init(rawValue: value)
    }
    func mask(with masker: SecretMasker) {}
}

/// Whether an action may run.
public struct ConfirmationState: RawRepresentable, Sendable, Hashable, WireWord {
    /// The word in the log.
    public var rawValue: String

    /// Makes a state of a word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It may.
    public static let confirmed = ConfirmationState(rawValue: "confirmed")
    /// The user said no.
    public static let rejected = ConfirmationState(rawValue: "rejected")
    /// The user hasn't said yet.
    public static let awaitingConfirmation = ConfirmationState(rawValue: "awaiting_confirmation")
}

/// What reads a file.
public struct FileReadImplementation: RawRepresentable, Sendable, Hashable, WireWord {
    /// The word in the log.
    public var rawValue: String

    /// Makes an implementation of a word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A plain reader of text, images, PDF and video.
    public static let standard = FileReadImplementation(rawValue: "default")
    /// The editor's `view`, with line numbers and for directories too.
    public static let editor = FileReadImplementation(rawValue: "oh_aci")
}

/// What edits a file.
public struct FileEditImplementation: RawRepresentable, Sendable, Hashable, WireWord {
    /// The word in the log.
    public var rawValue: String

    /// Makes an implementation of a word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The editor with its commands.
    public static let editor = FileEditImplementation(rawValue: "oh_aci")
    /// A language model that works a draft into the file.
    public static let languageModel = FileEditImplementation(rawValue: "llm_based_edit")
}

/// What kind of knowledge is asked for.
public struct RecallType: RawRepresentable, Sendable, Hashable, WireWord {
    /// The word in the log.
    public var rawValue: String

    /// Makes a type of a word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// About the workspace: repository, hosts, instructions.
    public static let workspaceContext = RecallType(rawValue: "workspace_context")
    /// About a subject that a word of the query calls up.
    public static let knowledge = RecallType(rawValue: "knowledge")
}
