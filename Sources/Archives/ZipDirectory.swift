/// Where the directory of an archive is, and how many entries it has.
struct ZipDirectory {
    let offset: UInt64
    let size: UInt64
    let entryCount: UInt64
    let comment: [UInt8]

    /// Looks for the record at the end of an archive (4.3.16), and for the larger one before it (4.3.14).
    init(findingIn archive: inout WindowedFile) throws(ArchiveError) {
        let (endOffset, end) = try Self.findEnd(in: &archive)
        var parser = RecordParser(end[...])
        guard parser.number() == ZipRecord.end, let disk = parser.number(UInt16.self),
            let directoryDisk = parser.number(UInt16.self), let diskCount = parser.number(UInt16.self),
            let count = parser.number(UInt16.self), let size = parser.number(UInt32.self),
            let offset = parser.number(UInt32.self), parser.number(UInt16.self) != nil
        else { throw Self.noEnd }
        comment = Array(parser.rest)
        if let large = try Self.largeEnd(before: endOffset, in: &archive) {
            (self.offset, self.size, entryCount) = (large.directoryOffset, large.size, large.count)
            try Self.check(offset: large.directoryOffset, size: large.size, endsAt: large.endOffset)
            // What fits into the small record must be the same there.
            guard count == .max || UInt64(count) == large.count, size == .max || UInt64(size) == large.size,
                offset == .max || UInt64(offset) == large.directoryOffset
            else { throw .notAnArchive(reason: "its two end records differ") }
        } else {
            guard disk == 0, directoryDisk == 0, diskCount == count else { throw Self.split }
            (self.offset, self.size, entryCount) = (UInt64(offset), UInt64(size), UInt64(count))
            try Self.check(offset: UInt64(offset), size: UInt64(size), endsAt: endOffset)
        }
    }

    private static let noEnd = ArchiveError.notAnArchive(reason: "there is no end of a zip archive in it")
    private static let split = ArchiveError.notAnArchive(reason: "it is a part of a split archive")

    /// No gap: what lies between the directory and its end would be read by one program and not by another.
    private static func check(offset: UInt64, size: UInt64, endsAt end: UInt64) throws(ArchiveError) {
        let (sum, overflow) = offset.addingReportingOverflow(size)
        guard !overflow, sum == end else {
            throw .notAnArchive(reason: "its directory isn't where its end says")
        }
    }

    /// The last record that says of itself that it goes on to the very end.
    private static func findEnd(in archive: inout WindowedFile) throws(ArchiveError) -> (UInt64, [UInt8]) {
        let count = min(archive.size, UInt64(ZipRecord.endSize + ZipRecord.commentLimit))
        guard count >= ZipRecord.endSize, let tail = try archive.bytes(at: archive.size - count, count: Int(count))
        else {
            throw noEnd
        }
        var signature: [UInt8] = []
        signature.append(little: ZipRecord.end)
        for start in stride(from: tail.endIndex - ZipRecord.endSize, through: tail.startIndex, by: -1)
        where tail[start] == signature[0] && tail[start..<start + 4].elementsEqual(signature) {
            let record = tail[start...]
            var parser = RecordParser(record.dropFirst(ZipRecord.endSize - 2))
            if let size = parser.number(UInt16.self), Int(size) == record.count - ZipRecord.endSize {
                return (archive.size - UInt64(record.count), Array(record))
            }
        }
        throw noEnd
    }

    private static func largeEnd(
        before end: UInt64,
        in archive: inout WindowedFile
    ) throws(ArchiveError) -> (endOffset: UInt64, directoryOffset: UInt64, size: UInt64, count: UInt64)? {
        let (locatorOffset, isBeforeStart) = end.subtractingReportingOverflow(UInt64(ZipRecord.zip64LocatorSize))
        guard !isBeforeStart,
            let locator = try archive.bytes(at: locatorOffset, count: ZipRecord.zip64LocatorSize)
        else { return nil }
        var parser = RecordParser(locator)
        guard parser.number() == ZipRecord.zip64Locator else { return nil }
        guard parser.number() == UInt32(0), let offset = parser.number(UInt64.self), parser.number() == UInt32(1) else {
            throw split
        }
        let lost = ArchiveError.notAnArchive(reason: "its ZIP64 end record isn't where it says")
        guard let record = try archive.bytes(at: offset, count: ZipRecord.zip64EndSize) else { throw lost }
        parser = RecordParser(record)
        guard parser.number() == ZipRecord.zip64End, let size = parser.number(UInt64.self),
            parser.bytes(4) != nil, let disk = parser.number(UInt32.self),
            let directoryDisk = parser.number(UInt32.self), let diskCount = parser.number(UInt64.self),
            let count = parser.number(UInt64.self), let directorySize = parser.number(UInt64.self),
            let directoryOffset = parser.number(UInt64.self), size <= archive.size,
            offset + size + 12 == locatorOffset
        else { throw lost }
        guard disk == 0, directoryDisk == 0, diskCount == count else { throw split }
        return (offset, directoryOffset, directorySize, count)
    }

    /// Calls a function with each entry.
    func forEachEntry(
        in archive: WindowedFile,
        _ body: (ZipEntry) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var archive = archive
        var position = offset
        for _ in 0..<entryCount {
            let fixedSize = ZipRecord.centralHeaderSize
            guard position + UInt64(fixedSize) <= offset + size,
                let record = try archive.bytes(at: position, count: fixedSize)
            else { throw .notAnArchive(reason: "its directory has fewer entries than its end says") }
            var parser = RecordParser(record)
            guard parser.number() == ZipRecord.centralHeader else {
                throw .notAnArchive(reason: "its directory is damaged")
            }
            let fixed = Array(parser.rest)
            // The sizes of name, extra fields and comment.
            var sizes = RecordParser(fixed[24...])
            let variableSize = (0..<3).reduce(0) { sum, _ in sum + Int(sizes.number(UInt16.self) ?? 0) }
            guard position + UInt64(fixedSize + variableSize) <= offset + size,
                let variable = try archive.bytes(at: position + UInt64(fixedSize), count: variableSize)
            else { throw .notAnArchive(reason: "its directory is cut off") }
            try body(try ZipEntry(fixed: fixed[...], variable: variable))
            position += UInt64(fixedSize + variableSize)
        }
        guard position == offset + size else {
            throw .notAnArchive(reason: "its directory has more entries than its end says")
        }
    }
}

/// A file of which a piece is kept in memory, so that records in order cost few reads.
struct WindowedFile {
    let size: UInt64
    private let file: Descriptor
    private var window: [UInt8] = []
    private var windowOffset: UInt64 = 0

    init(_ file: Descriptor, size: UInt64) {
        self.file = file
        self.size = size
    }

    /// The bytes there; nil when the file ends before them.
    mutating func bytes(at offset: UInt64, count: Int) throws(ArchiveError) -> ArraySlice<UInt8>? {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, end <= size else { return nil }
        if offset < windowOffset || end > windowOffset + UInt64(window.count) { try load(at: offset, count: count) }
        let start = Int(offset - windowOffset)
        // The file may have become shorter.
        guard start + count <= window.count else { return nil }
        return window[start..<start + count]
    }

    private mutating func load(at offset: UInt64, count: Int) throws(ArchiveError) {
        let wanted = Int(min(UInt64(max(count, 32 << 10)), size - offset))
        var failure: ArchiveError?
        window = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            do throws(ArchiveError) {
                filled = try file.read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                failure = error
            }
        }
        windowOffset = offset
        if let failure { throw failure }
    }

    /// Gives what lies there, a piece at a time.
    func forEachPiece(
        from offset: UInt64,
        count: UInt64,
        _ body: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        guard count > 0 else { return }
        let capacity = Int(min(count, 256 << 10))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        defer { buffer.deallocate() }
        var position = offset
        while position < offset + count {
            let wanted = Int(min(UInt64(capacity), offset + count - position))
            let got = try file.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            // The file became shorter: whoever counts notices.
            guard got > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            position += UInt64(got)
        }
    }
}
