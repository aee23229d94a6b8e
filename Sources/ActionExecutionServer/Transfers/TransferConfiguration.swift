import Archives

/// How files are moved in and out of a sandbox.
public struct TransferConfiguration: Sendable, Hashable {
    /// Entries that an uploaded archive may have.
    public var entryLimit: UInt64
    /// Bytes that an uploaded archive may unpack to.
    public var unpackedSizeLimit: UInt64
    /// How many bytes may come out of each of an uploaded archive that unpacks to more than 64 MiB.
    ///
    /// Deflate reaches 1032; source code 4, logs 20.
    public var expansionLimit: UInt64
    /// Who gets what is uploaded; nil leaves it with the server's user.
    public var owner: Owner?

    /// A user and a group, by their numbers.
    public struct Owner: Sendable, Hashable {
        /// The user's number.
        public var user: UInt32
        /// The group's number.
        public var group: UInt32

        /// Names an owner.
        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    /// Makes the default configuration: a million entries, 64 GiB, 200 times, the server's user.
    public init() {
        let limits = ArchiveLimits()
        entryLimit = limits.entryCount
        unpackedSizeLimit = limits.totalSize
        expansionLimit = limits.expansionRatio
        owner = nil
    }

    var archiveLimits: ArchiveLimits {
        ArchiveLimits(entryCount: entryLimit, totalSize: unpackedSizeLimit, expansionRatio: max(1, expansionLimit))
    }

    var fileOwner: Archives.FileOwner? {
        owner.map { Archives.FileOwner(user: $0.user, group: $0.group) }
    }
}
