/// The facts that libcurl leaves behind when a transfer is over, and what they mean.
struct TransferOutcome {
    /// Why one of our own callbacks ended the transfer.
    enum Abort: Error {
        case resendNotAllowed
        case invalidHead(ResponseHeadParser.Problem)
        case idle
        case failure(any Error)
    }

    var code: CurlCode
    /// The error buffer, empty if libcurl had nothing to add to the code.
    var detail: String
    /// Whether a line of the response's head has arrived.
    var sawResponse: Bool
    /// Whether the head was complete.
    var sawHead: Bool
    /// How often the request was begun on a connection.
    var attempts: Int
    var connectionWasReused: Bool
    var systemErrorNumber: Int32?
    var abort: Abort?

    func result(for prepared: PreparedRequest) -> Result<Void, any Error> {
        if case .failure(let error) = abort { return .failure(error) }
        if abort == nil && code == .ok && sawHead { return .success(()) }
        let (kind, message) = classify(prepared.request)
        return .failure(
            prepared.error(
                kind,
                message,
                curlCode: abort == nil && code != .ok ? code : nil,
                systemErrorNumber: systemErrorNumber,
                connectionWasReused: connectionWasReused
            )
        )
    }

    private func classify(_ request: HTTPRequest) -> (HTTPError.Kind, String) {
        let words = detail.isEmpty ? "\(code)" : detail
        switch abort {
        case .resendNotAllowed:
            return (
                .connectionLostBeforeResponse,
                "the kept-alive connection died before the response; \(request.method) was not sent again"
            )
        case .invalidHead(.tooLarge(let limit)):
            return (.invalidResponse, "the response's head is larger than \(limit) bytes")
        case .invalidHead(.malformedStatusLine(let line)):
            return (.invalidResponse, "the status line is malformed: \(line)")
        case .idle:
            return (.timedOut(.idle), "no byte moved for \(request.timeouts.idle ?? .zero)")
        case .failure, nil:
            break
        }
        switch code {
        case .ok:
            return (.connectionLostDuringResponse, "the connection closed within the response's head")
        case .couldntResolveHost, .couldntResolveProxy, .couldntConnect:
            return (.couldNotConnect, words)
        case .operationTimedout:
            return (.timedOut(attempts == 0 && !totalIsTighter(request) ? .connect : .total), words)
        case .unsupportedProtocol, .weirdServerReply:
            return (.invalidResponse, words)
        case .urlMalformat:
            return (.invalidRequest, words)
        case _ where code.isTLS && !sawResponse:
            return (.tls, words)
        // With TLS 1.3 a server refuses the client's certificate only after the handshake, with an alert in place of the response.
        case .recvError where !sawResponse && words.contains("SSL routines") && words.contains("alert"):
            return (.tls, words)
        case .gotNothing, .sendError, .recvError, .sendFailRewind, .partialFile, .sslShutdownFailed:
            return (sawResponse ? .connectionLostDuringResponse : .connectionLostBeforeResponse, words)
        default:
            return (.other, words)
        }
    }

    /// Whether the limit on the whole was reached while connecting, since it is the shorter one.
    private func totalIsTighter(_ request: HTTPRequest) -> Bool {
        guard let total = request.timeouts.total else { return false }
        guard let connect = request.timeouts.connect else { return true }
        return total < connect
    }
}
