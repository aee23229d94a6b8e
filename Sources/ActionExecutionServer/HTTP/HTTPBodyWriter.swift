/// Writes the body of a streamed response; valid until the closure that it was given to returns.
struct HTTPBodyWriter: Sendable {
    private let stream: HTTPResponseStream

    init(_ stream: HTTPResponseStream) {
        self.stream = stream
    }

    /// Suspends until the kernel has taken the bytes, which it does as fast as the peer reads.
    ///
    /// Several tasks may write at once: each call's bytes stay together, in the order of the calls.
    ///
    /// - Throws: ``HTTPBodyError/connectionLost`` and ``HTTPBodyError/timedOut`` when the peer is gone or doesn't read,
    ///   ``HTTPBodyError/cancelled``. The response is broken off then, and each further call throws.
    func write(_ bytes: [UInt8]) async throws(HTTPBodyError) {
        try await stream.write(bytes)
    }
}
