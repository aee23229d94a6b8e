/// What an execution server is started with.
public struct ServerConfiguration: Sendable {
    /// Where to listen.
    ///
    /// All addresses lead to the same server.
    public var addresses: [ServerAddress]
    /// The shell's first directory, made when it is missing.
    public var workingDirectory: String
    /// The SHA-256 digest of what requests must carry in `X-Session-API-Key`; nil lets everybody in who can connect.
    ///
    /// The digest of a random key is no secret: it may stand in an argument list, unlike the key.
    public var sessionAPIKeyDigest: [UInt8]?
    /// Names that a request may be addressed to, besides addresses and the local host's.
    ///
    /// A request whose `Host` has another name is refused, so that no web page can reach the server by a name of its
    /// own (DNS rebinding).
    public var allowedHosts: Set<String>
    /// The shell to use; nil for the image's bash if it has one, else its `sh`.
    public var shell: Shell?
    /// The environment of the shell.
    public var environment: [String: String]
    /// How long a command may write nothing before its observation comes back, with the command running on.
    ///
    /// The reference's setting of that name. Actions that are `blocking` have no such limit.
    public var noChangeTimeout: Duration
    /// How long the server lives without a request; nil for ever.
    ///
    /// Any request begins the time anew, when it comes and when it is answered; during a long command, clients renew
    /// it with `POST /lease`.
    public var lease: Duration?
    /// How many connections are served at once; others are answered with 503 and closed.
    public var connectionLimit: Int
    /// What a connection may ask of the server.
    public var limits: HTTPLimits
    /// How long requests that are being answered may go on when the server is asked to end.
    ///
    /// The default leaves a container that is stopped enough of the engine's ten seconds to end what runs on.
    public var shutdownTime: Duration
    /// How files are moved in and out.
    public var transfers: TransferConfiguration
    /// Where outputs are kept that are too long for an observation.
    public var outputDirectory: String

    /// Makes a configuration with a shell in `workingDirectory` and no key.
    public init(addresses: [ServerAddress], workingDirectory: String) {
        self.addresses = addresses
        self.workingDirectory = workingDirectory
        sessionAPIKeyDigest = nil
        allowedHosts = ["host.docker.internal"]
        shell = nil
        environment = [:]
        noChangeTimeout = .seconds(10)
        lease = nil
        connectionLimit = 1000
        limits = HTTPLimits()
        shutdownTime = .seconds(4)
        transfers = TransferConfiguration()
        outputDirectory = "/tmp/action-execution-outputs"
    }
}
