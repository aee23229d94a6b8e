import CurlHTTP

/// Decides whether and when a request is sent again whose connection broke: after ever longer pauses, for a limited time.
struct Reconnection {
    /// For how long a server is looked for.
    private static let limit = Duration.seconds(10)
    private static let shortestPause = Duration.milliseconds(5)
    private static let longestPause = Duration.seconds(1)

    private var pause = shortestPause
    private var end: ContinuousClock.Instant?

    /// How long to wait before the request is sent again.
    ///
    /// - Parameter began: when it was sent.
    /// - Throws: ``RuntimeError`` when it isn't sent again, or `CancellationError`.
    mutating func pause(
        after error: HTTPError,
        of request: HTTPRequest,
        began: ContinuousClock.Instant
    ) throws -> Duration {
        switch error.kind {
        case .couldNotConnect, .timedOut(.connect):
            break
        case .connectionLostBeforeResponse, .connectionLostDuringResponse:
            // The server was there while the connection held, so the time to find it again begins now.
            if .now - began > .seconds(1) { self = Reconnection() }
        case .timedOut:
            throw RuntimeError.noResponse(seconds: request.timeouts.total.map { $0 / .seconds(1) } ?? 0)
        case .shutDown:
            throw CancellationError()
        default:
            throw RuntimeError.unexpectedResponse(detail: "\(error)")
        }
        let end = end ?? .now + Self.limit
        guard .now < end else { throw RuntimeError.disconnected(reason: "\(error)") }
        self.end = end
        defer { pause = min(pause * 2, Self.longestPause) }
        return pause
    }
}
