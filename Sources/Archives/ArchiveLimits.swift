/// What an archive may hold, for one that comes from somebody who isn't trusted.
package struct ArchiveLimits: Sendable, Hashable {
    /// Entries.
    package var entryCount: UInt64
    /// Bytes of all entries, unpacked.
    package var totalSize: UInt64
    /// How many bytes may come out of one byte of the archive.
    ///
    /// Looked at in archives that hold more than ``ratioFloor``. Deflate reaches 1032; source code 4, logs 20.
    package var expansionRatio: UInt64
    /// Bytes up to which any ratio is harmless.
    package var ratioFloor: UInt64

    package init(
        entryCount: UInt64 = 1_000_000,
        totalSize: UInt64 = 64 << 30,
        expansionRatio: UInt64 = 200,
        ratioFloor: UInt64 = 64 << 20
    ) {
        self.entryCount = entryCount
        self.totalSize = totalSize
        self.expansionRatio = expansionRatio
        self.ratioFloor = ratioFloor
    }

    /// The limit that an archive goes beyond by what its directory says, or nil.
    func excess(entryCount: UInt64, totalSize: UInt64, archiveSize: UInt64) -> ArchiveError? {
        if entryCount > self.entryCount {
            return .tooLarge(reason: "the archive has more than \(self.entryCount) entries")
        }
        if totalSize > self.totalSize {
            return .tooLarge(reason: "the archive unpacks to more than \(self.totalSize) bytes")
        }
        if totalSize > ratioFloor, totalSize / expansionRatio > archiveSize {
            return .tooLarge(
                reason: "the archive of \(archiveSize) bytes unpacks to \(totalSize), more than \(expansionRatio) times"
                    + " as much"
            )
        }
        return nil
    }
}
