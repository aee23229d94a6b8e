/// Reads a zip archive from a file, as its directory describes it.
///
/// Making a reader checks all that can be checked without unpacking anything: every record of the directory, the limits,
/// that each entry's own header says the same, and that no two entries share bytes. What a single entry holds is checked while
/// it is read. Every method can block.
package struct ZipReader: Sendable {
    /// How many entries there are.
    package let entryCount: UInt64
    /// Bytes of all entries, unpacked.
    package private(set) var totalSize: UInt64 = 0
    /// The archive's comment.
    package let comment: [UInt8]

    private let directory: ZipDirectory
    private let archive: WindowedFile

    package init(_ file: Descriptor, limits: ArchiveLimits) throws(ArchiveError) {
        archive = WindowedFile(file, size: try file.status().size)
        var window = archive
        directory = try ZipDirectory(findingIn: &window)
        entryCount = directory.entryCount
        comment = directory.comment
        try check(limits)
    }

    private mutating func check(_ limits: ArchiveLimits) throws(ArchiveError) {
        if let excess = limits.excess(entryCount: entryCount, totalSize: 0, archiveSize: archive.size) { throw excess }
        var content = archive
        var extents: [(begin: UInt64, end: UInt64)] = []
        var isSorted = true
        var total: UInt64 = 0
        let (archiveSize, directoryOffset) = (archive.size, directory.offset)
        try forEachEntry { entry throws(ArchiveError) in
            let (sum, overflow) = total.addingReportingOverflow(entry.size)
            total = overflow ? .max : sum
            if let excess = limits.excess(entryCount: 0, totalSize: total, archiveSize: archiveSize) { throw excess }
            let begin = try Self.contentOffset(of: entry, in: &content)
            let (end, isTooLong) = begin.addingReportingOverflow(entry.compressedSize)
            guard !isTooLong, end <= directoryOffset else {
                throw .damaged(entry: entry.shownName, reason: "it reaches beyond the end of the archive's content")
            }
            isSorted = isSorted && extents.last.map { $0.end <= entry.headerOffset } ?? true
            extents.append((entry.headerOffset, end))
        }
        totalSize = total
        guard !isSorted else { return }
        extents.sort { $0.begin < $1.begin }
        for (one, next) in zip(extents, extents.dropFirst()) where one.end > next.begin {
            throw .notAnArchive(reason: "two of its entries share bytes")
        }
    }

    /// Calls a function with each entry, in the order of the directory.
    package func forEachEntry(_ body: (ZipEntry) throws(ArchiveError) -> Void) throws(ArchiveError) {
        try directory.forEachEntry(in: archive, body)
    }

    /// Reads the content of an entry, a piece at a time.
    ///
    /// - Throws: ``ArchiveError``, also after pieces were given: an archive's sums are known at the end only.
    package func read(
        _ entry: ZipEntry,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var archive = archive
        let begin = try Self.contentOffset(of: entry, in: &archive)
        var sum = ContentCheck(entry: entry)
        if entry.method == ZipRecord.Method.stored {
            try archive.forEachPiece(from: begin, count: entry.compressedSize) { piece throws(ArchiveError) in
                try sum.add(piece)
                try body(piece)
            }
        } else {
            try inflate(entry, from: begin, in: archive) { piece throws(ArchiveError) in
                try sum.add(piece)
                try body(piece)
            }
        }
        try sum.finish()
        if entry.hasDescriptor { try Self.checkDescriptor(of: entry, at: begin + entry.compressedSize, in: &archive) }
    }

    private func inflate(
        _ entry: ZipEntry,
        from begin: UInt64,
        in archive: WindowedFile,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var inflater = try Inflater()
        var hasEnded = false
        try archive.forEachPiece(from: begin, count: entry.compressedSize) { piece throws(ArchiveError) in
            guard !hasEnded else {
                throw .damaged(entry: entry.shownName, reason: "there is more behind its compressed content")
            }
            switch try inflater.decompress(piece, body) {
            case .more: break
            case .end(left: 0): hasEnded = true
            case .end:
                throw .damaged(entry: entry.shownName, reason: "there is more behind its compressed content")
            case .invalid: throw .damaged(entry: entry.shownName, reason: "its compressed content is invalid")
            }
        }
        guard hasEnded else { throw .damaged(entry: entry.shownName, reason: "its compressed content is cut off") }
    }

    // MARK: Headers

    /// Where the content of an entry begins, once its own header was found to say what the directory says.
    private static func contentOffset(
        of entry: ZipEntry,
        in archive: inout WindowedFile
    ) throws(ArchiveError) -> UInt64 {
        func differs(_ what: String) -> ArchiveError {
            .damaged(entry: entry.shownName, reason: "its header and the directory have different \(what)")
        }
        guard let bytes = try archive.bytes(at: entry.headerOffset, count: ZipRecord.localHeaderSize) else {
            throw .damaged(entry: entry.shownName, reason: "its header is beyond the end of the archive")
        }
        var parser = RecordParser(bytes)
        guard parser.number() == ZipRecord.localHeader, parser.number(UInt16.self) != nil,
            let flags = parser.number(UInt16.self), let method = parser.number(UInt16.self),
            parser.number(UInt32.self) != nil, let checksum = parser.number(UInt32.self),
            let compressedSize = parser.number(UInt32.self), let size = parser.number(UInt32.self),
            let nameSize = parser.number(UInt16.self), let extraSize = parser.number(UInt16.self)
        else { throw .damaged(entry: entry.shownName, reason: "there is no header where the directory says") }
        let nameOffset = entry.headerOffset + UInt64(ZipRecord.localHeaderSize)
        guard let name = try archive.bytes(at: nameOffset, count: Int(nameSize)), name.elementsEqual(entry.name) else {
            throw differs("names")
        }
        guard flags == entry.flags else { throw differs("flags") }
        guard method == entry.method else { throw differs("compression methods") }
        if !entry.hasDescriptor {
            guard checksum == entry.checksum else { throw differs("checksums") }
            // All ones stand for a size in an extra field, which the directory's own is trusted for.
            guard [entry.size, UInt64(UInt32.max)].contains(UInt64(size)),
                [entry.compressedSize, UInt64(UInt32.max)].contains(UInt64(compressedSize))
            else { throw differs("sizes") }
        }
        return nameOffset + UInt64(nameSize) + UInt64(extraSize)
    }

    /// 4.3.9: behind the content, with or without a signature, its sizes of 32 or 64 bits.
    private static func checkDescriptor(
        of entry: ZipEntry,
        at offset: UInt64,
        in archive: inout WindowedFile
    ) throws(ArchiveError) {
        var forms: [[UInt8]] = []
        for hasSignature in [true, false] {
            var start: [UInt8] = []
            if hasSignature { start.append(little: ZipRecord.dataDescriptor) }
            start.append(little: entry.checksum)
            var form = start
            form.append(little: entry.compressedSize)
            form.append(little: entry.size)
            forms.append(form)
            guard let size = UInt32(exactly: entry.size), let compressed = UInt32(exactly: entry.compressedSize) else {
                continue
            }
            form = start
            form.append(little: compressed)
            form.append(little: size)
            forms.append(form)
        }
        for form in forms {
            if let bytes = try archive.bytes(at: offset, count: form.count), bytes.elementsEqual(form) { return }
        }
        throw .damaged(entry: entry.shownName, reason: "the sums behind its content differ from the directory's")
    }
}

/// Compares what comes out of an entry with what the directory says of it.
private struct ContentCheck {
    let entry: ZipEntry
    private var size: UInt64 = 0
    private var sum: UInt32 = 0

    init(entry: ZipEntry) {
        self.entry = entry
    }

    mutating func add(_ piece: UnsafeRawBufferPointer) throws(ArchiveError) {
        size += UInt64(piece.count)
        guard size <= entry.size else {
            throw .damaged(entry: entry.shownName, reason: "it is longer than the directory says")
        }
        sum = checksum(sum, piece)
    }

    func finish() throws(ArchiveError) {
        guard size == entry.size else {
            throw .damaged(entry: entry.shownName, reason: "it is shorter than the directory says")
        }
        guard sum == entry.checksum else { throw .damaged(entry: entry.shownName, reason: "its checksum is wrong") }
    }
}
