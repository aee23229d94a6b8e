/// Writes a zip archive as a stream; it does no I/O and holds no content, only what the directory at the end will say.
///
/// Entries come one after another; what is to be sent is taken with ``takeOutput()`` as often as one likes. Sizes, the number
/// of entries and positions may go beyond 32 bits (ZIP64).
package struct ZipWriter: ~Copyable {
    /// What an entry is.
    package struct Entry: Sendable, Hashable {
        package enum Kind: Sendable, Hashable { case file, folder, symbolicLink }

        /// The path, its parts separated by slashes, in any bytes.
        ///
        /// A folder's gets a slash at its end.
        package var name: [UInt8]
        package var kind: Kind
        package var permissions: UInt16
        /// In seconds since 1970.
        package var modificationTime: Int64

        package init(name: [UInt8], kind: Kind, permissions: UInt16, modificationTime: Int64) {
            self.name = name
            self.kind = kind
            self.permissions = permissions
            self.modificationTime = modificationTime
        }
    }

    /// How the content of files is written.
    package enum Compression: String, Sendable, Hashable { case stored, deflated }

    /// An entry whose content is being written.
    private struct Open {
        var entry: Entry
        var offset: UInt64
        var method: UInt16
        var isLarge: Bool
        var checksum: UInt32 = 0
        var size: UInt64 = 0
        var compressedSize: UInt64 = 0
    }

    /// A size from which on a file might need ZIP64: deflate makes what it can't compress a little longer.
    private static let largeSize: UInt64 = 0xf000_0000
    private static let limit32: UInt64 = 0xffff_ffff

    private let compression: Compression
    private var deflater: Deflater?
    private var output: [UInt8] = []
    private var taken: UInt64 = 0
    private var directory: [UInt8] = []
    private var entryCount: UInt64 = 0
    private var open: Open?

    package init(compression: Compression) throws(ArchiveError) {
        self.compression = compression
        deflater = compression == .deflated ? try Deflater() : nil
    }

    /// Bytes that ``takeOutput()`` will give.
    package var outputCount: Int { output.count }

    /// What is to be sent next.
    package mutating func takeOutput() -> [UInt8] {
        taken += UInt64(output.count)
        defer { output = [] }
        return output
    }

    private var position: UInt64 { taken + UInt64(output.count) }

    // MARK: Entries

    /// Writes an entry whose content is at hand: a small file, the target of a link, or nothing.
    package mutating func add(_ entry: Entry, content: [UInt8] = []) {
        var (checksum, body, method) = (UInt32(0), content, ZipRecord.Method.stored)
        content.withUnsafeBytes { bytes in
            checksum = Archives.checksum(0, bytes)
            guard entry.kind == .file, !bytes.isEmpty, deflater != nil else { return }
            var compressed: [UInt8] = []
            deflater?.compress(bytes, isLast: true, to: &compressed)
            if compressed.count < content.count { (body, method) = (compressed, ZipRecord.Method.deflated) }
        }
        let added = Open(
            entry: entry,
            offset: position,
            method: method,
            isLarge: false,
            checksum: checksum,
            size: UInt64(content.count),
            compressedSize: UInt64(body.count)
        )
        appendLocalHeader(added, hasDescriptor: false)
        output += body
        appendDirectoryRecord(added, hasDescriptor: false)
    }

    /// Begins a file whose content follows in pieces.
    ///
    /// - Parameter sizeLimit: the most bytes that will come.
    package mutating func begin(_ entry: Entry, sizeLimit: UInt64) {
        let method = compression == .deflated ? ZipRecord.Method.deflated : ZipRecord.Method.stored
        let begun = Open(entry: entry, offset: position, method: method, isLarge: sizeLimit >= Self.largeSize)
        appendLocalHeader(begun, hasDescriptor: true)
        open = begun
    }

    /// Writes a piece of the file that was begun.
    package mutating func append(_ bytes: [UInt8]) {
        write(bytes, isLast: false)
    }

    /// Ends the file that was begun.
    package mutating func endEntry() {
        if deflater != nil { write([], isLast: true) }
        guard let ended = open.take() else { return }
        output.append(little: ZipRecord.dataDescriptor)
        output.append(little: ended.checksum)
        if ended.isLarge {
            output.append(little: ended.compressedSize)
            output.append(little: ended.size)
        } else {
            output.append(little: UInt32(truncatingIfNeeded: ended.compressedSize))
            output.append(little: UInt32(truncatingIfNeeded: ended.size))
        }
        appendDirectoryRecord(ended, hasDescriptor: true)
    }

    private mutating func write(_ bytes: [UInt8], isLast: Bool) {
        guard var current = open.take() else { return }
        let before = output.count
        bytes.withUnsafeBytes { buffer in
            current.checksum = checksum(current.checksum, buffer)
            if deflater == nil {
                output.append(contentsOf: buffer)
            } else {
                deflater?.compress(buffer, isLast: isLast, to: &output)
            }
        }
        current.size += UInt64(bytes.count)
        current.compressedSize += UInt64(output.count - before)
        open = current
    }

    // MARK: Records

    private mutating func appendLocalHeader(_ header: Open, hasDescriptor: Bool) {
        var extra: [UInt8] = []
        if header.isLarge {
            extra.append(little: ZipRecord.Extra.zip64)
            extra.append(little: UInt16(16))
            extra.append(little: UInt64(0))
            extra.append(little: UInt64(0))
        }
        extra += Self.timestamp(header.entry)
        output.append(little: ZipRecord.localHeader)
        Self.appendCommonFields(header, hasDescriptor: hasDescriptor, to: &output)
        let size = header.isLarge ? UInt32.max : nil
        output.append(little: hasDescriptor ? 0 : header.checksum)
        output.append(little: size ?? UInt32(truncatingIfNeeded: hasDescriptor ? 0 : header.compressedSize))
        output.append(little: size ?? UInt32(truncatingIfNeeded: hasDescriptor ? 0 : header.size))
        let name = Self.name(header.entry)
        output.append(little: UInt16(name.count))
        output.append(little: UInt16(extra.count))
        output += name
        output += extra
    }

    private mutating func appendDirectoryRecord(_ ended: Open, hasDescriptor: Bool) {
        func isLarge(_ number: UInt64) -> Bool { number >= Self.limit32 }
        func field(_ number: UInt64) -> UInt32 { isLarge(number) ? .max : UInt32(number) }

        var large: [UInt8] = []
        for number in [ended.size, ended.compressedSize, ended.offset] where isLarge(number) {
            large.append(little: number)
        }
        var extra: [UInt8] = []
        if !large.isEmpty {
            extra.append(little: ZipRecord.Extra.zip64)
            extra.append(little: UInt16(large.count))
            extra += large
        }
        extra += Self.timestamp(ended.entry)
        let type =
            switch ended.entry.kind {
            case .file: ZipRecord.UnixMode.file
            case .folder: ZipRecord.UnixMode.folder
            case .symbolicLink: ZipRecord.UnixMode.symbolicLink
            }
        let name = Self.name(ended.entry)
        directory.append(little: ZipRecord.centralHeader)
        // Made by version 4.5 on Unix (3), so that modes are understood.
        directory.append(little: UInt16(3 << 8 | 45))
        Self.appendCommonFields(ended, hasDescriptor: hasDescriptor, to: &directory)
        directory.append(little: ended.checksum)
        directory.append(little: field(ended.compressedSize))
        directory.append(little: field(ended.size))
        directory.append(little: UInt16(name.count))
        directory.append(little: UInt16(extra.count))
        // No comment, on the first disk, binary.
        for _ in 0..<3 { directory.append(little: UInt16(0)) }
        // The low half is MS-DOS's: 0x10 is a folder.
        let attributes = UInt32(type | ended.entry.permissions) << 16 | (ended.entry.kind == .folder ? 0x10 : 0)
        directory.append(little: attributes)
        directory.append(little: field(ended.offset))
        directory += name
        directory += extra
        entryCount += 1
    }

    /// The fields that both headers have, from the version needed to the date.
    private static func appendCommonFields(_ header: Open, hasDescriptor: Bool, to bytes: inout [UInt8]) {
        let needsLarge = header.isLarge || header.size >= limit32 || header.offset >= limit32
        let time = DOSTime(header.entry.modificationTime)
        var flags: UInt16 = hasDescriptor ? ZipRecord.Flag.dataDescriptor : 0
        let name = header.entry.name
        if name.contains(where: { $0 >= 0x80 }), String(validating: name, as: UTF8.self) != nil {
            flags |= ZipRecord.Flag.utf8
        }
        bytes.append(little: UInt16(needsLarge ? 45 : 20))
        bytes.append(little: flags)
        bytes.append(little: header.method)
        bytes.append(little: time.time)
        bytes.append(little: time.date)
    }

    private static func name(_ entry: Entry) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        return entry.kind == .folder && entry.name.last != slash ? entry.name + [slash] : entry.name
    }

    /// Info-ZIP's extended timestamp: the time of the last change in UTC, as far as it fits into 32 bits.
    private static func timestamp(_ entry: Entry) -> [UInt8] {
        guard let seconds = Int32(exactly: entry.modificationTime) else { return [] }
        var extra: [UInt8] = []
        extra.append(little: ZipRecord.Extra.timestamp)
        extra.append(little: UInt16(5))
        extra.append(1)
        extra.append(little: seconds)
        return extra
    }

    // MARK: The end

    /// Writes the directory; nothing can come behind it.
    ///
    /// - Parameter comment: for people; cut off where the format does.
    package mutating func finish(comment: [UInt8] = []) {
        let offset = position
        let size = UInt64(directory.count)
        output += directory
        directory = []
        let isLarge = entryCount >= 0xffff || size >= Self.limit32 || offset >= Self.limit32
        if isLarge { appendLargeEnd(offset: offset, size: size) }
        output.append(little: ZipRecord.end)
        output.append(little: UInt32(0))
        for _ in 0..<2 { output.append(little: isLarge ? UInt16.max : UInt16(entryCount)) }
        output.append(little: isLarge ? UInt32.max : UInt32(size))
        output.append(little: isLarge ? UInt32.max : UInt32(offset))
        let comment = comment.prefix(ZipRecord.commentLimit)
        output.append(little: UInt16(comment.count))
        output += comment
    }

    private mutating func appendLargeEnd(offset: UInt64, size: UInt64) {
        let endOffset = position
        output.append(little: ZipRecord.zip64End)
        // The size of what follows this field.
        output.append(little: UInt64(ZipRecord.zip64EndSize - 12))
        output.append(little: UInt16(3 << 8 | 45))
        output.append(little: UInt16(45))
        output.append(little: UInt64(0))
        for _ in 0..<2 { output.append(little: entryCount) }
        output.append(little: size)
        output.append(little: offset)
        output.append(little: ZipRecord.zip64Locator)
        output.append(little: UInt32(0))
        output.append(little: endOffset)
        output.append(little: UInt32(1))
    }
}
