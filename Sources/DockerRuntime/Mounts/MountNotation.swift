/// Reads mounts in the notation of the reference's `sandbox.volumes`: `SOURCE:TARGET[:MODE]`, separated by commas.
///
/// The source is an absolute path of the host or, with or without `volume:` before it, the name of a volume. The mode is
/// `rw` (the default), `ro`, `overlay`, or an SELinux label `z` or `Z`. What the reference skips or guesses is an error here.
enum MountNotation {
    private static let expected = "expected SOURCE:TARGET or SOURCE:TARGET:MODE, such as /my/project:/workspace:rw"

    /// The mounts of a list.
    static func mounts(_ list: String) throws(ConfigurationError) -> [DockerRuntime.SandboxMount] {
        var mounts: [DockerRuntime.SandboxMount] = []
        for text in list.split(separator: ",", omittingEmptySubsequences: false) {
            mounts.append(try mount(trimmed(text)))
        }
        return mounts
    }

    private static func mount(_ text: String) throws(ConfigurationError) -> DockerRuntime.SandboxMount {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map { trimmed($0) }
        // A volume that is itself named "volume" has its target, a path, after the colon.
        let isNamed = parts.count > 2 && parts[0] == "volume" && !parts[1].hasPrefix("/")
        if isNamed { parts.removeFirst() }
        guard (2...3).contains(parts.count) else { throw .invalidMount(mount: text, reason: expected) }
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw .invalidMount(mount: text, reason: "a part of it is empty; \(expected)")
        }
        let isPath = !isNamed && parts[0].hasPrefix("/")
        var mount = DockerRuntime.SandboxMount(isPath ? .path(parts[0]) : .volume(parts[0]), at: parts[1])
        switch parts.count == 3 ? parts[2] : "rw" {
        case "rw": break
        case "ro": mount.isReadOnly = true
        case "z" where isPath: mount.relabeling = .shared
        case "Z" where isPath: mount.relabeling = .own
        case "overlay" where isPath: mount.source = .overlay(parts[0])
        case "z", "Z", "overlay":
            throw .invalidMount(mount: text, reason: "the mode \(parts[2]) is for paths of the host, not for volumes")
        case let mode:
            throw .invalidMount(mount: text, reason: "the mode \(mode) is unknown; allowed: rw, ro, overlay, z, Z")
        }
        try mount.validate(as: text)
        return mount
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

extension DockerRuntime.SandboxMount {
    /// Sees to it that a mount has a source and a target that can be.
    ///
    /// - Parameter text: how it was written, for the error.
    func validate(as text: String? = nil) throws(ConfigurationError) {
        let text = text ?? description
        switch source {
        case .path(let path), .overlay(let path):
            guard path.hasPrefix("/") else {
                throw .invalidMount(mount: text, reason: "the host's path \(path) is relative; write it from / on")
            }
        case .volume(let name):
            guard !name.contains("/"), !name.hasPrefix("."), !name.hasPrefix("~") else {
                throw .invalidMount(mount: text, reason: "the host's path \(name) is relative; write it from / on")
            }
            guard Self.isVolumeName(name) else {
                throw .invalidMount(
                    mount: text,
                    reason:
                        "\(name) is no volume's name: at least two of a-z, A-Z, 0-9, _, . and -, the first a letter or digit"
                )
            }
        }
        guard target.hasPrefix("/") else {
            throw .invalidMount(mount: text, reason: "the target \(target) is relative; write it from / on")
        }
        guard !target.split(separator: "/").contains("..") else {
            throw .invalidMount(mount: text, reason: "the target \(target) has .. in it; write where it leads")
        }
        guard normalizedTarget != "/" else {
            throw .invalidMount(mount: text, reason: "it would hide the whole image; mount it below /")
        }
    }

    /// The target in its shortest form, by which two can be compared.
    var normalizedTarget: String {
        "/" + target.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// As engines have it (`moby/daemon/names`).
    private static func isVolumeName(_ name: String) -> Bool {
        func isAlphanumeric(_ character: Character) -> Bool {
            character.isASCII && (character.isLetter || character.isNumber)
        }
        return name.count > 1 && name.first.map(isAlphanumeric) == true
            && name.allSatisfy { isAlphanumeric($0) || "_.-".contains($0) }
    }
}
