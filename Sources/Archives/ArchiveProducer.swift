#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Packs a file or a folder into a zip archive, a piece at a time, as it is asked for them.
package actor ArchiveProducer {
    /// What becomes of what can't be packed: left out, it is named in the archive's comment; else packing fails.
    package enum ProblemPolicy: Sendable, Hashable {
        case fail
        /// Pipes, sockets and devices are left out; what can't be read fails.
        case leaveOutSpecial
        /// What can't be read is left out too.
        case leaveOut
    }

    /// What becomes of symbolic links.
    package enum LinkPolicy: Sendable, Hashable {
        /// All are packed, as links.
        case keepAll
        /// Those that lead out of the folder make it fail.
        case refuseEscaping
        /// Those that lead out of the folder are left out, and the archive's comment says so.
        case leaveOutEscaping
    }

    /// How something is packed.
    package struct Options: Sendable, Hashable {
        package var compression: ZipWriter.Compression
        package var problems: ProblemPolicy
        package var links: LinkPolicy
        /// A folder in the archive that all goes into; nil for none.
        package var prefix: [UInt8]?

        package init(
            compression: ZipWriter.Compression = .stored,
            problems: ProblemPolicy = .fail,
            links: LinkPolicy = .keepAll,
            prefix: [UInt8]? = nil
        ) {
            self.compression = compression
            self.problems = problems
            self.links = links
            self.prefix = prefix
        }
    }

    private struct OpenFile {
        var file: Descriptor
        var left: UInt64
    }

    private let executor = FileExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Whether it is a folder that is packed.
    package nonisolated let isFolder: Bool

    private let options: Options
    private var writer: ZipWriter
    private var tree: FileTree?
    private var open: OpenFile?
    /// What was left out so far, and why: a line each.
    package private(set) var notes: [String] = []
    private var hasEnded = false

    /// Bytes of a piece, and the size up to which a file is written with its sums before it.
    private static let pieceSize = 256 << 10
    /// Bytes that are read of a file that says it is empty: those of `/proc` do.
    private static let unknownSizeLimit: UInt64 = 16 << 20

    /// Opens what is to be packed.
    ///
    /// This can block.
    ///
    /// - Parameter path: of a file, which becomes the archive's only entry, or of a folder, whose content does. A link is
    ///   followed.
    package init(packing path: [UInt8], options: Options) throws(ArchiveError) {
        guard !path.contains(0) else { throw .failed(to: "use the path", path, code: EINVAL) }
        let number = systemOpen(path.cString, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { throw .failed(to: "open", path) }
        let root = Descriptor(number, path: path)
        let status = try root.status()
        writer = try ZipWriter(compression: options.compression)
        self.options = options
        switch status.kind {
        case .folder:
            isFolder = true
            tree = try FileTree(try Folder(path: path))
            if let prefix = options.prefix {
                writer.add(Self.entry(prefix, kind: .folder, status))
            }
        case .file:
            isFolder = false
            let name = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? path
            open = try Self.add(root, status, name: name, to: &writer)
        case .symbolicLink, .special:
            let what = if case .special(let what) = status.kind { what } else { "a link" }
            throw .conflict(path: printable(path), reason: "is \(what); files and folders can be copied")
        }
    }

    /// The next piece of the archive; nil at its end.
    package func next() throws(ArchiveError) -> [UInt8]? {
        while writer.outputCount < Self.pieceSize, !hasEnded {
            if open != nil {
                try copyPiece()
            } else if let item = try nextItem() {
                try add(item)
            } else {
                writer.finish(comment: ArchiveNotes.comment(notes))
                hasEnded = true
            }
        }
        let piece = writer.takeOutput()
        return piece.isEmpty ? nil : piece
    }

    private func nextItem() throws(ArchiveError) -> FileTree.Item? {
        while true {
            do throws(FileTree.Problem) {
                return try tree?.next()
            } catch {
                guard options.problems == .leaveOut || (options.problems == .leaveOutSpecial && error.isSpecial) else {
                    throw error.error
                }
                notes.append("\(printable(error.path)) \(error.reason)")
            }
        }
    }

    private func add(_ item: FileTree.Item) throws(ArchiveError) {
        let name = (options.prefix.map { $0 + [UInt8(ascii: "/")] } ?? []) + item.path.joined
        switch item.content {
        case .folder:
            writer.add(Self.entry(name, kind: .folder, item.status))
        case .symbolicLink(let target):
            guard try mayAddLink(item, to: target) else { return }
            writer.add(Self.entry(name, kind: .symbolicLink, item.status), content: target)
        case .file(let file):
            do throws(ArchiveError) {
                open = try Self.add(file, item.status, name: name, to: &writer)
            } catch {
                // Nothing of it is written yet.
                guard options.problems == .leaveOut else { throw error }
                notes.append("\(printable(item.path.joined)) could not be read")
            }
        }
    }

    private func mayAddLink(_ item: FileTree.Item, to target: [UInt8]) throws(ArchiveError) -> Bool {
        guard options.links != .keepAll, !item.path.keepsInside(linkTarget: target) else { return true }
        let shown = printable(item.path.joined)
        let reason = "is a symbolic link that leads out of the folder, to \(printable(target))"
        guard options.links == .leaveOutEscaping else { throw .conflict(path: shown, reason: reason) }
        notes.append("\(shown) \(reason)")
        return false
    }

    /// Adds a small file, or begins a larger one.
    private static func add(
        _ file: Descriptor,
        _ status: FileStatus,
        name: [UInt8],
        to writer: inout ZipWriter
    ) throws(ArchiveError) -> OpenFile? {
        let entry = entry(name, kind: .file, status)
        // What is written to it meanwhile isn't waited for.
        let limit = status.size == 0 ? unknownSizeLimit : status.size
        guard status.size > pieceSize else {
            let content = try file.read(atMost: pieceSize)
            if content.count < pieceSize || status.size == content.count {
                writer.add(entry, content: content)
                return nil
            }
            writer.begin(entry, sizeLimit: limit)
            writer.append(content)
            return OpenFile(file: file, left: limit - UInt64(content.count))
        }
        writer.begin(entry, sizeLimit: limit)
        return OpenFile(file: file, left: limit)
    }

    private func copyPiece() throws(ArchiveError) {
        guard var current = open.take() else { return }
        let wanted = Int(min(current.left, UInt64(Self.pieceSize)))
        let piece = try current.file.read(atMost: wanted)
        writer.append(piece)
        current.left -= UInt64(piece.count)
        // One that became shorter ends there.
        if piece.count < wanted || current.left == 0 { writer.endEntry() } else { open = current }
    }

    private static func entry(
        _ name: [UInt8],
        kind: ZipWriter.Entry.Kind,
        _ status: FileStatus
    ) -> ZipWriter.Entry {
        ZipWriter.Entry(
            name: name,
            kind: kind,
            permissions: status.permissions & 0o777,
            modificationTime: status.modificationTime
        )
    }
}

/// What an archive's comment says of things that were left out: a line for each.
package enum ArchiveNotes {
    private static let heading = "Left out:"

    static func comment(_ notes: [String]) -> [UInt8] {
        guard !notes.isEmpty else { return [] }
        var comment = Array(heading.utf8)
        for (index, note) in notes.enumerated() {
            let line = Array("\n\(note)".utf8)
            // Room for the last line.
            guard comment.count + line.count < ZipRecord.commentLimit - 64 else {
                comment += Array("\n… and \(notes.count - index) more".utf8)
                break
            }
            comment += line
        }
        return comment
    }

    /// The lines of a comment that was made here; none of any other.
    package static func notes(in comment: [UInt8]) -> [String] {
        let lines = String(decoding: comment, as: UTF8.self).split(separator: "\n")
        return lines.first == heading[...] ? lines.dropFirst().map(String.init) : []
    }
}

/// `open` of the C library, which a property of the same name would hide.
private func systemOpen(_ path: [CChar], _ flags: Int32) -> Int32 {
    open(path, flags)
}
