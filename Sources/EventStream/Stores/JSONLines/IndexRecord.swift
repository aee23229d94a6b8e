internal import CPlatform

/// What the index has for one event: where its line is, its checksum, and what filters ask most.
///
/// 32 bytes, little-endian: offset (8), length with the line end (4), CRC-32C of the line with its end (4), time (8), type, source and flags
/// (1 each), zero (1), CRC-32C of the bytes before, begun with the event's id (4).
struct IndexRecord: Sendable, Hashable {
    static let size = 32

    /// Facts that take a bit.
    struct Flags: OptionSet, Sendable, Hashable {
        let rawValue: UInt8
        /// The event is kept from the agent's history.
        static let hidden = Flags(rawValue: 1)
        /// The time isn't a local one, so that comparing takes more than the record.
        static let foreignTime = Flags(rawValue: 2)
    }

    var offset: Int
    var length: Int
    var checksum: UInt32
    var wallMicroseconds: Int64
    var type: UInt8
    var source: UInt8
    var flags: Flags

    var end: Int { offset + length }

    init(_ event: borrowing Event, isHidden: Bool, offset: Int, line: UnsafeRawBufferPointer) {
        self.offset = offset
        length = line.count
        checksum = Checksum.of(line)
        wallMicroseconds = event.timestamp.wallMicroseconds
        type = event.payload.code
        source = event.source.code
        flags = []
        if isHidden { flags.insert(.hidden) }
        if event.timestamp.zone != .local { flags.insert(.foreignTime) }
    }

    /// Reads a record; `nil` when it isn't what was written for that id.
    @inline(__always)
    init?(_ bytes: UnsafeRawPointer, id: Int) {
        guard bytes.loadUnaligned(fromByteOffset: 28, as: UInt32.self).littleEndian == Self.check(bytes, id: id) else {
            return nil
        }
        offset = Int(truncatingIfNeeded: bytes.loadUnaligned(as: Int64.self).littleEndian)
        length = Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian)
        checksum = bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self).littleEndian
        wallMicroseconds = bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self).littleEndian
        type = bytes.load(fromByteOffset: 24, as: UInt8.self)
        source = bytes.load(fromByteOffset: 25, as: UInt8.self)
        flags = Flags(rawValue: bytes.load(fromByteOffset: 26, as: UInt8.self))
    }

    func append(to writer: inout ByteWriter, id: Int) {
        writer.append(byteCount: Self.size) { bytes in
            bytes.storeBytes(of: Int64(offset).littleEndian, as: Int64.self)
            bytes.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 8, as: UInt32.self)
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: 12, as: UInt32.self)
            bytes.storeBytes(of: wallMicroseconds.littleEndian, toByteOffset: 16, as: Int64.self)
            bytes.storeBytes(of: type, toByteOffset: 24, as: UInt8.self)
            bytes.storeBytes(of: source, toByteOffset: 25, as: UInt8.self)
            bytes.storeBytes(of: flags.rawValue, toByteOffset: 26, as: UInt8.self)
            bytes.storeBytes(of: 0, toByteOffset: 27, as: UInt8.self)
            bytes.storeBytes(of: Self.check(bytes, id: id).littleEndian, toByteOffset: 28, as: UInt32.self)
        }
    }

    @inline(__always)
    private static func check(_ bytes: UnsafeRawPointer, id: Int) -> UInt32 {
        cplatform_crc32c(UInt32(truncatingIfNeeded: id), bytes, 28)
    }
}

/// What an index begins with, as long as a record: a magic word with the version (8), the first id (8), zeros (12), CRC-32C (4).
enum IndexHeader {
    private static let magic: StaticString = "EVTINDX1"

    static func bytes(firstID: Int) -> [UInt8] {
        var bytes = Array(UnsafeBufferPointer(start: magic.utf8Start, count: magic.utf8CodeUnitCount))
        withUnsafeBytes(of: Int64(firstID).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: repeatElement(0, count: 12))
        let checksum = bytes.withUnsafeBytes { Checksum.of($0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }
}

/// CRC-32C, which finds every single flipped bit and every burst of up to 32.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        cplatform_crc32c(0, bytes.baseAddress, bytes.count)
    }
}
