import Foundation

/// Standard output, written in large pieces, or line by line to a terminal.
///
/// For use by one task.
final class Output {
    /// Nobody reads any more.
    struct Closed: Error {}

    /// What is written can't be.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let capacity = 1 << 16

    /// Whether a person sees it at once.
    let isTerminal = isatty(STDOUT_FILENO) == 1
    private var buffer: [UInt8] = []

    func write(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        try flushIfNeeded()
    }

    func write(line: [UInt8]) throws {
        buffer.append(contentsOf: line)
        buffer.append(UInt8(ascii: "\n"))
        try flushIfNeeded()
    }

    private func flushIfNeeded() throws {
        if isTerminal || buffer.count >= Self.capacity { try flush() }
    }

    /// Writes what was kept back.
    ///
    /// - Throws: ``Closed`` when nobody reads any more and SIGPIPE is ignored, ``Failure`` when the system refuses.
    func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        try buffer.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress
                let count = Foundation.write(STDOUT_FILENO, start, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    if errno == EPIPE { throw Closed() }
                    throw Failure(description: "can't write to standard output: \(String(cString: strerror(errno)))")
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Writes a line to standard error.
    static func complain(_ text: String) {
        // Where that fails, there is nobody left to tell.
        try? FileHandle.standardError.write(contentsOf: Data("Demo: \(text)\n".utf8))
    }
}
