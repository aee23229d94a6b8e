/// Reads the body of a request as it arrives; valid until the request has been answered.
///
/// Nothing is read before it is asked for: a peer that sends faster than the handler reads is held back by the kernel.
struct HTTPBodyReader: Sendable {
    private let connection: HTTPConnection
    /// The request's number on its connection, since a reader that was kept must not read the next one's body.
    private let exchange: Int
    /// How long the request says that its body is.
    private let framing: HTTPRequestHead.BodyFraming

    init(_ connection: HTTPConnection, exchange: Int, framing: HTTPRequestHead.BodyFraming) {
        self.connection = connection
        self.exchange = exchange
        self.framing = framing
    }

    /// The next piece, never empty; nil at the end of the body.
    ///
    /// The first call tells a peer that waits for it to send the body (`Expect: 100-continue`).
    func next() async throws(HTTPBodyError) -> [UInt8]? {
        try await connection.nextBodyPiece(of: exchange)
    }

    /// The whole body, or what is left of it.
    ///
    /// - Throws: ``HTTPBodyError/refused(_:)`` for a body of more than `limit` bytes; at once when its head says so.
    func readAll(limit: Int) async throws(HTTPBodyError) -> [UInt8] {
        if case .length(let length) = framing, length > limit { throw .refused(.bodyTooLarge(limit: limit)) }
        var body: [UInt8] = []
        while let piece = try await next() {
            guard piece.count <= limit - body.count else { throw .refused(.bodyTooLarge(limit: limit)) }
            // Most bodies come in one piece, which is taken as it is.
            if body.isEmpty { body = piece } else { body.append(contentsOf: piece) }
        }
        return body
    }
}
