/// Why a body can't be read or written to its end.
enum HTTPBodyError: Error, Equatable {
    /// What came of the body breaks the grammar, or is more than may be.
    case refused(HTTPParseError)
    /// The peer closed the connection or broke it.
    case connectionLost
    /// The peer kept the server waiting for too long.
    case timedOut
    /// The reading or writing task was cancelled.
    case cancelled
    /// The request that the body belongs to has been answered.
    case exchangeEnded

    /// What the peer is told if it is still there and listens; nil when it isn't.
    var response: HTTPResponse? {
        switch self {
        case .refused(let error): HTTPResponse(detail: error.detail, status: error.status)
        case .timedOut: HTTPResponse(detail: "The request took too long to arrive", status: 408)
        case .cancelled: HTTPResponse(detail: "The server is shutting down", status: 503)
        case .connectionLost, .exchangeEnded: nil
        }
    }
}
