/// What files had before they were edited, so that edits can be undone.
///
/// Of each file the newest version is kept whole; of an older one, what it has in place of a part of the next newer one. So many edits
/// of a file cost about as much as the file. What is beyond the limits is forgotten, the file edited longest ago first.
struct EditHistory: Sendable {
    /// The content of a file before an edit.
    struct Version: Hashable, Sendable {
        var bytes: [UInt8]
        /// Whether its text is shown as it is: the editor made the file with it, and hasn't read it from there.
        var isVerbatim = false
    }

    /// As many versions of a file as the reference keeps.
    static let versionLimit = 10

    private let byteLimit: Int
    private var files: [SystemPath: FileHistory] = [:]
    private var edits = 0
    /// What all versions take.
    private(set) var byteCount = 0

    init(byteLimit: Int = 32 << 20) {
        self.byteLimit = byteLimit
    }

    /// What undoing the last edit of a file brings back.
    func last(of path: SystemPath) -> Version? {
        files[path]?.newest
    }

    mutating func add(_ version: Version, for path: SystemPath) {
        edits += 1
        let number = edits
        change(path) { history in
            history.append(version, limit: Self.versionLimit)
            history.lastEdit = number
        }
        while byteCount > byteLimit, let oldest = files.min(by: { $0.value.lastEdit < $1.value.lastEdit })?.key {
            change(oldest) { $0.removeOldest() }
        }
    }

    mutating func removeLast(of path: SystemPath) {
        change(path) { $0.removeNewest() }
    }

    private mutating func change(_ path: SystemPath, _ body: (inout FileHistory) -> Void) {
        var history = files.removeValue(forKey: path) ?? FileHistory()
        if history.newest != nil { byteCount -= history.byteCount + path.bytes.count }
        body(&history)
        guard history.newest != nil else { return }
        byteCount += history.byteCount + path.bytes.count
        files[path] = history
    }
}

private struct FileHistory: Sendable {
    /// An older version, by what it has in place of a part of the next newer one.
    private struct Difference: Sendable {
        var prefixCount: Int
        var suffixCount: Int
        var middle: [UInt8]
        var isVerbatim: Bool

        init(_ version: EditHistory.Version, before newer: EditHistory.Version) {
            let (old, new) = (version.bytes, newer.bytes)
            let limit = min(old.count, new.count)
            (prefixCount, suffixCount) = old.withUnsafeBufferPointer { old in
                new.withUnsafeBufferPointer { new in
                    var prefix = 0
                    while prefix < limit, old[prefix] == new[prefix] { prefix += 1 }
                    var suffix = 0
                    while suffix < limit - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] {
                        suffix += 1
                    }
                    return (prefix, suffix)
                }
            }
            middle = Array(old[prefixCount..<old.count - suffixCount])
            isVerbatim = version.isVerbatim
        }

        func version(before newer: EditHistory.Version) -> EditHistory.Version {
            let bytes = newer.bytes.prefix(prefixCount) + middle + newer.bytes.suffix(suffixCount)
            return EditHistory.Version(bytes: Array(bytes), isVerbatim: isVerbatim)
        }
    }

    private(set) var newest: EditHistory.Version?
    /// From the oldest to the one before the newest.
    private var older: [Difference] = []
    /// The number of the last edit among those of all files.
    var lastEdit = 0

    /// What is kept, with what an entry takes besides.
    var byteCount: Int {
        let overhead = 128
        return older.reduce((newest?.bytes.count ?? 0) + overhead) { $0 + $1.middle.count + overhead }
    }

    mutating func append(_ version: EditHistory.Version, limit: Int) {
        if let newest { older.append(Difference(newest, before: version)) }
        newest = version
        if older.count >= limit { older.removeFirst() }
    }

    mutating func removeNewest() {
        guard let removed = newest else { return }
        newest = older.popLast()?.version(before: removed)
    }

    mutating func removeOldest() {
        if older.isEmpty { newest = nil } else { older.removeFirst() }
    }
}
