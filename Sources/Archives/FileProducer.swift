#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reads a file a piece at a time, as it is asked for them.
package actor FileProducer {
    private let executor = FileExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let file: Descriptor
    private var left: UInt64

    /// What the system said of the file when it was opened.
    package nonisolated let status: FileStatus

    /// Opens a file or a folder, whose kind ``status`` tells.
    ///
    /// This can block.
    package init(reading path: [UInt8]) throws(ArchiveError) {
        guard !path.contains(0) else { throw .failed(to: "use the path", path, code: EINVAL) }
        let number = open(path.cString, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { throw .failed(to: "open", path) }
        file = Descriptor(number, path: path)
        status = try file.status()
        left = status.size
    }

    /// The next piece; nil at the end, which is where it was when the file was opened.
    package func next() throws(ArchiveError) -> [UInt8]? {
        let piece = try file.read(atMost: Int(min(left, 256 << 10)))
        left -= UInt64(piece.count)
        return piece.isEmpty ? nil : piece
    }
}
