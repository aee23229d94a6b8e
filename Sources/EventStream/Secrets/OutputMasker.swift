/// Puts the placeholder in place of secrets in the output of a command while it runs.
///
/// The updates that it returns, put together, give what masking the whole output at once gives, wherever the updates that it
/// takes begin and end. An update comes out at once but for an end of it that may be the beginning of a secret.
///
/// ```swift
/// var masker = stream.outputMasker()
/// for await update in updates { masker.mask(update).apply(to: &shown) }
/// masker.finish().apply(to: &shown)
/// ```
public struct OutputMasker: Sendable {
    /// A part of the output as it is, and as it was shown.
    private struct Piece {
        var real = ""
        var shown = ""
    }

    /// Bytes of the end that are looked at anew with each update, at least; up to twice as many.
    private static let liveSize = 1 << 16
    /// Pieces before that which can still be changed: no command changes what is further up.
    private static let settledLimit = 16

    private let stream: EventStream
    /// What is before the live end, cut where no secret is cut in two.
    private var settled: [Piece] = []
    private var live = Piece()

    init(stream: EventStream) {
        self.stream = stream
    }

    /// Takes the next update and returns what can be shown.
    ///
    /// Secrets that were registered meanwhile are masked from here on.
    public mutating func mask(_ update: OutputUpdate) -> OutputUpdate {
        guard update.omittedCount > 0 else { return change(update, isEnd: false) }
        var result = change(OutputUpdate(removedCount: update.removedCount), isEnd: true)
        forget()
        result.append(OutputUpdate(omittedCount: update.omittedCount))
        result.append(change(OutputUpdate(text: update.text), isEnd: false))
        return result
    }

    /// Returns what was held back; an output that begins after that has nothing to do with the one before.
    public mutating func finish() -> OutputUpdate {
        defer { forget() }
        return change(OutputUpdate(), isEnd: true)
    }

    private mutating func forget() {
        (settled, live) = ([], Piece())
    }

    private mutating func change(_ update: OutputUpdate, isEnd: Bool) -> OutputUpdate {
        let masker = stream.currentMasker
        if masker == nil, live.real.isEmpty { return update }
        while update.removedCount > live.real.scalarCount, let piece = settled.popLast() {
            live = Piece(real: piece.real + live.real, shown: piece.shown + live.shown)
        }
        // What was shown before there were secrets.
        let removedBefore = update.removedCount - live.real.removeLastScalars(update.removedCount)
        live.real += update.text
        let masked = masker.map { $0.decided(live.real, isEnd: isEnd).masked } ?? live.real
        var result = OutputUpdate(from: live.shown, to: masked)
        result.removedCount += removedBefore
        live.shown = masked
        if live.real.utf8.count > 2 * Self.liveSize { settle(masker) }
        return result
    }

    /// Takes the beginning away from the live end, up to where no secret is cut in two.
    private mutating func settle(_ masker: SecretMasker?) {
        var end = live.real.utf8.index(live.real.endIndex, offsetBy: -Self.liveSize)
        while live.real.utf8[end] & 0xc0 == 0x80 { end = live.real.utf8.index(before: end) }
        let beginning = String(live.real[..<end])
        let decided = masker?.decided(beginning, isEnd: false) ?? (beginning, beginning.utf8.count)
        settled.append(Piece(real: live.real.removeFirst(utf8: decided.byteCount), shown: decided.masked))
        live.shown.removeFirst(utf8: decided.masked.utf8.count)
        if settled.count > Self.settledLimit { settled.removeFirst() }
    }
}

extension SecretMasker {
    /// The masked form of a text as far as it can be told, and how many bytes of the text it stands for.
    fileprivate func decided(_ text: String, isEnd: Bool) -> (masked: String, byteCount: Int) {
        var text = text
        return text.withUTF8 { bytes in
            var result: [UInt8] = []
            let (kept, position) = mask(bytes, isEnd: isEnd, into: &result)
            result.append(contentsOf: bytes[kept..<position])
            return (String(decoding: result, as: UTF8.self), position)
        }
    }
}

extension String {
    /// Removes bytes from the beginning, and returns them.
    @discardableResult
    fileprivate mutating func removeFirst(utf8 count: Int) -> String {
        let removed = String(decoding: utf8.prefix(count), as: UTF8.self)
        self = String(decoding: utf8.dropFirst(count), as: UTF8.self)
        return removed
    }
}

extension EventStream {
    /// A masker for the output of a command that runs, which isn't part of an event yet; see ``setSecrets(_:)``.
    public func outputMasker() -> OutputMasker {
        OutputMasker(stream: self)
    }
}
