/// Takes a file in, a piece at a time.
///
/// It appears in its folder when it is complete; when the receiver is let go before, nothing is left of it.
package actor FileReceiver {
    private let executor = FileExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let name: [UInt8]
    private let permissions: UInt16?
    /// nil once the file was put in place, or could not be.
    private var area: StagingArea?
    private let file: Descriptor

    /// Makes the folder that the file is to go into where it is missing, and a hidden one in it.
    ///
    /// This can block.
    ///
    /// - Parameters:
    ///   - name: the file's; a single one, not a path.
    ///   - permissions: nil for those of the file that is replaced, or else those that anybody may read.
    ///   - owner: gets the file; nil for the owner of the one that is replaced, or else the process's user.
    package init(
        folder: [UInt8],
        name: [UInt8],
        permissions: UInt16?,
        owner: FileOwner?
    ) throws(ArchiveError) {
        try EntryPath.checkName(name)
        self.name = name
        self.permissions = permissions
        let area = try StagingArea(in: folder, owner: owner)
        file = try area.makeFile(name)
        self.area = consume area
    }

    package func append(_ bytes: [UInt8]) throws(ArchiveError) {
        try file.write(bytes)
    }

    /// Puts the file in place of what has its name.
    package func finish() throws(ArchiveError) {
        guard var area = area.take() else { return }
        let replaced = try area.destinationStatus(of: name)
        let kept = replaced?.kind == .file ? replaced?.permissions : nil
        try file.setPermissions((permissions ?? kept ?? 0o644) & 0o777)
        try area.commit()
    }
}

/// Takes an archive in, a piece at a time, and unpacks it when it is complete.
///
/// Nothing appears in the folder before all of it was unpacked beside and found intact; when the receiver is let go before,
/// nothing is left of it.
package actor ArchiveReceiver {
    /// What was unpacked.
    package struct Summary: Sendable, Hashable {
        /// Entries of any kind.
        package var entryCount: UInt64
        /// Bytes of all files.
        package var size: UInt64
        /// What was left out, and why: a line each.
        package var leftOut: [String]
    }

    private let executor = FileExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let options: UnpackingOptions
    /// nil once the archive was unpacked, or could not be.
    private var area: StagingArea?
    private let archive: Descriptor

    /// Makes the folder that the archive is to be unpacked into where it is missing, and a hidden one in it.
    ///
    /// This can block.
    package init(folder: [UInt8], options: UnpackingOptions) throws(ArchiveError) {
        self.options = options
        let area = try StagingArea(in: folder, owner: options.owner)
        archive = try area.makeUnnamedFile()
        self.area = consume area
    }

    package func append(_ bytes: [UInt8]) throws(ArchiveError) {
        try archive.write(bytes)
    }

    /// Unpacks the archive and puts its content in place: folders are merged, files replace files.
    ///
    /// - Returns: what was unpacked; nil when that was told before.
    package func finish() throws(ArchiveError) -> Summary? {
        // Whatever comes of it, what is left is removed at the end of this call: that can take its time.
        guard var area = area.take() else { return nil }
        let reader = try ZipReader(archive, limits: options.limits)
        try checkExpectation(reader)
        var unpacking = try Unpacking(into: area.folder, options: options)
        try unpacking.unpack(reader)
        try area.commit()
        return Summary(
            entryCount: reader.entryCount,
            size: reader.totalSize,
            leftOut: ArchiveNotes.notes(in: reader.comment) + unpacking.leftOut
        )
    }
    private func checkExpectation(_ reader: ZipReader) throws(ArchiveError) {
        switch options.expectation {
        case .anything: return
        case .something:
            guard reader.entryCount > 0 else { throw .empty }
        case .file(let name):
            try reader.forEachEntry { entry throws(ArchiveError) in
                guard entry.kind == .file, entry.name == name else {
                    throw .refused(
                        entry: printable(entry.name),
                        reason: "only the file \(printable(name)) was asked for"
                    )
                }
            }
            guard reader.entryCount == 1 else { throw .notAnArchive(reason: "there is no file in it") }
        }
    }
}
