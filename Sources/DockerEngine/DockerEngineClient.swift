public import CurlHTTP
internal import Synchronization

/// A typed client of the Docker Engine API, versions 1.41 to 1.47.
///
/// Its methods are grouped as in the API's reference (<https://docs.docker.com/reference/api/engine/version/v1.47/>): system, images,
/// containers, volumes, networks. All may be called from any number of tasks at once. They throw a ``DockerEngineError`` or, when
/// the calling task is cancelled, a `CancellationError`.
///
/// ```swift
/// let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
/// defer { engine.close() }
/// let created = try await engine.createContainer(request, named: "sandbox")
/// try await engine.startContainer(created.id)
/// ```
public final class DockerEngineClient: Sendable {
    /// Limits of a client.
    public struct Configuration: Sendable, Hashable {
        /// The time that a call may take which isn't a stream and doesn't depend on the size of its content.
        public var callTimeout: Duration = .seconds(120)
        /// The greatest size in bytes of an answer that is read as a whole.
        public var maximumResponseSize = 64 << 20
        /// The greatest size in bytes of one message in a stream of messages.
        public var maximumMessageSize = 4 << 20

        /// Creates a configuration with the defaults.
        public init() {}
    }

    /// The engine that the client talks to.
    public let endpoint: DockerEndpoint
    /// The limits that the client was made with.
    public let configuration: Configuration

    private let http: HTTPClient
    /// What leads to an engine that is reached by ssh.
    private let tunnels: SSHTunnels?
    private let negotiated = Mutex<(version: EngineAPIVersion, isPodman: Bool)?>(nil)

    /// Creates a client.
    ///
    /// No connection is made before the first call.
    ///
    /// - Throws: `ClientStartError` if the system gives no thread or no descriptors.
    public init(endpoint: DockerEndpoint, configuration: Configuration = Configuration()) throws(ClientStartError) {
        self.endpoint = endpoint
        self.configuration = configuration
        http = try HTTPClient()
        tunnels =
            if case .ssh(let destination) = endpoint.transport {
                SSHTunnels(destination, endpoint: "\(endpoint)")
            } else {
                nil
            }
    }

    deinit {
        tunnels?.close()
    }

    /// Creates a client for the engine that the docker command line would use; see ``DockerEndpoint/init(environment:)``.
    ///
    /// - Throws: ``DockerEngineError/invalidEndpoint(_:reason:)``, or `ClientStartError`.
    public convenience init(
        environment: [String: String],
        configuration: Configuration = Configuration()
    ) throws {
        try self.init(endpoint: DockerEndpoint(environment: environment), configuration: configuration)
    }

    /// Ends every call in flight and closes the connections.
    ///
    /// Calls made later fail.
    public func close() {
        http.shutdown()
        tunnels?.close()
    }

    /// A Unix socket of this machine that leads to a port on the engine's, for as long as the client isn't closed.
    ///
    /// - Parameter host: where the port is, seen from the engine's machine.
    /// - Returns: the socket's path; `nil` unless the engine is reached by ssh.
    /// - Throws: ``DockerEngineError/sshFailed(endpoint:reason:)``.
    public func socket(forwardingTo port: Int, of host: String = "127.0.0.1") throws(DockerEngineError) -> String? {
        try tunnels?.socket(forwardingTo: port, of: host)
    }

    /// The version of the Engine API that engine and client have agreed on; asks the engine the first time.
    ///
    /// - Throws: ``DockerEngineError/unsupportedVersion(engine:supported:)``, or the error of the call.
    public func apiVersion() async throws -> EngineAPIVersion {
        try await negotiate().version
    }

    /// Whether the engine is Podman, which speaks the Engine API too, but not in all as Docker does.
    public func isPodman() async throws -> Bool {
        try await negotiate().isPodman
    }

    private func negotiate() async throws -> (version: EngineAPIVersion, isPodman: Bool) {
        if let known = negotiated.withLock({ $0 }) { return known }
        // Two calls may both ask at the start; they get the same answer.
        let engine = try await version()
        let known = (version: try EngineAPIVersion.negotiate(with: engine), isPodman: engine.isPodman)
        negotiated.withLock { $0 = known }
        return known
    }
}

// MARK: - The verbs that all methods are made of

extension DockerEngineClient {
    /// Sends a call and reads its whole answer.
    @discardableResult
    func perform(_ call: EngineCall, isVersioned: Bool = true) async throws -> (head: HTTPResponseHead, body: [UInt8]) {
        let response = try await open(call, isVersioned: isVersioned)
        do {
            return (response.head, try await response.body.collect(upTo: configuration.maximumResponseSize))
        } catch let error as HTTPError {
            throw DockerEngineError.transport(call: call.name, underlying: error)
        }
    }

    /// Sends a call and decodes its answer.
    func decode<Value: Decodable>(
        _ call: EngineCall,
        as type: Value.Type = Value.self,
        isVersioned: Bool = true
    ) async throws -> Value {
        try EngineJSON.decode(type, from: await perform(call, isVersioned: isVersioned).body, call: call.name)
    }

    /// Sends a call and returns its answer as a stream of JSON messages.
    func messages<Message>(
        _ call: EngineCall,
        _ read: @escaping @Sendable ([UInt8]) throws(DockerEngineError) -> Message
    ) async throws -> EngineMessages<Message> {
        var call = call
        call.timeLimit = .none
        let response = try await open(call)
        return EngineMessages(
            body: response.body,
            call: call.name,
            maximumMessageSize: configuration.maximumMessageSize,
            read: read
        )
    }

    /// Sends a call and returns its answer once the head is there.
    ///
    /// A status of 300 or more is thrown, except 304, "already so".
    func open(_ call: EngineCall, isVersioned: Bool = true) async throws -> HTTPResponse {
        guard !call.path.contains("//"), !call.path.hasSuffix("/") else {
            throw DockerEngineError.invalidArgument("a name or id is empty", call: call.name)
        }
        let socket: String? =
            if case .unix(let path) = endpoint.transport { path } else { try tunnels?.engineSocket() }
        let prefix = isVersioned ? "/v\(try await apiVersion())" : ""
        var request = HTTPRequest(
            method: call.method,
            url: endpoint.baseURL + prefix + call.pathAndQuery,
            headers: call.headers,
            body: call.body,
            unixSocketPath: socket,
            tls: endpoint.tls
        )
        switch call.timeLimit {
        case .standard: request.timeouts.total = configuration.callTimeout
        case .extended(let time): request.timeouts.total = configuration.callTimeout + time
        case .none: break
        }
        do {
            let response = try await http.execute(request)
            guard response.status >= 300 && response.status != 304 else { return response }
            throw DockerEngineError.api(
                status: response.status,
                message: try await Self.message(in: response),
                call: call.name
            )
        } catch let error as HTTPError {
            if error.kind == .connectionLostBeforeResponse, let reason = tunnels?.failure {
                throw DockerEngineError.sshFailed(endpoint: "\(endpoint)", reason: reason)
            }
            switch error.kind {
            // With TLS 1.3 an engine refuses a certificate when the client is done with the handshake: what says so may be
            // overtaken by the end of the connection. The first call of all tells that from a call that was cut short.
            case .connectionLostBeforeResponse where endpoint.tls != nil && call.path == "/version":
                throw DockerEngineError.unreachable(endpoint: "\(endpoint)", underlying: error)
            case .couldNotConnect, .tls, .timedOut(.connect):
                throw DockerEngineError.unreachable(endpoint: "\(endpoint)", underlying: error)
            case .invalidRequest:
                throw DockerEngineError.invalidArgument(error.message, call: call.name)
            default:
                throw DockerEngineError.transport(call: call.name, underlying: error)
            }
        }
    }

    /// The engine's words about a refusal: `{"message": …}`, or whatever came.
    private static func message(in response: HTTPResponse) async throws -> String {
        struct Refusal: Decodable { var message: String }
        // An answer to HEAD has none.
        let body = try await response.body.collect(upTo: 1 << 20)
        if let refusal = try? EngineJSON.decode(Refusal.self, from: body, call: "") { return refusal.message }
        return EngineJSON.shown(body)
    }
}
