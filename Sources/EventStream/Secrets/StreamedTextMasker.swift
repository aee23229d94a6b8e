import Synchronization

/// Puts the placeholder in place of secrets in text that arrives in pieces, such as the output of a command while it runs.
///
/// What it returns, put together, is what masking the whole text at once gives, wherever the pieces begin and end. A piece comes out at once but
/// for an end of it that may be the beginning of a secret.
///
/// ```swift
/// var masker = stream.streamedTextMasker()
/// for try await piece in output { print(masker.mask(piece), terminator: "") }
/// print(masker.finish())
/// ```
public struct StreamedTextMasker: Sendable {
    private let stream: EventStream
    /// Of which isn't known yet whether it is a secret.
    private var pending: [UInt8] = []

    init(stream: EventStream) {
        self.stream = stream
    }

    /// Takes the next piece and returns what can be shown.
    ///
    /// Secrets that were registered meanwhile are masked from here on.
    public mutating func mask(_ piece: String) -> String {
        pending.append(contentsOf: piece.utf8)
        return take(isEnd: false)
    }

    /// Returns the rest of the text; a text that begins after that has nothing to do with the one before.
    public mutating func finish() -> String {
        take(isEnd: true)
    }

    private mutating func take(isEnd: Bool) -> String {
        var result: [UInt8] = []
        var end = pending.count
        if let masker = stream.currentMasker {
            pending.withUnsafeBufferPointer { bytes in
                let (kept, position) = masker.mask(bytes, isEnd: isEnd, into: &result)
                result.append(contentsOf: bytes[kept..<position])
                end = position
            }
        } else {
            result = pending
        }
        pending.removeFirst(end)
        return String(decoding: result, as: UTF8.self)
    }
}

extension EventStream {
    /// A masker for a text that arrives in pieces and isn't part of an event yet; see ``setSecrets(_:)``.
    public func streamedTextMasker() -> StreamedTextMasker {
        StreamedTextMasker(stream: self)
    }
}
