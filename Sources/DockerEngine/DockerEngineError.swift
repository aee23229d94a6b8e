public import CurlHTTP

/// A failed call of the Docker Engine.
///
/// Cancellation isn't among these: a cancelled task gets a `CancellationError`.
public enum DockerEngineError: Error, Sendable, Hashable {
    /// No connection to the engine came about: nothing was done.
    case unreachable(endpoint: String, underlying: HTTPError)
    /// The program that connects to the engine, `ssh`, failed; its words.
    case sshFailed(endpoint: String, reason: String)
    /// The connection failed or a time limit was reached during a call: it may or may not have been carried out.
    case transport(call: String, underlying: HTTPError)
    /// The engine refused the call, with its HTTP status and words.
    case api(status: Int, message: String, call: String)
    /// The engine began a long operation (pull, build, import, load) and reported its failure in the stream.
    case operationFailed(message: String, call: String)
    /// The engine's answer isn't what the Engine API promises. The body is cut to its beginning.
    case decoding(call: String, body: String, reason: String)
    /// The engine and this client share no version of the Engine API.
    case unsupportedVersion(engine: String, supported: String)
    /// The endpoint isn't one, or not of a supported kind.
    case invalidEndpoint(String, reason: String)
    /// An argument that no engine could accept; nothing was sent.
    case invalidArgument(String, call: String)
}

extension DockerEngineError {
    /// Whether the engine doesn't know the container, image, volume or network.
    public var isNotFound: Bool { status == 404 }

    /// Whether the call conflicts with what is: a name in use, a container that runs, an image in use.
    public var isConflict: Bool { status == 409 }

    /// The HTTP status with which the engine refused the call, if it did.
    public var status: Int? {
        if case .api(let status, _, _) = self { status } else { nil }
    }
}

extension DockerEngineError: CustomStringConvertible {
    /// What was tried, what came back and, where there is one, what to do.
    public var description: String {
        switch self {
        case .unreachable(let endpoint, let underlying):
            "no Docker Engine at \(endpoint): \(Self.advice(endpoint, underlying)) (\(underlying))"
        case .sshFailed(let endpoint, let reason):
            "no Docker Engine at \(endpoint): ssh failed: \(reason) (ssh asks no questions here: the host must be known and a "
                + "key accepted; there must be a docker command there)"
        case .transport(let call, let underlying):
            "\(call) failed on the way: \(underlying)"
        case .api(let status, let message, let call):
            "\(call) was refused with status \(status): \(message)"
        case .operationFailed(let message, let call):
            "\(call) failed: \(message)"
        case .decoding(let call, let body, let reason):
            "\(call) was answered with something unexpected (\(reason)): \(body)"
        case .unsupportedVersion(let engine, let supported):
            "the engine speaks the Engine API in \(engine), this client in \(supported); update the older of the two"
        case .invalidEndpoint(let endpoint, let reason):
            "\(endpoint) can't be used as the engine's endpoint: \(reason)"
        case .invalidArgument(let problem, let call):
            "\(call) can't be sent: \(problem)"
        }
    }

    private static func advice(_ endpoint: String, _ error: HTTPError) -> String {
        switch error.systemErrorNumber {
        case SystemError.noSuchFile:
            "the socket doesn't exist; is Docker installed and running? Another engine is chosen with DOCKER_HOST or `docker context use`"
        case SystemError.notPermitted:
            "this user may not use the socket; join its group (usually docker) and log in again"
        case SystemError.connectionRefused:
            "nothing listens there; start the engine (`systemctl start docker`, or Docker Desktop)"
        default:
            [.tls, .connectionLostBeforeResponse].contains(error.kind)
                ? "the certificates don't fit; check DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, and that the port speaks TLS"
                : "check the address, and that the engine runs"
        }
    }
}
