#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The processes of the system, as far as `/proc` shows them; without it there are none.
enum ProcessTable {
    private struct Entry {
        var process: pid_t
        var parent: pid_t
        var group: pid_t
        var session: pid_t
    }

    /// The processes below another, also those that have exited and weren't reaped.
    static func descendants(of ancestor: pid_t) -> [pid_t] {
        let children = Dictionary(grouping: entries(), by: \.parent)
        var found: [pid_t] = []
        var open = children[ancestor] ?? []
        while let entry = open.popLast() {
            found.append(entry.process)
            open += children[entry.process] ?? []
        }
        return found
    }

    /// The processes of a session.
    static func members(ofSession session: pid_t) -> [pid_t] {
        entries().filter { $0.session == session }.map(\.process)
    }

    /// The processes of a process group.
    static func members(ofGroup group: pid_t) -> [pid_t] {
        entries().filter { $0.group == group }.map(\.process)
    }

    private static func entries() -> [Entry] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var entries: [Entry] = []
        while let next = readdir(directory) {
            let name = withUnsafeBytes(of: next.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = pid_t(name), let entry = entry(of: process) { entries.append(entry) }
        }
        return entries
    }

    /// Fields 4 to 6 of `/proc/PID/stat`, counted after the name, which may hold anything.
    private static func entry(of process: pid_t) -> Entry? {
        guard let bytes = try? FileAccess.read("/proc/\(process)/stat", limit: 4096),
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " ")).prefix(4)
            .map { pid_t(String(decoding: $0, as: UTF8.self)) }
        guard fields.count == 4, let parent = fields[1], let group = fields[2], let session = fields[3] else {
            return nil
        }
        return Entry(process: process, parent: parent, group: group, session: session)
    }
}
