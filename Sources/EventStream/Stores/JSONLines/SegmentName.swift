/// How the files of a session directory are named.
///
/// `events-0000000000000000.jsonl` has the events from id 0 on, one per line; `events-0000000000000000.index` beside it says where they
/// are. The next pair begins with the id in its name.
enum SegmentName {
    private static let prefix = "events-"
    private static let logSuffix = ".jsonl"
    private static let digits = 16

    static func log(_ firstID: Int) -> String { prefix + padded(firstID) + logSuffix }

    static func index(_ firstID: Int) -> String { prefix + padded(firstID) + ".index" }

    /// The file that a torn tail is set aside in: with the segment and the offset that it was at.
    static func torn(_ firstID: Int, offset: Int, copy: Int) -> String {
        "torn-" + padded(firstID) + "-\(offset)" + (copy > 0 ? "-\(copy)" : "") + ".part"
    }

    /// The first id of a log file of that name; `nil` for other files.
    static func firstID(ofLog name: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(logSuffix) else { return nil }
        let number = name.dropFirst(prefix.count).dropLast(logSuffix.count)
        guard number.utf8.count >= digits, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(number)
    }

    private static func padded(_ id: Int) -> String {
        let text = String(id)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
