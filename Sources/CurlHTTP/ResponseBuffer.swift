/// What has been received of a response and not been read yet, and how the response ended.
///
/// A value without I/O.
///
/// One side is the transfer: `receiveHead`, `receive`, `finish`. The other is the reader: `takeHead`, `takeChunk`.
/// A reader that finds nothing waits until the transfer side reports that something is `isReadable`.
struct ResponseBuffer {
    enum Taken<Value> {
        /// Here it is.
        case value(Value)
        /// Here it is, and the transfer, which had been held back, may go on.
        case valueAndResume(Value)
        /// Nothing yet.
        case wait
    }

    private let capacity: Int
    private var head: HTTPResponseHead?
    private var bytes: [UInt8] = []
    /// How the transfer ended; `nil` while it runs.
    private var ending: Result<Void, any Error>?
    /// The transfer was told to wait, and hasn't been told to go on.
    private var isHeldBack = false

    init(capacity: Int) {
        self.capacity = capacity
    }

    var hasEnded: Bool { ending != nil }

    mutating func receiveHead(_ head: HTTPResponseHead) {
        guard ending == nil else { return }
        self.head = head
    }

    /// Takes bytes of the body; `false` says that there is no room now and that they must be offered again.
    mutating func receive(_ chunk: UnsafeRawBufferPointer) -> Bool {
        // A reader that gave up no longer needs the bytes; the transfer is about to be removed.
        guard ending == nil else { return true }
        guard bytes.count < capacity else {
            isHeldBack = true
            return false
        }
        bytes.append(contentsOf: chunk)
        return true
    }

    /// The transfer is over.
    ///
    /// Only the first ending counts.
    mutating func finish(_ result: Result<Void, any Error>) {
        guard ending == nil else { return }
        ending = result
    }

    /// Drops what waits, so that the reader gets the error instead of it, even if the transfer was complete.
    mutating func discard(_ error: any Error) {
        head = nil
        bytes = []
        ending = .failure(error)
    }

    mutating func takeHead() -> Taken<Result<HTTPResponseHead, any Error>> {
        if let head { return .value(.success(head)) }
        switch ending {
        case nil: return .wait
        case .failure(let error): return .value(.failure(error))
        // The transfer side turns an ending without a head into an error before it gets here.
        case .success: return .value(.failure(CancellationError()))
        }
    }

    /// The bytes that wait, all of them; `nil` at the end; the error once.
    mutating func takeChunk() -> Taken<Result<[UInt8]?, any Error>> {
        if !bytes.isEmpty {
            var taken: [UInt8] = []
            swap(&taken, &bytes)
            guard isHeldBack, ending == nil else { return .value(.success(taken)) }
            isHeldBack = false
            return .valueAndResume(.success(taken))
        }
        switch ending {
        case nil: return .wait
        case .success: return .value(.success(nil))
        case .failure(let error):
            ending = .success(())
            return .value(.failure(error))
        }
    }
}
