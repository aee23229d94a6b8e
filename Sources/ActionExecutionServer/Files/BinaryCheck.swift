/// Whether a file is text, as the package `binaryornot` judges it for the reference (`binaryornot/helpers.py`).
enum BinaryCheck {
    /// How much of a file is looked at.
    static let sampleSize = 1024

    /// Whether a file with this beginning isn't text.
    static func isBinary(_ path: SystemPath, beginning: some Collection<UInt8>) -> Bool {
        if path.bytes.suffix(4).elementsEqual(".pyc".utf8) { return true }
        let sample = beginning.prefix(sampleSize)
        if sample.isEmpty { return false }
        // UTF-16 with a mark is text, though full of zeros and with a byte that no other text has.
        if case .utf16? = TextEncoding.marked(sample) { return false }
        if sample.contains(0) || sample.contains(0xFF) { return true }
        func isPrintable(_ byte: UInt8) -> Bool {
            byte >= 0x20 && byte < 0x7F || byte >= 0x08 && byte <= 0x0D && byte != 0x0B
        }
        let unprintable = sample.count { !isPrintable($0) }
        let low = sample.count { $0 < 0x7F }
        return unprintable * 5 > sample.count * 4 && low * 5 > sample.count * 4
    }
}
