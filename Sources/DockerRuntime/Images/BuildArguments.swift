/// The arguments of a build in the notation of the docker command, as the reference passes them on.
///
/// A value without I/O.
struct BuildArguments: Sendable, Hashable {
    /// Values for `ARG`, which the commands of the build see as variables.
    private(set) var values: [String: String] = [:]
    /// Further labels of the image.
    private(set) var labels: [String: String] = [:]
    /// Further lines of `/etc/hosts` while the commands run, as `NAME:ADDRESS`.
    private(set) var hosts: [String] = []
    /// The network in which the commands run.
    private(set) var network: String?
    /// Whether steps that were built before are taken from the engine's cache.
    private(set) var usesCache = true
    /// Whether a newer version of the base image is looked for.
    private(set) var pulls = false

    private static let allowed =
        "NAME=value, --build-arg=NAME=value, --network=NETWORK, --add-host=NAME:ADDRESS, --label=NAME=value, --no-cache and "
        + "--pull (of the docker command's options those that the engine itself knows)"

    /// Parses the words of a command line; an option's value may be its own word.
    ///
    /// - Throws: ``ConfigurationError/invalidValue(setting:value:allowed:)``.
    init(parsing words: [String]) throws(ConfigurationError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            func invalid() -> ConfigurationError {
                .invalidValue(setting: "the build's arguments", value: "one with \"\(word)\"", allowed: Self.allowed)
            }
            func pair(_ text: Substring) throws(ConfigurationError) -> (name: String, value: String) {
                guard let end = text.firstIndex(of: "="), end > text.startIndex else { throw invalid() }
                return (String(text[..<end]), String(text[text.index(after: end)...]))
            }
            guard word.hasPrefix("-") else {
                try add(pair(word[...]), invalid)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 1, word == "--no-cache" || word == "--pull" {
                if word == "--pull" { pulls = true } else { usesCache = false }
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst().map({ $0[...] }), !value.isEmpty else {
                throw invalid()
            }
            switch parts.first {
            case "--build-arg": try add(pair(value), invalid)
            case "--label":
                let (name, text) = try pair(value)
                labels[name] = text
            case "--network": network = String(value)
            case "--add-host" where value.contains(":"): hosts.append(String(value))
            default: throw invalid()
            }
        }
    }

    /// `ARG` stands in the Dockerfile, so that a name must be one.
    private mutating func add(
        _ pair: (name: String, value: String),
        _ invalid: () -> ConfigurationError
    ) throws(ConfigurationError) {
        guard EnvironmentVariable.isName(pair.name) else { throw invalid() }
        values[pair.name] = pair.value
    }
}
