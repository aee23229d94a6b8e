internal import Synchronization

/// An HTTP/1.1 client over libcurl, for TCP, TLS and Unix sockets.
///
/// A client owns one thread and a pool of kept-alive connections. It can be used from any number of tasks at once. It follows no redirects,
/// decodes no content and keeps no cookies: what the server said is what the caller gets, whatever the status.
///
/// ```swift
/// let client = try HTTPClient()
/// defer { client.shutdown() }
/// let response = try await client.execute(HTTPRequest(url: "http://127.0.0.1:8000/alive"))
/// for try await chunk in response.body { … }
/// ```
public final class HTTPClient: Sendable {
    /// The limits that the client was made with.
    public let configuration: HTTPClientConfiguration
    private let loop: TransferLoop
    private let nextID = Atomic<UInt64>(0)

    /// Creates a client and starts its thread.
    ///
    /// - Throws: ``ClientStartError`` if the system gives no thread or no descriptors.
    public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) throws(ClientStartError) {
        self.configuration = configuration
        loop = try TransferLoop(configuration: configuration)
    }

    deinit {
        loop.shutDown()
    }

    /// Runs tasks on the client's own thread, so that a request and its response pass through no other.
    ///
    /// For a task that does little besides talking to a server, given as its executor preference. It must not block: the
    /// client's transfers wait meanwhile. After ``shutdown()`` its tasks go on elsewhere.
    public var taskExecutor: any TaskExecutor { loop }

    /// Ends the thread, the connections and every exchange in flight, which fail with ``HTTPError/Kind/shutDown``.
    ///
    /// Returns without waiting for that. Later requests fail in the same way. Calling it again does nothing.
    public func shutdown() {
        loop.shutDown()
    }

    /// Ends every exchange in flight, and refuses others until ``resume()``; they fail with ``HTTPError/Kind/shutDown``.
    ///
    /// For a server that is known not to answer for a while, so that nobody waits for it.
    public func suspend() {
        loop.suspend()
    }

    /// Takes requests again.
    public func resume() {
        loop.resume()
    }

    /// Sends a request and returns once the head of the response has arrived; the body streams.
    ///
    /// Any status is a result, not an error. Cancelling the task ends the exchange at once. The response keeps the client alive.
    ///
    /// - Throws: ``HTTPError``, `CancellationError`, or the error of a streamed request body's source.
    public func execute(_ request: HTTPRequest) async throws -> HTTPResponse {
        let transfer = try start(request)
        let head = try await transfer.head()
        return HTTPResponse(head: head, body: HTTPResponse.Body(transfer: transfer, head: head, client: self))
    }

    /// Sends a request and collects the whole response.
    ///
    /// - Parameter bodyLimit: the greatest number of body bytes to accept.
    /// - Throws: as ``execute(_:)`` does, and ``HTTPError`` of kind `bodyTooLarge`.
    public func send(_ request: HTTPRequest, bodyLimit: Int) async throws -> (head: HTTPResponseHead, body: [UInt8]) {
        let response = try await execute(request)
        return (response.head, try await response.body.collect(upTo: bodyLimit))
    }

    private func start(_ request: HTTPRequest) throws -> Transfer {
        let prepared = try PreparedRequest(request)
        try Task.checkCancellation()
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let transfer = Transfer(id: id, request: prepared, loop: loop, configuration: configuration)
        guard loop.start(transfer) else {
            throw prepared.error(.shutDown, "the client had been shut down, or suspended")
        }
        transfer.startUpload()
        return transfer
    }
}
