import EventStream

/// The server that performs actions in a sandbox, over HTTP.
///
/// The routes and bodies are those of the reference's `openhands/runtime/action_execution_server.py`. Beyond them,
/// `/execute_action` honours `Idempotency-Key`: a request that is sent again with its key gets the first one's response.
/// It runs a command in the shell session that `Shell-Session` names, and with `Accept: text/event-stream` tells of the
/// output while it comes. `/interrupt` interrupts what runs.
/// Every response names the server's run in `Server-Instance`; a request that names another is refused with 412, since
/// the results that its key stands for are gone.
public final class ActionExecutionServer: Sendable {
    /// Where the server listens, with the ports that the system chose.
    public let addresses: [ServerAddress]

    private let loop: EventLoop
    private let listeners: [ListeningSocket]
    private let core: ServerCore
    private let http: HTTPServer
    private let shutdownTime: Duration

    /// Binds the addresses; requests are answered once ``run()`` is called.
    ///
    /// - Throws: ``SystemError`` when an address can't be bound, or the working directory can't be made.
    public convenience init(_ configuration: ServerConfiguration) throws(SystemError) {
        try self.init(configuration, loop: EventLoop())
        try loop.runInBackground()
    }

    /// - Parameter loop: what the server runs on; the caller sees to it that it runs.
    init(_ configuration: ServerConfiguration, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        do throws(FileAccess.Failure) {
            try FileAccess.makeDirectory(configuration.workingDirectory)
        } catch {
            if case .system(let error) = error { throw error }
        }
        var listeners: [ListeningSocket] = []
        for address in configuration.addresses { listeners.append(try ListeningSocket(address)) }
        self.listeners = listeners
        addresses = listeners.map(\.address)
        let core = try ServerCore(configuration, loop: loop)
        self.core = core
        let requestGuard = RequestGuard(
            sessionAPIKeyDigest: configuration.sessionAPIKeyDigest,
            allowedHosts: configuration.allowedHosts
        )
        http = HTTPServer(
            loop: loop,
            limits: configuration.limits,
            connectionLimit: configuration.connectionLimit,
            check: { requestGuard.refusal(of: $0) },
            handler: { head, body throws(HTTPBodyError) in try await core.respond(to: head, body) }
        )
        shutdownTime = configuration.shutdownTime
    }

    deinit {
        loop.stop()
    }

    /// Serves until the task is cancelled, ``shutDown()`` is called or the lease runs out, then ends the shell and all that
    /// it runs.
    ///
    /// Requests that are being answered then have ``ServerConfiguration/shutdownTime`` to come to their end; others are
    /// refused. A server runs once.
    public func run() async {
        // A task of its own, since cancellation must not reach what is to end in peace.
        let serving = Task(executorPreference: loop) { [self] in await serve() }
        await withTaskCancellationHandler {
            await serving.value
        } onCancel: {
            shutDown()
        }
    }

    /// Makes ``run()`` end, as cancelling its task does.
    public func shutDown() {
        core.stop()
    }

    /// Makes ``run()`` end without waiting for commands.
    public func shutDownNow() async {
        core.stop()
        await http.endNow()
    }

    private func serve() async {
        await withTaskGroup { group in
            for listener in listeners {
                group.addTask(executorPreference: loop) { [http] in await http.serve(listener) }
            }
            group.addTask(executorPreference: loop) { [core] in await core.startShell() }
            group.addTask(executorPreference: loop) { [core] in await core.waitForEndOfLease() }
            await core.waitForEnd()
            await http.drain(for: shutdownTime)
            group.cancelAll()
            await core.close()
        }
    }
}

/// What all connections of a server share.
actor ServerCore {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let executor: ActionExecutor
    private let actions: ActionEndpoint
    private let transfers: FileTransfers
    private let started = ContinuousClock.now
    /// Names this run of the server.
    private let instance = String(UInt64.random(in: .min ... .max), radix: 16)
    private var lastExecution = ContinuousClock.now
    private let limits: HTTPLimits
    private var lease: Lease
    private let end: EventLoop.WaitID
    private var leaseChange: EventLoop.WaitID?
    /// When the lease is looked at next.
    private var awaitedEnd: ContinuousClock.Instant?

    init(_ configuration: ServerConfiguration, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let searchPath = configuration.environment["PATH"] ?? ""
        guard let shell = configuration.shell ?? Shell.find(searchPath: searchPath) else {
            throw SystemError("find a shell: the image has neither bash nor sh", code: 2)
        }
        let session = ShellSession.Configuration(
            shell: shell,
            directory: configuration.workingDirectory,
            environment: configuration.environment,
            outputs: OutputDirectory(path: configuration.outputDirectory)
        )
        let commands = CommandRunner(session, noChangeTimeout: configuration.noChangeTimeout, loop: loop)
        let files = FileEditor(workspace: configuration.workingDirectory, loop: loop)
        let cells = CellRunner(session, commands: commands, loop: loop)
        executor = ActionExecutor(commands: commands, cells: cells, files: files)
        actions = ActionEndpoint(executor, loop: loop)
        transfers = FileTransfers(configuration.transfers, directory: configuration.workingDirectory)
        lease = Lease(duration: configuration.lease, now: .now)
        limits = configuration.limits
        end = loop.makeWaitID()
    }

    // MARK: Life

    /// Starts the shell before the first command asks for it.
    ///
    /// If that fails, that command tries again and tells.
    func startShell() async {
        try? await executor.commands.start()
    }

    /// Returns when the task is cancelled or ``stop()`` was called.
    func waitForEnd() async {
        _ = await loop.wait(id: end)
    }

    /// Makes the server end.
    nonisolated func stop() {
        loop.notify(end)
    }

    /// Ends the shell and the Python interpreter.
    func close() async {
        await executor.cells.close()
        await executor.commands.close()
        await actions.close()
        loop.forget(end)
    }

    /// Ends the server when its lease has run out.
    func waitForEndOfLease() async {
        while true {
            let id = loop.makeWaitID()
            leaseChange = id
            awaitedEnd = lease.end
            let outcome = await loop.wait(until: awaitedEnd, id: id)
            leaseChange = nil
            loop.forget(id)
            if outcome == .cancelled { return }
            // Looked at much too late: all processes were frozen meanwhile, and whoever thawed them gets time to come.
            if let awaitedEnd, ContinuousClock.now - awaitedEnd > Lease.latestLook { lease.use(at: .now) }
            if lease.hasEnded(at: .now) { return stop() }
        }
    }

    private func changeLease(_ change: (inout Lease) -> Void) {
        change(&lease)
        // A wait until an earlier end goes on until then, and is begun anew: renewing costs nothing.
        guard let end = lease.end, awaitedEnd.map({ end < $0 }) ?? true else { return }
        if let id = leaseChange.take() { loop.notify(id) }
    }

    // MARK: Requests

    func respond(
        to head: HTTPRequestHead,
        _ body: HTTPBodyReader
    ) async throws(HTTPBodyError) -> HTTPResponse {
        changeLease { $0.use(at: .now) }
        defer { changeLease { $0.use(at: .now) } }
        var response = try await route(head, body)
        response.headers.append("server-instance", instance)
        return response
    }

    private func route(_ head: HTTPRequestHead, _ body: HTTPBodyReader) async throws(HTTPBodyError) -> HTTPResponse {
        // The connection leaves the body out of the response to HEAD.
        let method = head.method == "HEAD" ? "GET" : head.method
        switch (method, head.path) {
        case ("GET", "/alive"):
            return HTTPResponse(json: ["status": "ok"])
        case ("GET", "/server_info"):
            return serverInfo()
        case ("POST", "/execute_action"):
            return await executeAction(head, try await body.readAll(limit: limits.bodySize))
        case ("POST", "/interrupt"):
            return await actions.interrupt(try await body.readAll(limit: limits.bodySize))
        case ("POST", "/lease"):
            return setLease(try await body.readAll(limit: limits.bodySize))
        case ("POST", "/list_files"):
            return await transfers.list(try await body.readAll(limit: limits.bodySize))
        case ("POST", "/upload_file"):
            return try await transfers.upload(head, body)
        case ("GET", "/download_files"):
            return await transfers.download(head)
        case ("POST", "/update_mcp_server"):
            return MCPServers.update(try await body.readAll(limit: limits.bodySize))
        case ("GET", "/vscode/connection_token"):
            return HTTPResponse(json: ["token": .null])
        case ("OPTIONS", "*"):
            return HTTPResponse(status: 200, headers: ["allow": "GET, HEAD, POST"])
        case (_, "/alive"), (_, "/server_info"), (_, "/vscode/connection_token"), (_, "/download_files"):
            return Self.notAllowed(butAllowed: "GET, HEAD")
        case (_, "/execute_action"), (_, "/interrupt"), (_, "/lease"), (_, "/list_files"), (_, "/upload_file"),
            (_, "/update_mcp_server"):
            return Self.notAllowed(butAllowed: "POST")
        default:
            return HTTPResponse(detail: "Not Found", status: 404)
        }
    }

    /// RFC 9110, section 15.5.6: the response names the methods that there are.
    private static func notAllowed(butAllowed methods: String) -> HTTPResponse {
        var response = HTTPResponse(detail: "Method Not Allowed", status: 405)
        response.headers.append("allow", methods)
        return response
    }

    private func serverInfo() -> HTTPResponse {
        HTTPResponse(json: [
            "uptime": .number(JSONNumber((.now - started).inSeconds)),
            "idle_time": .number(JSONNumber((.now - lastExecution).inSeconds)),
            "resources": .object(ServerStatistics.resources()),
        ])
    }

    /// `POST /lease` with `{"seconds": N}` sets the lease, and without a body renews it.
    private func setLease(_ body: [UInt8]) -> HTTPResponse {
        if !body.isEmpty {
            guard let body = try? JSONValue(parsing: body), let seconds = body["seconds"]?.doubleValue,
                seconds > 0, seconds <= 1e9
            else { return HTTPResponse(detail: "The body must be {\"seconds\": a positive number}", status: 422) }
            changeLease { $0.duration = .seconds(seconds) }
        }
        return HTTPResponse(json: ["seconds": lease.duration.map { .number(JSONNumber($0.inSeconds)) } ?? .null])
    }

    private func executeAction(_ head: HTTPRequestHead, _ body: [UInt8]) async -> HTTPResponse {
        lastExecution = .now
        if let expected = head.headers.single("server-instance"), expected != instance {
            return HTTPResponse(
                detail: "The server was started anew since; what became of the action is not known",
                status: 412
            )
        }
        return await actions.execute(head, body)
    }
}

/// How long a server lives without requests.
///
/// A request that is being answered doesn't hold it: who asked may be gone, and a command may run for ever. Clients renew
/// the lease meanwhile.
struct Lease {
    /// By how much its end may be missed on a machine that has much to do.
    static let latestLook = Duration.seconds(2)

    /// nil for ever.
    var duration: Duration? {
        didSet { lastUse = .now }
    }
    private var lastUse: ContinuousClock.Instant

    init(duration: Duration?, now: ContinuousClock.Instant) {
        self.duration = duration
        lastUse = now
    }

    /// A request came, or was answered.
    mutating func use(at now: ContinuousClock.Instant) {
        lastUse = now
    }

    /// When it runs out, unless it is used before; nil when there is no lease.
    var end: ContinuousClock.Instant? {
        duration.map { lastUse + $0 }
    }

    func hasEnded(at now: ContinuousClock.Instant) -> Bool {
        end.map { now >= $0 } ?? false
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
