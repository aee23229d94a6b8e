/// The status and the fields of a response.
public struct HTTPResponseHead: Sendable, Hashable {
    /// The status code, 200 to 599; interim ones (1xx) are not shown.
    public var status: Int
    /// The fields, in order, duplicates kept; trailers are not among them.
    public var headers: HTTPHeaders
    /// How often the request was sent: 1, or more after a re-send (see ``HTTPRequest/ResendPolicy``).
    public var attempts: Int

    /// Creates a head.
    public init(status: Int, headers: HTTPHeaders = [:], attempts: Int = 1) {
        self.status = status
        self.headers = headers
        self.attempts = attempts
    }

    /// The length that the server announced, if it did.
    public var contentLength: Int? { headers["Content-Length"].flatMap { Int($0) } }
}

/// A response whose head has arrived and whose body streams.
///
/// Letting go of the response and its body ends the transfer.
public struct HTTPResponse: Sendable {
    /// Status and fields.
    public let head: HTTPResponseHead
    /// The body, to be read once.
    public let body: Body

    /// The status code.
    public var status: Int { head.status }
    /// The fields, in order, duplicates kept.
    public var headers: HTTPHeaders { head.headers }
    /// How often the request was sent.
    public var attempts: Int { head.attempts }
}

extension HTTPResponse {
    /// The body of a response: chunks of bytes as they arrive, for one reader.
    ///
    /// The server is held back while more than ``HTTPClientConfiguration/responseBufferSize`` bytes wait for the reader.
    /// Iteration throws an ``HTTPError`` when the transfer fails, after the bytes that came before, and a `CancellationError`
    /// when the reading task is cancelled, which ends the transfer.
    public struct Body: AsyncSequence, Sendable {
        /// A run of bytes, never empty; its boundaries mean nothing.
        public typealias Element = [UInt8]
        /// An ``HTTPError``, a `CancellationError`, or what the source of the request body threw.
        public typealias Failure = any Error

        private let reader: BodyReader
        private let announcedLength: Int?

        init(transfer: Transfer, head: HTTPResponseHead, client: HTTPClient) {
            reader = BodyReader(transfer: transfer, client: client)
            announcedLength = head.contentLength
        }

        /// Reads the chunks that haven't been read yet.
        public struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let reader: BodyReader

            /// The next chunk; `nil` at the end.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
                try await reader.transfer.nextChunk(isolation: actor)
            }
        }

        /// Starts or continues reading.
        ///
        /// Two readers at the same time are an error, thrown to the second.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(reader: reader)
        }

        /// Reads to the end and returns it all.
        ///
        /// - Parameter limit: the greatest number of bytes to accept.
        /// - Throws: ``HTTPError`` of kind `bodyTooLarge` as soon as it is clear that there are more, which ends the transfer;
        ///   otherwise as iteration does.
        public func collect(upTo limit: Int) async throws -> [UInt8] {
            if let announcedLength, announcedLength > limit, !reader.transfer.request.isHead {
                throw reader.transfer.abort(reading: "the server announced \(announcedLength)", limit: limit)
            }
            var all: [UInt8] = []
            for try await chunk in self {
                guard all.count + chunk.count <= limit else {
                    throw reader.transfer.abort(
                        reading: "\(all.count + chunk.count) came, and maybe more",
                        limit: limit
                    )
                }
                // Most bodies come in one chunk, which then isn't copied.
                if all.isEmpty { all = chunk } else { all += chunk }
            }
            return all
        }
    }
}

/// Ends the transfer when the last reference to a response's body goes.
private final class BodyReader: Sendable {
    let transfer: Transfer
    /// Kept alive while its response is read.
    private let client: HTTPClient

    init(transfer: Transfer, client: HTTPClient) {
        self.transfer = transfer
        self.client = client
    }

    deinit {
        transfer.abandon()
    }
}
