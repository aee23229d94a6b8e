public import CurlHTTP

/// Where a Docker Engine listens.
public struct DockerEndpoint: Sendable, Hashable {
    /// How the engine is reached.
    public enum Transport: Sendable, Hashable {
        /// A Unix socket at a path of this machine.
        case unix(path: String)
        /// A TCP port; with TLS if a configuration is given.
        case tcp(host: String, port: Int, tls: TLSConfiguration?)
        /// Another machine, through the system's `ssh` and the docker command there.
        case ssh(SSHDestination)
    }

    /// How the engine is reached.
    public var transport: Transport

    /// Creates an endpoint.
    public init(_ transport: Transport) {
        self.transport = transport
    }

    /// The engine's default socket.
    public static let defaultSocket = DockerEndpoint(.unix(path: "/var/run/docker.sock"))

    /// Parses an endpoint in the notation of `DOCKER_HOST`, such as `unix:///var/run/docker.sock`, `tcp://host:2376` or
    /// `ssh://user@host`.
    ///
    /// A TCP port that isn't given is 2376 with TLS and 2375 without, as in the docker command line.
    ///
    /// - Parameter tls: certificates for a TCP endpoint; plain TCP when `nil`.
    /// - Throws: ``DockerEngineError/invalidEndpoint(_:reason:)``.
    public init(parsing text: String, tls: TLSConfiguration? = nil) throws(DockerEngineError) {
        func refuse(_ reason: String) -> DockerEngineError { .invalidEndpoint(text, reason: reason) }

        guard let separator = text.firstRange(of: "://") else {
            throw refuse("it has no scheme; write unix:///path, tcp://host:port or ssh://user@host")
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound] {
        case "unix":
            guard rest.hasPrefix("/") else { throw refuse("the socket's path must be absolute: unix:///path") }
            self.init(.unix(path: String(rest)))
        case "tcp", "http", "https":
            let isSecure = tls != nil || text.hasPrefix("https:")
            let secured = isSecure ? tls ?? TLSConfiguration() : nil
            let (host, port) = try Self.split(rest, defaultPort: isSecure ? 2376 : 2375, refuse)
            self.init(.tcp(host: host, port: port, tls: secured))
        case "ssh":
            self.init(.ssh(try SSHDestination(parsing: rest, refuse)))
        case "npipe", "fd":
            throw refuse("named pipes and inherited descriptors are not supported; use unix://, tcp:// or ssh://")
        case let scheme:
            throw refuse("the scheme \(scheme) is unknown; use unix://, tcp:// or ssh://")
        }
    }

    private static func split(
        _ text: Substring,
        defaultPort: Int,
        _ refuse: (String) -> DockerEngineError
    ) throws(DockerEngineError) -> (host: String, port: Int) {
        let authority = text.hasSuffix("/") ? text.dropLast() : text
        guard !authority.contains("/") else { throw refuse("a path after the port is not supported") }
        let host: Substring
        let port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else {
                throw refuse("the IPv6 address has no closing bracket")
            }
            host = authority[...end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else {
                throw refuse("after the address comes a colon and the port")
            }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw refuse("write an IPv6 address in brackets") }
            host = parts.first ?? ""
            port = parts.count == 2 ? parts[1] : nil
        }
        guard !host.isEmpty, !host.contains("@") else { throw refuse("it has no plain host name") }
        guard let port else { return (String(host), defaultPort) }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw refuse("the port \(port) is not a number from 1 to 65535")
        }
        return (String(host), number)
    }

    /// Whether the engine shares this machine's Unix sockets, and so most likely its file system.
    public var isUnixSocket: Bool {
        if case .unix = transport { true } else { false }
    }

    /// The beginning of every URL of the engine.
    var baseURL: String {
        switch transport {
        case .unix, .ssh: "http://docker"
        case .tcp(let host, let port, let tls): "\(tls == nil ? "http" : "https")://\(host):\(port)"
        }
    }

    var tls: TLSConfiguration? {
        if case .tcp(_, _, let tls) = transport { tls } else { nil }
    }
}

extension DockerEndpoint: CustomStringConvertible {
    /// The endpoint in the notation of `DOCKER_HOST`.
    public var description: String {
        switch transport {
        case .unix(let path): "unix://\(path)"
        case .tcp(let host, let port, _): "tcp://\(host):\(port)"
        case .ssh(let destination): "ssh://\(destination.text)"
        }
    }
}
