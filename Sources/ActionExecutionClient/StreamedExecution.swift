import CurlHTTP
import EventStream

/// Reads the response to an action as a stream of events: `output` with a change, and at last `observation`.
///
/// When the connection breaks, the request is sent again under its key. The server tells of the output from its
/// beginning then, which takes the place of all that was told.
struct StreamedExecution: ActionUpdateSource {
    private enum State {
        case idle
        case open(HTTPResponse.Body.AsyncIterator, ServerSentEventParser)
        case ended
    }

    private let client: ActionExecutionClient
    private let invocation: ActionInvocation
    private let request: HTTPRequest
    private var state = State.idle
    private var reconnection = Reconnection()
    private var began = ContinuousClock.now
    /// Events that came with those that were given.
    private var queue: ArraySlice<ServerSentEvent> = []
    /// Characters that were told and not removed.
    private var toldCount = 0
    /// Of them, what an earlier connection told.
    private var outdatedCount = 0

    init(client: ActionExecutionClient, invocation: ActionInvocation) {
        self.client = client
        self.invocation = invocation
        var request = client.executeRequest(invocation)
        request.headers["Accept"] = "text/event-stream"
        self.request = request
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ActionUpdate? {
        while true {
            do {
                if let event = queue.popFirst() {
                    if let update = try take(event) { return update }
                    continue
                }
                switch state {
                case .idle:
                    if let update = try await open() { return update }
                case .open(var body, var parser):
                    let chunk = try await body.next(isolation: actor)
                    guard let chunk else {
                        throw RuntimeError.unexpectedResponse(detail: "the stream ended without an observation")
                    }
                    queue = try parser.receive(chunk)[...]
                    state = .open(body, parser)
                case .ended:
                    return nil
                }
            } catch let error as ServerSentEventParser.EventTooLarge {
                throw RuntimeError.unexpectedResponse(detail: "\(error)")
            } catch let error as HTTPError {
                state = .idle
                queue = []
                outdatedCount = toldCount
                try await Task.sleep(for: reconnection.pause(after: error, of: request, began: began))
            }
        }
    }

    /// Sends the request.
    ///
    /// - Returns: the observation of a server that gives nothing else.
    private mutating func open() async throws -> ActionUpdate? {
        if toldCount == 0 { try await client.expectMemory(of: invocation) }
        began = .now
        let response = try await client.open(request)
        if response.status == 200, response.headers["Content-Type"]?.hasPrefix("text/event-stream") == true {
            let parser = ServerSentEventParser(maximumEventSize: ActionExecutionClient.responseLimit)
            state = .open(response.body.makeAsyncIterator(), parser)
            return nil
        }
        let body = try await response.body.collect(upTo: ActionExecutionClient.responseLimit)
        state = .ended
        return .observation(try ActionExecutionClient.observation(response.status, body))
    }

    private mutating func take(_ event: ServerSentEvent) throws -> ActionUpdate? {
        switch event.event {
        case "output":
            guard let json = try? JSONValue(parsing: Array(event.data.utf8)) else {
                throw RuntimeError.unexpectedResponse(detail: "an output event isn't JSON")
            }
            var update = OutputUpdate(json: json)
            update.removedCount += outdatedCount
            outdatedCount = 0
            toldCount += update.text.unicodeScalars.count - update.removedCount
            return .output(update)
        case "observation":
            state = .ended
            queue = []
            return .observation(try ActionExecutionClient.observation(200, Array(event.data.utf8)))
        case "error":
            state = .ended
            let error = try? JSONValue(parsing: Array(event.data.utf8))
            throw RuntimeError.refused(
                status: error?["status"]?.intValue ?? 500,
                detail: error?["detail"]?.stringValue ?? event.data
            )
        default:
            return nil
        }
    }
}
