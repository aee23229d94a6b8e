internal import CurlHTTP

/// The output of a container or of a program in it, as it comes.
///
/// For one reader. Letting go of the sequence, or cancelling the reading task, ends it; the container isn't affected.
public struct LogFrames: AsyncSequence, Sendable {
    /// What is read.
    public typealias Element = LogFrame
    /// A ``DockerEngineError``, or a `CancellationError`.
    public typealias Failure = any Error

    let body: AnswerBody
    let call: String
    /// Whether the stream has no frames, as that of a terminal.
    let isRaw: Bool

    /// Reads the pieces that haven't been read yet.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// Set until the answer has begun.
        private var body: AnswerBody?
        private var chunks: HTTPResponse.Body.AsyncIterator?
        private var demultiplexer: LogDemultiplexer?
        private var frames: ArraySlice<LogFrame> = []
        private let call: String

        fileprivate init(_ frames: LogFrames) {
            body = frames.body
            demultiplexer = frames.isRaw ? nil : LogDemultiplexer()
            call = frames.call
        }

        /// The next piece; `nil` at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> LogFrame? {
            do {
                if let body {
                    chunks = try await body.value().makeAsyncIterator()
                    self.body = nil
                }
                while true {
                    if let frame = frames.popFirst() { return frame }
                    guard let chunk = try await chunks?.next(isolation: actor) else {
                        try demultiplexer?.finish()
                        return nil
                    }
                    frames = try demultiplexer?.receive(chunk)[...] ?? [LogFrame(source: .stdout, bytes: chunk)]
                }
            } catch let error as HTTPError {
                throw DockerEngineError.transport(call: call, underlying: error)
            } catch let problem as LogDemultiplexer.Problem {
                switch problem {
                case .engine(let message):
                    throw DockerEngineError.operationFailed(message: message, call: call)
                case .malformedHeader(let bytes):
                    throw DockerEngineError.decoding(call: call, body: "\(bytes)", reason: "not a frame's header")
                case .truncated:
                    throw DockerEngineError.decoding(call: call, body: "", reason: "the stream ended within a frame")
                }
            }
        }
    }

    /// Starts or continues reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }

    /// Reads to the end and returns both outputs.
    ///
    /// - Parameter limit: the greatest number of bytes to keep of both together; what comes after is read and dropped.
    public func collect(upTo limit: Int) async throws -> (stdout: [UInt8], stderr: [UInt8]) {
        var (stdout, stderr): ([UInt8], [UInt8]) = ([], [])
        for try await frame in self {
            let kept = frame.bytes.prefix(limit - stdout.count - stderr.count)
            if frame.source == .stderr { stderr += kept } else { stdout += kept }
        }
        return (stdout, stderr)
    }
}
