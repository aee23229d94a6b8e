public import CurlHTTP
public import EventStream
import Synchronization

/// Talks to an execution server over HTTP.
///
/// A request whose connection breaks is sent again under its idempotency key, so that the action takes effect once; the
/// server's run is named in the request, so that a server that was started anew doesn't perform the action again.
public final class ActionExecutionClient: Sendable {
    /// Where a server is.
    public struct Endpoint: Sendable, Hashable {
        /// The server's URL without a path, such as `http://127.0.0.1:30000`.
        public var url: String
        /// The Unix socket to connect to in place of the URL's host.
        public var unixSocketPath: String?
        /// What the server wants to see in `X-Session-API-Key`.
        public var sessionAPIKey: String?

        /// Makes an endpoint.
        public init(url: String, unixSocketPath: String? = nil, sessionAPIKey: String? = nil) {
            self.url = url
            self.unixSocketPath = unixSocketPath
            self.sessionAPIKey = sessionAPIKey
        }
    }

    /// Where the server is.
    public let endpoint: Endpoint
    /// Seconds that an action gets when it names none: the reference's `sandbox.timeout`.
    public let defaultTimeout: Double

    private let http: HTTPClient
    /// The run of the server that answered first.
    private let instance = Mutex<String?>(nil)

    /// Seconds beyond an action's timeout in which the response must come, as in the reference.
    private static let responseMargin = 5.0
    static let responseLimit = 256 << 20

    /// Makes a client; no connection is made yet.
    ///
    /// - Parameter http: carries the requests; the caller shuts it down.
    public init(endpoint: Endpoint, http: HTTPClient, defaultTimeout: Double = 120) {
        self.endpoint = endpoint
        self.http = http
        self.defaultTimeout = defaultTimeout
    }

    // MARK: Readiness

    /// Whether the server accepts the key, and nobody without it.
    ///
    /// - Throws: `HTTPError` when there is no server, ``RuntimeError`` when it is not the one that was started.
    public func checkReady() async throws {
        let alive = try await send(request("GET", "/alive", timeout: 5))
        guard alive.head.status == 200 else {
            throw RuntimeError.unexpectedResponse(detail: "GET /alive gave status \(alive.head.status)")
        }
        guard endpoint.sessionAPIKey != nil else { return }
        // A route that answers with the key only.
        let open = try await send(request("GET", "/vscode/connection_token", timeout: 5, withKey: false))
        let keyed = try await send(request("GET", "/vscode/connection_token", timeout: 5))
        if keyed.head.status == 403 {
            throw RuntimeError.refused(status: 403, detail: "its key is another than the one that is known here")
        }
        guard open.head.status == 403, keyed.head.status == 200 else {
            throw RuntimeError.unexpectedResponse(
                detail: "the server answered \(open.head.status) without the key and \(keyed.head.status) with it"
            )
        }
    }

    /// Waits until the server is ready.
    ///
    /// A server that holds the connection until it is ready is noticed at once; one that can't be reached yet is tried
    /// again after ever longer breaks, from one to fifty milliseconds.
    ///
    /// - Throws: ``RuntimeError/notReady(seconds:lastFailure:)`` after `limit`; ``RuntimeError/refused(status:detail:)`` when
    ///   the server has another key.
    public func waitUntilReady(limit: Duration = .seconds(120)) async throws {
        let deadline = ContinuousClock.now + limit
        var pause = Duration.milliseconds(1)
        while true {
            let failure: any Error
            do {
                return try await checkReady()
            } catch let error as CancellationError {
                throw error
            } catch let error as RuntimeError {
                // A server that refuses the key won't take it later.
                if case .refused = error { throw error }
                failure = error
            } catch {
                failure = error
            }
            guard .now + pause < deadline else {
                throw RuntimeError.notReady(seconds: limit / .seconds(1), lastFailure: "\(failure)")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    // MARK: Actions

    /// Has the server perform an action.
    ///
    /// - Returns: the observation.
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    public func execute(_ invocation: ActionInvocation) async throws -> Observation {
        try await expectMemory(of: invocation)
        let (head, body) = try await sendUntilAnswered(executeRequest(invocation))
        return try Self.observation(head.status, body)
    }

    /// Has the server perform an action, and tells of its output while it runs.
    ///
    /// The action is performed when the first update is asked for. A server that doesn't tell of output, such as the
    /// reference's, gives the observation only.
    public func updates(of invocation: ActionInvocation) -> ActionUpdates {
        ActionUpdates { StreamedExecution(client: self, invocation: invocation) }
    }

    /// Sees to it that an action that may have begun goes to a server that would know: one that has run since before the
    /// action was published, and remembers what it did.
    ///
    /// Ages are compared, since the clocks of two machines differ.
    ///
    /// - Throws: ``RuntimeError/outcomeUnknown``.
    func expectMemory(of invocation: ActionInvocation) async throws {
        guard invocation.mayHaveBegun else { return }
        let (_, body) = try await sendUntilAnswered(request("GET", "/server_info", timeout: 10))
        // The reference's server names no run of its own, and remembers nothing.
        guard instance.withLock({ $0 }) != nil, let event = invocation.event,
            let uptime = (try? JSONValue(parsing: body))?["uptime"]?.doubleValue,
            uptime > Timestamp.now().secondsSince1970 - event.timestamp.secondsSince1970
        else { throw RuntimeError.outcomeUnknown }
    }

    /// Interrupts what runs, as the key C-c does.
    ///
    /// - Parameters:
    ///   - shellSession: the session whose command is interrupted; nil for all that runs in the sandbox.
    ///   - isForced: whether it is killed.
    /// - Returns: how many actions were interrupted.
    /// - Throws: `HTTPError`, ``RuntimeError/refused(status:detail:)``.
    @discardableResult
    public func interrupt(shellSession: String? = nil, isForced: Bool = false) async throws -> Int {
        var request = request("POST", "/interrupt", timeout: 10)
        var members: JSONObject = ["force": .bool(isForced)]
        if let shellSession { members["session"] = .string(shellSession) }
        request.body = .bytes(JSONValue.object(members).serialized())
        let (head, body) = try await send(request)
        guard head.status == 200 else { throw RuntimeError.refused(status: head.status, detail: Self.detail(body)) }
        return (try? JSONValue(parsing: body))?["interrupted"]?.intValue ?? 0
    }

    /// The request that has an action performed.
    func executeRequest(_ invocation: ActionInvocation) -> HTTPRequest {
        let timeout = effectiveTimeout(invocation)
        var request = request("POST", "/execute_action", timeout: timeout.map { $0 + Self.responseMargin })
        request.headers["Content-Type"] = "application/json"
        request.headers["Idempotency-Key"] = invocation.idempotencyKey
        if let name = invocation.shellSession { request.headers["Shell-Session"] = name }
        if let instance = instance.withLock({ $0 }) { request.headers["Server-Instance"] = instance }
        request.body = .bytes(invocation.requestBody(timeout: timeout))
        request.resend = .always
        return request
    }

    /// What the response to an action says.
    static func observation(_ status: Int, _ body: [UInt8]) throws -> Observation {
        switch status {
        case 200:
            do {
                return try Observation(jsonBytes: body)
            } catch {
                throw RuntimeError.unexpectedResponse(detail: "\(error)")
            }
        case 412:
            throw RuntimeError.disconnected(
                reason: "the execution server was started anew; whether the action took effect is not known"
            )
        default:
            throw RuntimeError.refused(status: status, detail: detail(body))
        }
    }

    /// Begins the server's lease anew, or sets it, in seconds: without requests for that time the server exits.
    ///
    /// - Throws: `HTTPError`, ``RuntimeError/refused(status:detail:)``.
    public func renewLease(seconds: Double? = nil) async throws {
        var request = request("POST", "/lease", timeout: 10)
        if let seconds {
            request.body = .bytes(JSONValue.object(["seconds": .number(JSONNumber(seconds))]).serialized())
        }
        let (head, body) = try await send(request)
        guard head.status == 200 else { throw RuntimeError.refused(status: head.status, detail: Self.detail(body)) }
    }

    /// What the server tells of itself: `uptime` and `idle_time` in seconds, and `resources`.
    ///
    /// - Throws: `HTTPError`, ``RuntimeError``.
    public func serverInfo() async throws -> JSONObject {
        let (head, body) = try await send(request("GET", "/server_info", timeout: 10))
        guard head.status == 200, case .object(let object)? = try? JSONValue(parsing: body) else {
            throw RuntimeError.unexpectedResponse(detail: "GET /server_info gave status \(head.status)")
        }
        return object
    }

    /// What opens the sandbox's editor in a browser; nil when the server has none.
    ///
    /// - Throws: `HTTPError`, ``RuntimeError``.
    public func editorToken() async throws -> String? {
        let (head, body) = try await send(request("GET", "/vscode/connection_token", timeout: 10))
        guard head.status == 200, let answer = try? JSONValue(parsing: body), let token = answer["token"] else {
            throw RuntimeError.unexpectedResponse(
                detail: "GET /vscode/connection_token gave status \(head.status) and no token"
            )
        }
        return token.stringValue
    }

    // MARK: Requests

    /// Blocking commands without a time limit may take for ever; all else has the default.
    private func effectiveTimeout(_ invocation: ActionInvocation) -> Double? {
        if let timeout = invocation.timeout { return timeout }
        if case .run(let command) = invocation.action, command.blocking { return nil }
        return defaultTimeout
    }

    func request(_ method: String, _ path: String, timeout: Double?, withKey: Bool = true) -> HTTPRequest {
        var request = HTTPRequest(method: method, url: endpoint.url + path)
        request.unixSocketPath = endpoint.unixSocketPath
        request.timeouts.total = timeout.map { .seconds($0) }
        if withKey, let key = endpoint.sessionAPIKey { request.headers["X-Session-API-Key"] = key }
        return request
    }

    func send(_ request: HTTPRequest) async throws -> (head: HTTPResponseHead, body: [UInt8]) {
        let response = try await http.send(request, bodyLimit: Self.responseLimit)
        remember(response.head)
        return response
    }

    /// Sends a request whose response streams.
    func open(_ request: HTTPRequest) async throws -> HTTPResponse {
        let response = try await http.execute(request)
        remember(response.head)
        return response
    }

    private func remember(_ head: HTTPResponseHead) {
        guard let name = head.headers["Server-Instance"] else { return }
        instance.withLock { if $0 == nil { $0 = name } }
    }

    /// Sends a request again while its connection breaks.
    func sendUntilAnswered(_ request: HTTPRequest) async throws -> (head: HTTPResponseHead, body: [UInt8]) {
        var reconnection = Reconnection()
        while true {
            let began = ContinuousClock.now
            do {
                return try await send(request)
            } catch let error as HTTPError {
                try await Task.sleep(for: reconnection.pause(after: error, of: request, began: began))
            }
        }
    }

    /// The `detail` of an error, as the server and the reference's write it.
    static func detail(_ body: [UInt8]) -> String {
        (try? JSONValue(parsing: body))?["detail"]?.stringValue ?? String(decoding: body.prefix(1000), as: UTF8.self)
    }
}
