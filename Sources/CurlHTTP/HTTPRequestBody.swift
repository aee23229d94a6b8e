extension HTTPRequest {
    /// The body of a request: nothing, bytes in memory, or a stream that is pulled as the server reads.
    public struct Body: Sendable {
        /// A source of chunks: calls its argument with each until that says stop, and returns at the end.
        typealias Source = @Sendable (_ offer: @Sendable ([UInt8]) async throws -> Void) async throws -> Void

        enum Content: Sendable {
            case none
            case bytes([UInt8])
            case stream(Source, length: Int?)
        }

        let content: Content

        /// No body.
        ///
        /// Methods that usually have one (POST, PUT, PATCH) send `Content-Length: 0`.
        public static let none = Body(content: .none)

        /// A body in memory.
        public static func bytes(_ bytes: [UInt8]) -> Body {
            Body(content: .bytes(bytes))
        }

        /// A body in memory: the text in UTF-8.
        public static func text(_ text: String) -> Body {
            Body(content: .bytes(Array(text.utf8)))
        }

        /// A body that is pulled from a sequence while it is sent.
        ///
        /// The sequence is iterated in a task that the exchange owns: it starts with the exchange and is cancelled when that ends.
        /// It runs ahead of the server by at most the client's ``HTTPClientConfiguration/requestBufferSize`` and one chunk.
        /// An error that it throws ends the exchange and is rethrown to the caller. Such a body can't be sent twice.
        ///
        /// - Parameter length: the number of bytes, announced as `Content-Length` and enforced; chunked coding when `nil`.
        public static func stream<Chunks>(_ chunks: Chunks, length: Int? = nil) -> Body
        where Chunks: AsyncSequence & Sendable, Chunks.Element == [UInt8] {
            let source: Source = { offer in
                for try await chunk in chunks { try await offer(chunk) }
            }
            return Body(content: .stream(source, length: length))
        }
    }
}
