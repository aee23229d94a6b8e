import DockerEngine

/// What runs in a container of an image that has a server of its own.
///
/// That server takes its key from the environment only. So that `docker inspect` doesn't show the key, it is in a file that
/// root alone can read, from which a shell takes it on the way.
struct OwnServerProcess {
    /// Where the file with the key is.
    static let keyFile = "/.session-api-key"

    let start: DockerRuntime.StartCommand
    let configuration: DockerRuntime.Configuration
    let port: Int

    /// Sets what runs.
    func apply(to container: inout ContainerConfiguration) {
        let script = "SESSION_API_KEY=$(cat \(Self.keyFile)) && export SESSION_API_KEY && exec \"$@\""
        container.entrypoint = ["/bin/sh", "-c", script, "sh"]
        container.command = start.words + arguments
        container.workingDirectory = start.workingDirectory
        // The server is started as root, and becomes the user itself.
        container.user = nil
    }

    /// The file with a key, for the root directory.
    static func archive(key: String) -> TarArchive {
        var archive = TarArchive()
        archive.addFile(keyFile, bytes: Array(key.utf8), mode: 0o400)
        return archive
    }

    /// In the reference's order.
    private var arguments: [String] {
        var arguments = [String(port), "--working-dir", configuration.workingDirectory]
        if !configuration.plugins.isEmpty {
            arguments += ["--plugins"] + configuration.plugins.map(\.rawValue).sorted()
        }
        arguments += ["--username", user.name, "--user-id", String(user.id)]
        if !start.hasBrowser { arguments.append("--no-enable-browser") }
        return arguments
    }

    /// The user, with what the reference has for the half that isn't given.
    private var user: (name: String, id: Int) {
        let text = configuration.user.map { $0.prefix { $0 != ":" } }
        switch text {
        case nil: return ("openhands", 1000)
        case "0", "root": return ("root", 0)
        case let text?: return Int(text).map { ("openhands", $0) } ?? (String(text), 1000)
        }
    }
}
