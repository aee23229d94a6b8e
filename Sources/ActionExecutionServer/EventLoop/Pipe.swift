import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A pipe whose ends don't block and aren't inherited; closed when it is let go.
final class Pipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        _ = close(readEnd)
        _ = close(writeEnd)
    }

    /// Makes the read end ready.
    ///
    /// A full pipe is ready already.
    func signal() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Takes everything out, so that the read end is no longer ready.
    ///
    /// - Returns: how many bytes that were.
    @discardableResult
    func drain() -> Int {
        withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            var total = 0
            while true {
                let count = read(readEnd, buffer.baseAddress, buffer.count)
                total += max(0, count)
                if count < buffer.count { return total }
            }
        }
    }
}
