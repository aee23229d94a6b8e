/// Takes a shell's prompts out of a stream of bytes and tells which they were, wherever the stream is split.
///
/// A prompt says after which command the shell prints it: `\u{2}TOKEN-SEQUENCE\u{3}`.
struct PromptFilter {
    /// A prompt up to its number.
    private let lead: [UInt8]
    /// What the stream ends with, if it may be the beginning of a prompt.
    private var held: [UInt8] = []
    private var found: [Int] = []

    init(token: String) {
        lead = Array("\u{2}\(token)-".utf8)
    }

    /// The sequence numbers of the prompts that came since the last call.
    mutating func takeFound() -> [Int] {
        defer { found.removeAll() }
        return found
    }

    /// Hands on what isn't a prompt.
    ///
    /// Bytes that may be the beginning of one are held back until that is decided.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ pass: (UnsafeRawBufferPointer) -> Void) {
        var index = 0
        while index < bytes.count {
            if held.isEmpty {
                // Most bytes are looked at once, by the C library's speed.
                let first = bytes[index...].firstIndex(of: lead[0]) ?? bytes.count
                if first > index { pass(UnsafeRawBufferPointer(rebasing: bytes[index..<first])) }
                index = first
                if index == bytes.count { return }
            }
            switch step(bytes[index]) {
            case .goesOn:
                held.append(bytes[index])
                index += 1
            case .ends:
                found.append(Int(String(decoding: held[lead.count...], as: UTF8.self)) ?? -1)
                held.removeAll(keepingCapacity: true)
                index += 1
            case .isNone:
                // The byte that makes it none may begin another.
                held.withUnsafeBytes(pass)
                held.removeAll(keepingCapacity: true)
            }
        }
    }

    private enum Step {
        case goesOn, ends, isNone
    }

    private func step(_ byte: UInt8) -> Step {
        if held.count < lead.count { return byte == lead[held.count] ? .goesOn : .isNone }
        let digits = held.count - lead.count
        if byte == 0x03, digits > 0 { return .ends }
        return (0x30...0x39).contains(byte) && digits < 18 ? .goesOn : .isNone
    }
}
