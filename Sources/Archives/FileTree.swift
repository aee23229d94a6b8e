#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Walks a folder and all that is in it, in the order of names; no link is followed.
///
/// Every method can block.
struct FileTree {
    /// Something in the folder.
    struct Item {
        /// Its path from the folder on.
        var path: EntryPath
        var status: FileStatus
        var content: Content
    }

    enum Content {
        case file(Descriptor)
        case folder
        case symbolicLink(target: [UInt8])
    }

    /// Something that can't be given, and why.
    struct Problem: Error {
        var error: ArchiveError
        /// The path from the folder on.
        var path: [UInt8]
        /// In words that follow the path.
        var reason: String
        /// Whether it is of a kind that is never copied.
        var isSpecial: Bool
    }

    private struct Level {
        var folder: Folder
        var names: [[UInt8]]
        var next = 0
    }

    private var levels: [Level]
    /// The names that lead to the deepest level.
    private var path: [[UInt8]] = []

    init(_ folder: Folder) throws(ArchiveError) {
        levels = [Level(folder: folder, names: try folder.names())]
    }

    /// The next item; nil at the end.
    ///
    /// - Throws: ``Problem``; after it the walk can go on with what comes behind.
    mutating func next() throws(Problem) -> Item? {
        while let level = levels.last {
            guard level.next < level.names.count else {
                levels.removeLast()
                if !path.isEmpty { path.removeLast() }
                continue
            }
            levels[levels.count - 1].next += 1
            let name = level.names[level.next]
            let itemPath = path + [name]
            do throws(ArchiveError) {
                if let item = try open(name, in: level.folder, at: itemPath) { return item }
            } catch {
                let shown = Array(itemPath.joined(separator: [UInt8(ascii: "/")]))
                let isSpecial = if case .conflict = error { true } else { false }
                throw Problem(error: error, path: shown, reason: Self.reason(error), isSpecial: isSpecial)
            }
        }
        return nil
    }

    /// Opens what is there; nil when it has gone since its name was read.
    private mutating func open(
        _ name: [UInt8],
        in folder: Folder,
        at names: [[UInt8]]
    ) throws(ArchiveError) -> Item? {
        guard var status = try folder.status(of: name) else { return nil }
        let path = try EntryPath(Array(names.joined(separator: [UInt8(ascii: "/")])))
        switch status.kind {
        case .file:
            guard let file = try unlessGone({ () throws(ArchiveError) in try folder.file(name) }) else { return nil }
            // It may be another one by now.
            status = try file.status()
            guard status.kind == .file else { throw Self.changed(file.path) }
            return Item(path: path, status: status, content: .file(file))
        case .folder:
            guard let below = try unlessGone({ () throws(ArchiveError) in try folder.folder(name) }) else { return nil }
            levels.append(Level(folder: below, names: try below.names()))
            self.path = names
            return Item(path: path, status: status, content: .folder)
        case .symbolicLink:
            guard let target = try unlessGone({ () throws(ArchiveError) in try folder.linkTarget(name) }) else {
                return nil
            }
            return Item(path: path, status: status, content: .symbolicLink(target: target))
        case .special(let what):
            throw .conflict(path: printable(folder.path(of: name)), reason: "is \(what), which can't be copied")
        }
    }

    private func unlessGone<Value>(
        _ open: () throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value? {
        do throws(ArchiveError) {
            return try open()
        } catch .system(_, _, ENOENT) {
            return nil
        }
    }

    private static func changed(_ path: [UInt8]) -> ArchiveError {
        .conflict(path: printable(path), reason: "was replaced while it was read")
    }

    private static func reason(_ error: ArchiveError) -> String {
        switch error {
        case .system(let operation, _, let code): "could not \(operation) it: \(systemErrorText(code))"
        case .conflict(_, let reason), .refused(_, let reason): reason
        default: "\(error)"
        }
    }
}
