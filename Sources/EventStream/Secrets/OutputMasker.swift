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
    /// Bytes of the output's end that can be changed by what comes: no command changes what is further up.
    private static let windowLimit = 1 << 20

    private let stream: EventStream
    /// The end of the output as it is.
    private var real = ""
    /// What of it was shown, with placeholders.
    private var shown = ""

    init(stream: EventStream) {
        self.stream = stream
    }

    /// Takes the next update and returns what can be shown.
    ///
    /// Secrets that were registered meanwhile are masked from here on.
    public mutating func mask(_ update: OutputUpdate) -> OutputUpdate {
        guard update.omittedCount > 0 else { return change(update, isEnd: false) }
        var result = change(OutputUpdate(removedCount: update.removedCount), isEnd: true)
        (real, shown) = ("", "")
        result.append(OutputUpdate(omittedCount: update.omittedCount))
        result.append(change(OutputUpdate(text: update.text), isEnd: false))
        return result
    }

    /// Returns what was held back; an output that begins after that has nothing to do with the one before.
    public mutating func finish() -> OutputUpdate {
        defer { (real, shown) = ("", "") }
        return change(OutputUpdate(), isEnd: true)
    }

    private mutating func change(_ update: OutputUpdate, isEnd: Bool) -> OutputUpdate {
        let masker = stream.currentMasker
        if masker == nil, real.isEmpty { return update }
        // What was shown before there were secrets.
        let removedBefore = update.removedCount - real.removeLastScalars(update.removedCount)
        real += update.text
        let masked = masker.map { $0.decided(real, isEnd: isEnd).masked } ?? real
        var result = OutputUpdate(from: shown, to: masked)
        result.removedCount += removedBefore
        shown = masked
        if real.utf8.count > 2 * Self.windowLimit { dropBeginning(masker) }
        return result
    }

    /// Gives up the beginning of the window, up to where no secret is cut in two.
    private mutating func dropBeginning(_ masker: SecretMasker?) {
        let beginning = String(decoding: real.utf8.dropLast(Self.windowLimit), as: UTF8.self)
        guard let decided = masker?.decided(beginning, isEnd: false) else { return (real, shown) = ("", "") }
        real.removeFirst(utf8: decided.byteCount)
        shown.removeFirst(utf8: decided.masked.utf8.count)
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
    fileprivate mutating func removeFirst(utf8 count: Int) {
        self = String(decoding: utf8.dropFirst(count), as: UTF8.self)
    }
}

extension EventStream {
    /// A masker for the output of a command that runs, which isn't part of an event yet; see ``setSecrets(_:)``.
    public func outputMasker() -> OutputMasker {
        OutputMasker(stream: self)
    }
}
