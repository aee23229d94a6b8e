import DockerEngine
import Synchronization

/// Decides between a Unix socket and TCP; changes its mind once, when a start shows that the socket can't be.
struct TransportChoice {
    /// Whether the next start is over a Unix socket.
    private(set) var isSocket: Bool
    /// Why it is TCP where a socket would have been chosen; nil for what was asked for.
    private(set) var reason: String?
    private let configuration: DockerRuntime.Configuration
    private let engine: String

    /// What starts of this process have shown, by engine, OCI runtime and directory: it isn't tried again and again.
    private static let refusals = Mutex<[String: String]>([:])

    /// Decides by the configuration and by what is known of the engine.
    init(configuration: DockerRuntime.Configuration, endpoint: DockerEndpoint) {
        self.configuration = configuration
        let engine = "\(endpoint) \(configuration.options.ociRuntime ?? "") \(configuration.socketDirectory ?? "")"
        self.engine = engine
        (isSocket, reason) = Self.decide(
            configuration,
            isLocal: endpoint.isLocal,
            sharesSockets: Self.sharesSockets,
            refusal: Self.refusals.withLock { $0[engine] }
        )
    }

    /// The decision alone.
    static func decide(
        _ configuration: DockerRuntime.Configuration,
        isLocal: Bool,
        sharesSockets: Bool,
        refusal: String?
    ) -> (isSocket: Bool, reason: String?) {
        switch configuration.transport {
        case .unixSocket: return (true, nil)
        case .tcp: return (false, nil)
        // Without a network there is no other way.
        case .automatic where configuration.isOffline: return (true, nil)
        case .automatic where configuration.isAboutPorts: return (false, nil)
        case .automatic:
            guard isLocal else { return (false, "the engine is on another machine") }
            guard sharesSockets else { return (false, "containers run in a virtual machine here") }
            return (refusal == nil, refusal)
        }
    }

    /// Goes over to TCP after a start has shown that there is no socket to be had.
    ///
    /// - Returns: whether that is allowed.
    mutating func fallBack(_ reason: String) -> Bool {
        guard configuration.transport == .automatic, !configuration.isOffline else { return false }
        Self.refusals.withLock { $0[engine] = reason }
        (isSocket, self.reason) = (false, reason)
        return true
    }

    /// On macOS, engines run in a virtual machine, which shares files but not what listens on a socket.
    private static var sharesSockets: Bool {
        #if os(Linux)
        true
        #else
        false
        #endif
    }
}

extension DockerRuntime.Configuration {
    /// Whether it says how the server is reached over TCP, or that other processes are to reach it, whom no socket leads there,
    /// or that the server is an image's own, which has no socket.
    fileprivate var isAboutPorts: Bool {
        if case .useAsIs = imagePreparation { return true }
        return closing.keepsContainer || sessionAPIKey != nil || runtimeURL != nil || bindingAddress != "127.0.0.1"
            || portPolicy != .engine
    }
}
