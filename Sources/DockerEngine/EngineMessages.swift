internal import CurlHTTP

/// The messages of a call that goes on: a pull, a build, events.
///
/// For one reader. Letting go of the sequence, or cancelling the reading task, ends the call; a pull or a build then stops.
public struct EngineMessages<Message: Sendable>: AsyncSequence, Sendable {
    /// What is read.
    public typealias Element = Message
    /// A ``DockerEngineError``, or a `CancellationError`.
    public typealias Failure = any Error

    let body: HTTPResponse.Body
    let call: String
    let maximumMessageSize: Int
    let read: @Sendable ([UInt8]) throws(DockerEngineError) -> Message

    /// Reads the messages that haven't been read yet.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var chunks: HTTPResponse.Body.AsyncIterator
        private var splitter: LineSplitter
        private var lines: ArraySlice<[UInt8]> = []
        private var isAtEnd = false
        private let call: String
        private let read: @Sendable ([UInt8]) throws(DockerEngineError) -> Message

        fileprivate init(_ messages: EngineMessages) {
            chunks = messages.body.makeAsyncIterator()
            splitter = LineSplitter(maximumLineLength: messages.maximumMessageSize)
            call = messages.call
            read = messages.read
        }

        /// The next message; `nil` when the engine has ended the stream.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Message? {
            while true {
                while let line = lines.popFirst() {
                    if !line.isEmpty { return try read(line) }
                }
                guard !isAtEnd else { return nil }
                do {
                    if let chunk = try await chunks.next(isolation: actor) {
                        lines = try splitter.receive(chunk)[...]
                    } else {
                        isAtEnd = true
                        lines = splitter.finish().map { [$0] } ?? []
                    }
                } catch let error as HTTPError {
                    throw DockerEngineError.transport(call: call, underlying: error)
                } catch let error as LineSplitter.LineTooLong {
                    throw DockerEngineError.decoding(call: call, body: "", reason: "\(error)")
                }
            }
        }
    }

    /// Starts or continues reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}
