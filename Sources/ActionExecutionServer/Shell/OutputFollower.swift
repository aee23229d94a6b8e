import EventStream

/// Finds out what is new for somebody who follows the output of a command, in bounded memory.
struct OutputFollower {
    /// Bytes of text that wait to be taken; what is beyond is left out.
    private static let pendingLimit = 1 << 20

    /// Bytes of the screen's text that were told.
    private var textCount = 0
    /// Told scalars of text that has left the screen since.
    private var settledScalarCount = 0
    /// All scalars that were told and not removed.
    private var toldScalarCount = 0
    /// What was told behind the text.
    private var tail = ""
    /// What was found and not taken yet.
    private var pending = OutputUpdate()

    /// Compares what the screen shows with what was told.
    ///
    /// - Parameter isEnd: whether a character that has begun at the end will not be completed.
    mutating func look(at screen: inout TerminalScreen, isEnd: Bool) {
        let base = min(screen.unchangedCount, textCount)
        let tailBytes = screen.tail(isEnd: isEnd)
        let text = screen.text
        let incompleteCount = isEnd || !tailBytes.isEmpty ? 0 : text[base...].incompleteSuffixCount
        let end = text.count - incompleteCount
        let newTail = String(decoding: tailBytes, as: UTF8.self)
        let added = String(decoding: text[base..<end], as: UTF8.self) + newTail
        let update: OutputUpdate
        if base == textCount {
            update = OutputUpdate(from: tail, to: added)
        } else {
            let unchanged = String(decoding: text[..<base], as: UTF8.self).scalarCount
            update = OutputUpdate(removedCount: toldScalarCount - settledScalarCount - unchanged, text: added)
        }
        toldScalarCount += update.text.scalarCount - update.removedCount
        textCount = end
        tail = newTail
        screen.markUnchanged()
        pending.append(update)
        if pending.text.utf8.count > Self.pendingLimit { pending.leaveOut() }
    }

    /// Takes notice of text that has left the screen from its beginning after ``look(at:isEnd:)``.
    mutating func textHasLeft(_ settled: String, byteCount: Int) {
        textCount -= byteCount
        settledScalarCount += settled.scalarCount
    }

    /// What has changed since the last call; nil when nothing has.
    mutating func take() -> OutputUpdate? {
        guard !pending.isEmpty else { return nil }
        defer { pending = OutputUpdate() }
        return pending
    }
}

extension ArraySlice<UInt8> {
    /// Bytes at the end that begin a character of UTF-8 and don't complete it.
    var incompleteSuffixCount: Int {
        for (count, byte) in zip(1..., suffix(3).reversed()) where byte & 0xc0 != 0x80 {
            let length =
                switch byte {
                case 0xc2...0xdf: 2
                case 0xe0...0xef: 3
                case 0xf0...0xf4: 4
                default: 1
                }
            return length > count ? count : 0
        }
        return 0
    }
}
