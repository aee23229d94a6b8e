import CZlib

/// Compresses one stream after another as raw deflate (RFC 1951), by the system's zlib.
struct Deflater: ~Copyable {
    /// On the heap, since zlib's own state points back at it.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(ArchiveError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // The quickest level: what is packed here crosses a network once.
        guard czlib_deflate_begin(stream, Z_BEST_SPEED) == Z_OK else {
            throw .system(operation: "start", path: "zlib", code: Z_MEM_ERROR)
        }
    }

    deinit {
        _ = deflateEnd(stream)
        stream.deallocate()
    }

    /// Appends what becomes of the bytes; some of it only when more comes, or the end.
    mutating func compress(_ bytes: UnsafeRawBufferPointer, isLast: Bool, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
            // zlib's type isn't const, but it only reads from there.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: bytes.bindMemory(to: UInt8.self).baseAddress
            )
            stream.pointee.avail_in = UInt32(bytes.count)
            repeat {
                stream.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                _ = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                output.append(contentsOf: buffer[..<(buffer.count - Int(stream.pointee.avail_out))])
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        if isLast { _ = deflateReset(stream) }
    }
}

/// Decompresses one raw deflate stream after another.
struct Inflater: ~Copyable {
    enum State: Equatable {
        /// The stream goes on.
        case more
        /// The stream has ended; that many bytes of the input are behind it.
        case end(left: Int)
        /// The bytes are no deflate stream.
        case invalid
    }

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(ArchiveError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard czlib_inflate_begin(stream) == Z_OK else {
            throw .system(operation: "start", path: "zlib", code: Z_MEM_ERROR)
        }
    }

    deinit {
        _ = inflateEnd(stream)
        stream.deallocate()
    }

    /// Begins with the first bytes of a stream, whatever came before.
    mutating func reset() {
        _ = inflateReset(stream)
    }

    /// Decompresses bytes and gives the result on, a piece at a time, so that no input makes it hold much.
    mutating func decompress(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> State {
        let capacity = 256 << 10
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        defer { (stream.pointee.next_in, stream.pointee.next_out) = (nil, nil) }
        while true {
            stream.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(capacity)
            let result = inflate(stream, Z_NO_FLUSH)
            let count = capacity - Int(stream.pointee.avail_out)
            if count > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            switch result {
            case Z_STREAM_END: return .end(left: Int(stream.pointee.avail_in))
            // Nothing could be done: the input is used up.
            case Z_BUF_ERROR: return .more
            case Z_OK: if stream.pointee.avail_out > 0 { return .more }
            default: return .invalid
            }
        }
    }
}

/// The CRC-32 of zip archives (ISO 3309), continued from that of the bytes before; 0 to begin.
func checksum(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // Without a buffer zlib begins anew.
    guard !bytes.isEmpty else { return checksum }
    return UInt32(
        truncatingIfNeeded: crc32_z(UInt(checksum), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    )
}
