/// What a kernel says on its channel.
enum KernelMessage: Equatable, Sendable {
    /// The interpreter runs and waits for cells; the path is `sys.executable`.
    case ready(interpreter: String)
    /// The cell showed an image, as a data URL.
    case image(url: String)
    /// The cell is done, and the interpreter is in this directory; empty when that is gone.
    case done(directory: String)
}

/// Finds messages in a channel's bytes: a word, a space, a length and a line feed, then so many bytes.
struct KernelMessageParser {
    /// The bytes aren't what a kernel sends.
    ///
    /// A cell can write to any descriptor of its process.
    struct Malformed: Error {}

    /// Bytes of a payload that are taken at the most; the kernel itself leaves out what is larger than its own limit.
    private static let limit = 64 << 20
    private static let headerLimit = 64

    private var buffer: [UInt8] = []

    init() {}

    /// The messages that are complete with these bytes.
    mutating func consume(_ bytes: some Sequence<UInt8>) throws(Malformed) -> [KernelMessage] {
        buffer.append(contentsOf: bytes)
        var messages: [KernelMessage] = []
        var start = 0
        while let feed = buffer[start...].prefix(Self.headerLimit).firstIndex(of: 0x0a) {
            let header = String(decoding: buffer[start..<feed], as: UTF8.self).split(separator: " ")
            guard header.count == 2, let length = Int(header[1]), (0...Self.limit).contains(length) else {
                throw Malformed()
            }
            guard buffer.count - feed - 1 >= length else { break }
            start = feed + 1 + length
            let payload = String(decoding: buffer[(feed + 1)..<start], as: UTF8.self)
            switch header[0] {
            case "ready": messages.append(.ready(interpreter: payload))
            case "image": messages.append(.image(url: payload))
            case "done": messages.append(.done(directory: payload))
            default: throw Malformed()
            }
        }
        buffer.removeSubrange(..<start)
        if buffer.count >= Self.headerLimit, !buffer.prefix(Self.headerLimit).contains(0x0a) { throw Malformed() }
        return messages
    }
}
