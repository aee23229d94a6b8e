/// A setting that can't be used.
public enum ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The value of a setting isn't one of those allowed.
    ///
    /// The setting is named as it was given: `SANDBOX_TIMEOUT`, or `sandbox.timeout in FILE`.
    case invalidValue(setting: String, value: String, allowed: String)
    /// A file has fields in its `sandbox` section that nobody knows, misspelt most likely.
    case unknownFields([String], file: String, known: [String])
    /// A file can't be read, or isn't JSON.
    case unreadableFile(path: String, reason: String)
    /// A mount that can't be made, or must not be.
    case invalidMount(mount: String, reason: String)

    /// One sentence that says what was found where, and what to write instead.
    public var description: String {
        switch self {
        case .invalidValue(let setting, let value, let allowed):
            "\(setting) is \(value); allowed: \(allowed)."
        case .unknownFields(let fields, let file, let known):
            "The section sandbox in \(file) has unknown fields: \(fields.joined(separator: ", ")). Known are: "
                + "\(known.joined(separator: ", "))."
        case .unreadableFile(let path, let reason):
            "The configuration \(path) can't be used: \(reason)."
        case .invalidMount(let mount, let reason):
            "The mount \(mount) can't be used: \(reason)."
        }
    }
}
