@testable import Archives

/// A zip archive made byte by byte, so that every field of it can lie.
struct HandMadeArchive {
    /// An entry whose fields are right until they are changed.
    struct Entry {
        var name: [UInt8]
        var content: [UInt8]
        /// As it lies in the archive; the content itself unless it is compressed.
        var packed: [UInt8]
        var localName: [UInt8]
        var madeBy: UInt16 = 3 << 8 | 20
        var flags: UInt16 = 0
        var localFlags: UInt16?
        var method: UInt16 = 0
        var localMethod: UInt16?
        var checksum: UInt32
        var localChecksum: UInt32?
        var size: UInt32
        var localSize: UInt32?
        var packedSize: UInt32
        var mode: UInt16 = 0o100644
        var extra: [UInt8] = []
        var localExtra: [UInt8] = []
        var disk: UInt16 = 0
        /// Bytes behind the content.
        var trailer: [UInt8] = []
        /// Where the directory says that the entry is; nil for where it is.
        var offset: UInt32?

        init(_ name: String, _ content: String = "", mode: UInt16 = 0o100644) {
            self.init(Array(name.utf8), Array(content.utf8), mode: mode)
        }

        init(_ name: [UInt8], _ content: [UInt8], mode: UInt16 = 0o100644) {
            (self.name, localName, self.content, packed) = (name, name, content, content)
            checksum = content.withUnsafeBytes { Archives.checksum(0, $0) }
            (size, packedSize) = (UInt32(content.count), UInt32(content.count))
            self.mode = mode
        }

        static func link(_ name: String, to target: String) -> Entry {
            Entry(name, target, mode: 0o120777)
        }

        /// The same entry with its content compressed.
        func deflated() throws -> Entry {
            var entry = self
            var deflater = try Deflater()
            entry.packed = []
            entry.content.withUnsafeBytes { deflater.compress($0, isLast: true, to: &entry.packed) }
            entry.packedSize = UInt32(entry.packed.count)
            entry.method = 8
            return entry
        }

        /// The same entry with its sums behind the content.
        func withDescriptor(hasSignature: Bool = true, isLarge: Bool = false) -> Entry {
            var entry = self
            entry.flags |= 1 << 3
            (entry.localChecksum, entry.localSize) = (0, 0)
            if hasSignature { entry.trailer.append(little: UInt32(0x0807_4b50)) }
            entry.trailer.append(little: checksum)
            if isLarge {
                entry.trailer.append(little: UInt64(packedSize))
                entry.trailer.append(little: UInt64(size))
            } else {
                entry.trailer.append(little: packedSize)
                entry.trailer.append(little: size)
            }
            return entry
        }
    }

    var entries: [Entry]
    var comment: [UInt8] = []
    /// What the end says of the number of entries; nil for the truth.
    var count: UInt16?
    /// Bytes between the last entry and the directory, and between the directory and its end.
    var gap: [UInt8] = []
    var laterGap: [UInt8] = []
    var disk: UInt16 = 0

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(bytes.count)
            bytes.append(little: UInt32(0x0403_4b50))
            bytes.append(little: UInt16(20))
            bytes.append(little: entry.localFlags ?? entry.flags)
            bytes.append(little: entry.localMethod ?? entry.method)
            bytes.append(little: UInt32(0))
            bytes.append(little: entry.localChecksum ?? entry.checksum)
            bytes.append(little: entry.localSize ?? entry.packedSize)
            bytes.append(little: entry.localSize ?? entry.size)
            bytes.append(little: UInt16(entry.localName.count))
            bytes.append(little: UInt16(entry.localExtra.count))
            bytes += entry.localName + entry.localExtra + entry.packed + entry.trailer

            directory.append(little: UInt32(0x0201_4b50))
            directory.append(little: entry.madeBy)
            directory.append(little: UInt16(20))
            directory.append(little: entry.flags)
            directory.append(little: entry.method)
            directory.append(little: UInt32(0))
            directory.append(little: entry.checksum)
            directory.append(little: entry.packedSize)
            directory.append(little: entry.size)
            directory.append(little: UInt16(entry.name.count))
            directory.append(little: UInt16(entry.extra.count))
            directory.append(little: UInt16(0))
            directory.append(little: entry.disk)
            directory.append(little: UInt16(0))
            directory.append(little: UInt32(entry.mode) << 16)
            directory.append(little: entry.offset ?? offset)
            directory += entry.name + entry.extra
        }
        bytes += gap
        let offset = UInt32(bytes.count)
        bytes += directory + laterGap
        bytes.append(little: UInt32(0x0605_4b50))
        bytes.append(little: disk)
        bytes.append(little: UInt16(0))
        for _ in 0..<2 { bytes.append(little: count ?? UInt16(entries.count)) }
        bytes.append(little: UInt32(directory.count))
        bytes.append(little: offset)
        bytes.append(little: UInt16(comment.count))
        return bytes + comment
    }
}
