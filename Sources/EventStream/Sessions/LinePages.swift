/// Reads pages of files that have one event per line.
struct LinePages: PageSource {
    private struct File {
        var file: OpenFile
        var size: Int
        /// The event of the first line, and of each line the next; `nil` where any ids may be there.
        var firstID: Int?
    }

    /// Where a block of lines begins.
    private struct Place {
        var offset = 0
        var line = 1
        /// The event that the next line should have; `nil` where any may be there.
        var expectedID: Int?
    }

    private let files: [File]
    private let selection: SessionSelection
    private let total: Int
    private var done = 0
    private var position = 0
    private var place: Place
    /// When going backwards: the blocks of the file that are still to be read.
    private var blocks: [(start: Place, end: Int)] = []

    /// Reads one file.
    init(file path: String, _ selection: SessionSelection) throws(EventStoreError) {
        let file = try OpenFile(path, .reading)
        try self.init([File(file: file, size: file.size())], selection)
    }

    /// Reads the segments of a store as they are, without index.
    init(segmentsIn directory: String, _ selection: SessionSelection) throws(EventStoreError) {
        var files: [File] = []
        for firstID in try Directory.names(in: directory).compactMap(SegmentName.firstID(ofLog:)).sorted() {
            let file = try OpenFile(directory + "/" + SegmentName.log(firstID), .reading)
            files.append(File(file: file, size: try file.size(), firstID: firstID))
        }
        self.init(files, selection)
    }

    private init(_ files: [File], _ selection: SessionSelection) {
        self.files = selection.isReversed ? files.reversed() : files
        self.selection = selection
        total = files.reduce(0) { $0 + $1.size }
        place = Place(expectedID: self.files.first?.firstID)
    }

    mutating func next() -> SessionReader.Page? {
        while position < files.count {
            let file = files[position]
            var page = SessionReader.Page(fraction: 0)
            do throws(EventStoreError) {
                guard let length = try read(file, into: &page) else {
                    nextFile()
                    continue
                }
                done += length
            } catch {
                page.entries.append(.failure(error))
                nextFile()
            }
            if selection.isReversed { page.entries.reverse() }
            page.fraction = total > 0 ? min(1, Double(done) / Double(total)) : 1
            return page
        }
        return nil
    }

    private mutating func nextFile() {
        position += 1
        guard position < files.count else { return }
        place = Place(expectedID: files[position].firstID)
    }

    /// Reads the next block of a file.
    ///
    /// - Returns: How many bytes that were; `nil` at the end.
    private mutating func read(_ file: File, into page: inout SessionReader.Page) throws(EventStoreError) -> Int? {
        guard selection.isReversed else {
            guard place.offset < file.size else { return nil }
            let start = place.offset
            try readBlock(file, to: file.size, into: &page)
            return place.offset - start
        }
        if blocks.isEmpty, place.offset == 0, file.size > 0 { blocks = try blocks(of: file) }
        guard let block = blocks.popLast() else { return nil }
        place = block.start
        while place.offset < block.end { try readBlock(file, to: block.end, into: &page) }
        // So that the file isn't begun again when there are no more blocks.
        place.offset = file.size
        return block.end - block.start.offset
    }

    /// Reads lines from the place on, about a page of them.
    private mutating func readBlock(
        _ file: File,
        to end: Int,
        into page: inout SessionReader.Page
    ) throws(EventStoreError) {
        var place = place
        let start = place.offset
        var size = SessionSelection.pageBytes
        while place.offset == start {
            let limit = min(end, start + size)
            place.offset = try LogScanner.forEachLine(in: file.file, from: start, to: limit) {
                line,
                offset throws(EventStoreError) in
                add(UnsafeRawBufferPointer(rebasing: line.dropLast()), at: offset, of: file, &place, to: &page)
                return true
            }
            guard place.offset == start, limit == end else {
                size *= 2
                continue
            }
            // The last line has no end.
            let rest = try file.file.read(start..<end)
            rest.withUnsafeBytes { add($0, at: start, of: file, &place, to: &page) }
            place.offset = end
        }
        self.place = place
    }

    private func add(
        _ line: UnsafeRawBufferPointer,
        at offset: Int,
        of file: File,
        _ place: inout Place,
        to page: inout SessionReader.Page
    ) {
        defer { place.line += 1 }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }), place.expectedID == nil { return }
        func damage(_ reason: String) {
            page.entries.append(
                .failure(.damaged(path: file.file.path, line: place.line, offset: offset, reason: reason))
            )
        }
        do {
            let event = try Event(jsonBytes: line.assumingMemoryBound(to: UInt8.self))
            if let expected = place.expectedID {
                if event.id != expected { damage("the line has event \(event.id), where event \(expected) belongs") }
                place.expectedID = max(expected, event.id + 1)
            }
            if selection.includes(event) { page.entries.append(.success(event)) }
        } catch {
            damage("\(error)")
            place.expectedID = place.expectedID.map { $0 + 1 }
        }
    }

    /// Where the blocks of a file are, by counting its lines.
    private func blocks(of file: File) throws(EventStoreError) -> [(start: Place, end: Int)] {
        var starts = [Place(expectedID: file.firstID)]
        var line = 1
        try LogScanner.forEachLine(in: file.file, from: 0, to: file.size) { text, offset throws(EventStoreError) in
            line += 1
            let next = offset + text.count
            if next - starts[starts.count - 1].offset >= SessionSelection.pageBytes, next < file.size {
                starts.append(Place(offset: next, line: line, expectedID: file.firstID.map { $0 + line - 1 }))
            }
            return true
        }
        let ends = starts.dropFirst().map(\.offset) + [file.size]
        return Array(zip(starts, ends)).map { (start: $0, end: $1) }
    }
}
