import EventStream

/// Answers `/execute_action` and `/interrupt`: performs each action once, and tells of its output meanwhile to those who
/// want that.
actor ActionEndpoint {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let executor: ActionExecutor
    private var results = ResultMemory()
    /// Requests that wait for the response to the same one, by their key.
    private var joined: [String: [EventLoop.WaitID]] = [:]
    /// The responses that they get, which the memory may have forgotten by then.
    private var handedOver: [EventLoop.WaitID: HTTPResponse] = [:]
    /// Actions whose output is told while they run, which go on when nobody listens any more.
    private var streamed: [Int: Task<HTTPResponse, Never>] = [:]
    private var streamedCount = 0
    /// Who is told of the output of actions that run, by their key.
    private var listeners: [String: OutputListener] = [:]

    init(_ executor: ActionExecutor, loop: EventLoop) {
        self.executor = executor
        self.loop = loop
    }

    /// Ends the actions whose output is told.
    func close() async {
        for task in streamed.values { task.cancel() }
        for task in streamed.values { _ = await task.value }
    }

    // MARK: Executing

    /// `POST /execute_action`, with `text/event-stream` when the request accepts it.
    func execute(_ head: HTTPRequestHead, _ body: [UInt8]) async -> HTTPResponse {
        let key = head.headers.single("idempotency-key")
        let request: ActionRequest
        do {
            request = try ActionRequest(head.headers, body: body)
        } catch let error as JSONError {
            return HTTPResponse(detail: "The body is not JSON: \(error)", status: 422)
        } catch {
            return HTTPResponse(detail: "\(error)", status: 422)
        }
        guard head.accepts("text/event-stream") else { return await execute(request, key, body, listener: nil) }
        return stream(request, key, body)
    }

    /// Performs an action, unless its key says that this was done.
    private func execute(
        _ request: ActionRequest,
        _ key: String?,
        _ body: [UInt8],
        listener: OutputListener?
    ) async -> HTTPResponse {
        defer { listener?.finish() }
        guard let key else { return await perform(request, listener: listener) }
        switch results.begin(key, body: body) {
        case .perform:
            listeners[key] = listener
            let response = await perform(request, listener: listener)
            listeners[key] = nil
            results.finish(key, with: response)
            for id in joined.removeValue(forKey: key) ?? [] {
                handedOver[id] = response
                loop.notify(id)
            }
            return response
        case .remembered(let response):
            return response
        case .join:
            if let listener, let earlier = listeners[key] {
                listeners[key] = listener
                await earlier.handOver(to: listener)
            }
            let id = loop.makeWaitID()
            joined[key, default: []].append(id)
            _ = await loop.wait(id: id)
            joined[key]?.removeAll { $0 == id }
            loop.forget(id)
            return handedOver.removeValue(forKey: id)
                ?? HTTPResponse(detail: "The server is shutting down", status: 503)
        case .conflict:
            return HTTPResponse(detail: "The idempotency key \(key) was used for another request", status: 422)
        }
    }

    private func perform(_ request: ActionRequest, listener: OutputListener?) async -> HTTPResponse {
        do {
            return HTTPResponse(json: try await executor.execute(request, listener: listener).jsonBytes())
        } catch {
            return HTTPResponse(detail: "Actions of the kind \(error.kind) are not performed here", status: 400)
        }
    }

    // MARK: Streaming

    /// Events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): `output` with each change of the
    /// output, at last `observation`, or `error` with `status` and `detail`.
    private func stream(_ request: ActionRequest, _ key: String?, _ body: [UInt8]) -> HTTPResponse {
        let listener = OutputListener(loop: loop)
        streamedCount += 1
        let number = streamedCount
        // A task of its own: the response's ends when the peer goes away, and the action goes on.
        let task = Task(executorPreference: loop) {
            let response = await self.execute(request, key, body, listener: listener)
            await self.forgetStreamed(number)
            return response
        }
        streamed[number] = task
        let headers: HTTPHeaders = ["content-type": "text/event-stream", "cache-control": "no-store"]
        return HTTPResponse(
            status: 200,
            headers: headers,
            body: .stream { writer in
                while let update = await listener.next() {
                    try await writer.write(Self.event("output", update.json.serialized()))
                }
                try Task.checkCancellation()
                try await writer.write(Self.event(for: await task.value))
            }
        )
    }

    private func forgetStreamed(_ number: Int) {
        streamed[number] = nil
    }

    private static func event(for response: HTTPResponse) -> [UInt8] {
        guard case .bytes(let body) = response.body else { return [] }
        if response.status == 200 { return event("observation", body) }
        let detail = (try? JSONValue(parsing: body))?["detail"] ?? .null
        let error: JSONObject = ["status": .number(JSONNumber(response.status)), "detail": detail]
        return event("error", error.serialized())
    }

    /// - Parameter json: without line feeds, as our serializer writes it.
    private static func event(_ name: String, _ json: [UInt8]) -> [UInt8] {
        Array("event: \(name)\ndata: ".utf8) + json + Array("\n\n".utf8)
    }

    // MARK: Interrupting

    /// `POST /interrupt` with `{"session": NAME, "force": true}`, both of which may be left out.
    func interrupt(_ body: [UInt8]) async -> HTTPResponse {
        let json = body.isEmpty ? JSONValue.object([:]) : try? JSONValue(parsing: body)
        guard case .object(let members)? = json else {
            return HTTPResponse(detail: "The body must be {\"session\": a name, \"force\": true or false}", status: 422)
        }
        var session: SessionName?
        switch members["session"] {
        case nil, .null: break
        case .string(let text):
            session = SessionName(text)
            if session == nil { return HTTPResponse(detail: SessionName.rule(text), status: 422) }
        default: return HTTPResponse(detail: "\"session\" must be a name", status: 422)
        }
        let isForced: Bool
        switch members["force"] {
        case nil, .null: isForced = false
        case .bool(let value): isForced = value
        default: return HTTPResponse(detail: "\"force\" must be true or false", status: 422)
        }
        let count = await executor.interrupt(session: session, isForced: isForced)
        return HTTPResponse(json: ["interrupted": .number(JSONNumber(count))])
    }
}
