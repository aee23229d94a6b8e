/// Writes the headers of a tar archive.
///
/// A value without I/O.
///
/// The format is POSIX.1-2017's `pax` (<https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html>, "ustar Interchange Format"
/// and "pax Header Block"): a `ustar` header per entry, before it an extended header for what doesn't fit in there.
struct TarHeader {
    static let blockSize = 512
    /// The two blocks of zeros at the end.
    static let trailer = [UInt8](repeating: 0, count: 2 * blockSize)

    enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case directory = 0x35
        fileprivate static let extendedHeader = UInt8(ascii: "x")
    }

    var path: String
    var kind: Kind
    var size = 0
    var mode: UInt16
    var userID = 0
    var groupID = 0
    /// In seconds since 1970.
    var modificationTime = 0
    var linkTarget = ""

    /// The number of bytes that fill up a content to whole blocks.
    static func padding(after size: Int) -> Int {
        (blockSize - size % blockSize) % blockSize
    }

    /// The header's blocks, with the extended header before them if one is needed.
    func encoded() -> [UInt8] {
        var records: [UInt8] = []
        if !fits(path) { records += Self.record("path", path) }
        if !fits(linkTarget) { records += Self.record("linkpath", linkTarget) }
        if size > Self.greatest(digits: 11) { records += Self.record("size", "\(size)") }
        if userID > Self.greatest(digits: 7) { records += Self.record("uid", "\(userID)") }
        if groupID > Self.greatest(digits: 7) { records += Self.record("gid", "\(groupID)") }
        if modificationTime < 0 || modificationTime > Self.greatest(digits: 11) {
            records += Self.record("mtime", "\(modificationTime)")
        }
        let own = block(type: kind.rawValue, size: size)
        guard !records.isEmpty else { return own }
        var extended = self
        extended.path = "PaxHeaders/entry"
        extended.linkTarget = ""
        let blank = [UInt8](repeating: 0, count: Self.padding(after: records.count))
        return extended.block(type: Kind.extendedHeader, size: records.count) + records + blank + own
    }

    /// Whether a name goes into its field of 100 bytes; only ASCII is the same for every reader.
    private func fits(_ name: String) -> Bool {
        name.utf8.count <= 100 && name.utf8.allSatisfy { $0 < 0x80 }
    }

    /// `LENGTH NAME=VALUE\n`, where the length counts itself.
    private static func record(_ name: String, _ value: String) -> [UInt8] {
        let rest = " \(name)=\(value)\n".utf8
        var length = rest.count + 1
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        return Array("\(length)".utf8) + rest
    }

    private static func greatest(digits: Int) -> Int { 1 << (3 * digits) - 1 }

    private func block(type: UInt8, size: Int) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ text: some Collection<UInt8>, at offset: Int, limit: Int) {
            for (index, byte) in text.prefix(limit).enumerated() { block[offset + index] = byte }
        }
        func putOctal(_ number: Int, at offset: Int, digits: Int) {
            // What doesn't fit is in the extended header.
            let clamped = min(max(0, number), Self.greatest(digits: digits))
            let text = String(clamped, radix: 8)
            put((String(repeating: "0", count: digits - text.count) + text).utf8, at: offset, limit: digits)
        }
        put(path.utf8, at: 0, limit: 100)
        putOctal(Int(mode), at: 100, digits: 7)
        putOctal(userID, at: 108, digits: 7)
        putOctal(groupID, at: 116, digits: 7)
        putOctal(size, at: 124, digits: 11)
        putOctal(modificationTime, at: 136, digits: 11)
        block[156] = type
        put(linkTarget.utf8, at: 157, limit: 100)
        put("ustar\u{0}00".utf8, at: 257, limit: 8)
        // The checksum is taken with blanks in its own place.
        put("        ".utf8, at: 148, limit: 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        putOctal(sum, at: 148, digits: 6)
        block[154] = 0
        return block
    }
}
