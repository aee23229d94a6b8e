import DockerEngine
import Foundation

/// Where the published ports of a sandbox are, seen from outside.
struct SandboxAddress: Sendable, Hashable {
    /// The URL without port by which this process reaches them.
    var runtimeURL: String
    /// The host by which people do.
    var publicHost: String

    /// The host by which they are reached on the engine's machine.
    var localHost: String

    /// Finds out by the configuration, else by where the engine is.
    init(_ configuration: DockerRuntime.Configuration, engine: DockerEndpoint) {
        let remote: String? = if case .tcp(let host, _, _) = engine.transport { host } else { nil }
        let local =
            switch configuration.bindingAddress {
            case "0.0.0.0", "::", "": "127.0.0.1"
            case let address where address.contains(":"): "[\(address)]"
            case let address: address
            }
        localHost = local.filter { $0 != "[" && $0 != "]" }
        runtimeURL = configuration.runtimeURL ?? "http://\(remote ?? local)"
        publicHost =
            configuration.hostAddress ?? configuration.runtimeURL.flatMap { Self.host(ofURL: $0) } ?? remote
            ?? (local == "127.0.0.1" ? "localhost" : local)
    }

    /// The names that requests to the server have in `Host`, which it must be told, since they are no addresses.
    var serverNames: [String] {
        [Self.host(ofURL: runtimeURL)].compactMap { $0 }.filter { $0 != "localhost" && !Self.isAddress($0) }
    }

    /// The host of an URL such as `http://HOST`; nil when it is none, or has anything after the host.
    static func host(ofURL url: String?) -> String? {
        guard let url, let components = URLComponents(string: url), let host = components.host, !host.isEmpty,
            ["http", "https"].contains(components.scheme ?? ""), components.port == nil, components.path.isEmpty,
            components.query == nil, components.fragment == nil, components.user == nil
        else { return nil }
        return host
    }

    /// Whether a text is an IP address, with or without the brackets that it has in an URL.
    static func isAddress(_ text: String) -> Bool {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        var (version4, version6) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, bare, &version4) == 1 || inet_pton(AF_INET6, bare, &version6) == 1
    }

    // MARK: For people

    /// Where what listens on the sandbox's app ports is reached, with the port that it must listen on there.
    func webHosts(_ ports: SandboxPorts) -> [String: Int] {
        Dictionary(
            ports.apps.compactMap { app in app.host.map { ("http://\(publicHost):\($0)", app.container) } }
        ) { first, _ in first }
    }

    /// Where the sandbox's editor is opened; nil where there is none.
    func editorURL(_ ports: SandboxPorts, token: String, folder: String) -> String? {
        guard !token.isEmpty, let port = ports.editor?.host else { return nil }
        var components = URLComponents()
        components.scheme = "http"
        components.host = publicHost
        components.port = port
        components.path = "/"
        components.queryItems = [
            URLQueryItem(name: "tkn", value: token), URLQueryItem(name: "folder", value: folder),
        ]
        return components.string
    }
}
