import DockerEngine

/// A port in the container, and the port of the host that leads to it.
struct PortAssignment: Sendable, Hashable {
    /// What is listened on in the container.
    var container: Int
    /// What is connected to from outside.
    ///
    /// Nil while it is the engine's choice.
    var host: Int?

    /// The port as the engine names it.
    var key: String { "\(container)/tcp" }
}

/// The ports of a sandbox.
struct SandboxPorts: Sendable, Hashable {
    /// Of the execution server.
    var server: PortAssignment
    /// Whether the server has it; none is listened on, nor published, where a Unix socket leads to the server.
    var hasServer = true
    /// Of the editor in the browser, where there is one.
    var editor: PortAssignment?
    /// For what the agent serves.
    var apps: [PortAssignment] = []

    /// All of them.
    var all: [PortAssignment] { (hasServer ? [server] : []) + (editor.map { [$0] } ?? []) + apps }

    /// With the engine's choice of the host's ports.
    ///
    /// - Parameter editor: the port that the editor must have on the host, if any.
    static func chosenByEngine(hasEditor: Bool, editor: Int?, hasApps: Bool) -> SandboxPorts {
        SandboxPorts(
            server: PortAssignment(container: 30000),
            editor: hasEditor ? PortAssignment(container: editor ?? 40000, host: editor) : nil,
            apps: hasApps ? [PortAssignment(container: 50000), PortAssignment(container: 55000)] : []
        )
    }

    /// What programs in the container learn of it, by the reference's names.
    ///
    /// A runtime within the sandbox keeps to these ports, which are published.
    var environment: [String: String] {
        var variables: [String: String] = [:]
        if hasServer { variables["port"] = String(server.container) }
        variables["VSCODE_PORT"] = editor.map { String($0.container) }
        for (index, app) in apps.enumerated() { variables["APP_PORT_\(index + 1)"] = String(app.container) }
        return variables
    }

    /// How the engine is asked to publish them.
    func bindings(address: String) -> [String: [PortBinding]] {
        Dictionary(
            all.map { ($0.key, [PortBinding(hostIP: address, hostPort: $0.host.map(String.init) ?? "")]) }
        ) { first, _ in first }
    }

    /// With the host's ports as the engine tells them; nil when one isn't published.
    func published(in inspection: ContainerInspection) -> SandboxPorts? {
        func published(_ port: PortAssignment) -> PortAssignment? {
            let bindings = inspection.hostPorts(for: port.key)
            guard let host = bindings.lazy.compactMap(\.hostPort).compactMap({ Int($0) }).first else { return nil }
            return PortAssignment(container: port.container, host: host)
        }
        var result = self
        if hasServer {
            guard let server = published(server) else { return nil }
            result.server = server
        }
        if let editor {
            guard let editor = published(editor) else { return nil }
            result.editor = editor
        }
        result.apps = apps.compactMap(published)
        return result.apps.count == apps.count ? result : nil
    }
}
