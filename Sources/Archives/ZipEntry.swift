/// An entry as the directory of an archive describes it.
package struct ZipEntry: Sendable, Hashable {
    /// As it stands in the archive.
    package var name: [UInt8]
    package var path: EntryPath
    package var kind: ZipWriter.Entry.Kind
    /// The lowest twelve bits of the mode, when the archive was made on Unix.
    package var permissions: UInt16?
    /// In seconds since 1970, when the archive says so in UTC.
    package var modificationTime: Int64?
    package var size: UInt64
    var compressedSize: UInt64
    var checksum: UInt32
    var method: UInt16
    var flags: UInt16
    var headerOffset: UInt64

    var shownName: String { printable(name) }
    var hasDescriptor: Bool { flags & ZipRecord.Flag.dataDescriptor != 0 }

    /// Reads a record of the directory without its signature; `fixed` is the part that all have, `variable` what follows.
    ///
    /// - Throws: ``ArchiveError`` for what can't or must not be unpacked.
    init(fixed: ArraySlice<UInt8>, variable: ArraySlice<UInt8>) throws(ArchiveError) {
        let cut = ArchiveError.notAnArchive(reason: "its directory is cut off")
        var parser = RecordParser(fixed)
        guard let madeBy = parser.number(UInt16.self), parser.number(UInt16.self) != nil,
            let flags = parser.number(UInt16.self), let method = parser.number(UInt16.self),
            parser.number(UInt32.self) != nil, let checksum = parser.number(UInt32.self),
            let compressedSize = parser.number(UInt32.self), let size = parser.number(UInt32.self),
            let nameSize = parser.number(UInt16.self), let extraSize = parser.number(UInt16.self),
            parser.number(UInt16.self) != nil, let disk = parser.number(UInt16.self),
            parser.number(UInt16.self) != nil, let attributes = parser.number(UInt32.self),
            let offset = parser.number(UInt32.self)
        else { throw cut }
        var variableParser = RecordParser(variable)
        guard let name = variableParser.bytes(Int(nameSize)), let extra = variableParser.bytes(Int(extraSize)) else {
            throw cut
        }
        self.name = Array(name)
        (self.flags, self.method, self.checksum) = (flags, method, checksum)
        (self.size, self.compressedSize, headerOffset) = (UInt64(size), UInt64(compressedSize), UInt64(offset))
        // 4.4.2: which system made the entry. 0, 10, 11 and 14 are MS-DOS, Windows and their file systems.
        path = try EntryPath(self.name, isFromWindows: [0, 10, 11, 14].contains(madeBy >> 8))
        (kind, permissions) = try Self.kind(self.name, system: madeBy >> 8, mode: UInt16(attributes >> 16))
        modificationTime = nil
        try readExtraFields(extra, disk: disk)
        try check()
    }

    /// A file's type and permissions.
    private static func kind(
        _ name: [UInt8],
        system: UInt16,
        mode: UInt16
    ) throws(ArchiveError) -> (ZipWriter.Entry.Kind, UInt16?) {
        let isFolder = name.last == UInt8(ascii: "/")
        // 3 is Unix, 19 is macOS; others have no modes. An entry that was made without one has zero.
        guard system == 3 || system == 19, mode != 0 else { return (isFolder ? .folder : .file, nil) }
        let permissions = mode & 0o7777
        switch mode & ZipRecord.UnixMode.typeMask {
        case ZipRecord.UnixMode.folder: return (.folder, permissions)
        case ZipRecord.UnixMode.symbolicLink: return (.symbolicLink, permissions)
        case ZipRecord.UnixMode.file, 0: return (isFolder ? .folder : .file, permissions)
        default: throw .refused(entry: printable(name), reason: "it is a device, a pipe or a socket")
        }
    }

    private mutating func readExtraFields(_ extra: ArraySlice<UInt8>, disk: UInt16) throws(ArchiveError) {
        var parser = RecordParser(extra)
        var disk = UInt32(disk == .max ? 0 : disk)
        var seenLarge = false
        // What is too short to be a field is padding, which some tools leave.
        while let id = parser.number(UInt16.self), let size = parser.number(UInt16.self) {
            guard let field = parser.bytes(Int(size)) else {
                throw .damaged(entry: shownName, reason: "an extra field is cut off")
            }
            var content = RecordParser(field)
            switch id {
            case ZipRecord.Extra.zip64 where !seenLarge:
                seenLarge = true
                // 4.5.3: in this order, each only when its 32 bits are all ones.
                if self.size == UInt64(UInt32.max) { self.size = try large(&content) }
                if compressedSize == UInt64(UInt32.max) { compressedSize = try large(&content) }
                if headerOffset == UInt64(UInt32.max) { headerOffset = try large(&content) }
                disk = content.number(UInt32.self) ?? disk
            case ZipRecord.Extra.timestamp:
                guard let which = content.number(UInt8.self), which & 1 != 0 else { continue }
                if let seconds = content.number(UInt32.self) {
                    modificationTime = Int64(Int32(bitPattern: seconds))
                }
            default: continue
            }
        }
        guard disk == 0 else {
            throw .unsupported(entry: shownName, reason: "it is in another part of a split archive")
        }
    }

    private func large(_ parser: inout RecordParser) throws(ArchiveError) -> UInt64 {
        guard let number = parser.number(UInt64.self) else {
            throw .damaged(entry: shownName, reason: "its ZIP64 field is cut off")
        }
        return number
    }

    private func check() throws(ArchiveError) {
        let secret = ZipRecord.Flag.encrypted | ZipRecord.Flag.strongEncryption | ZipRecord.Flag.maskedHeaders
        guard flags & secret == 0 else { throw .unsupported(entry: shownName, reason: "it is encrypted") }
        guard flags & ZipRecord.Flag.patch == 0 else { throw .unsupported(entry: shownName, reason: "it is a patch") }
        switch method {
        case ZipRecord.Method.deflated: break
        case ZipRecord.Method.stored:
            guard size == compressedSize else {
                throw .damaged(entry: shownName, reason: "it is stored, but has two sizes")
            }
        default:
            throw .unsupported(
                entry: shownName,
                reason: "its compression method is \(method); deflate (8) and none (0) are read"
            )
        }
        switch kind {
        case .file:
            guard !path.names.isEmpty else { throw .refused(entry: shownName, reason: "it has no name") }
        case .folder:
            guard size == 0 else { throw .damaged(entry: shownName, reason: "it is a folder with content") }
        case .symbolicLink:
            guard !path.names.isEmpty else { throw .refused(entry: shownName, reason: "it has no name") }
            // The longest path that systems take.
            guard size <= 4096 else { throw .refused(entry: shownName, reason: "the target of the link is too long") }
        }
    }
}
