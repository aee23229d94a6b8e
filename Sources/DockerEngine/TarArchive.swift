public import CurlHTTP

/// A tar archive that is written while it is sent: files of any size take no memory.
///
/// ```swift
/// var archive = TarArchive()
/// archive.addDirectory("bin")
/// archive.addFile("bin/server", from: "/usr/lib/server", mode: 0o755)
/// archive.addFile("etc/name", bytes: Array("sandbox\n".utf8))
/// try await engine.putArchive(archive.body, into: "/", of: id)
/// ```
public struct TarArchive: Sendable {
    struct Entry: Sendable {
        enum Content: Sendable {
            case none
            case bytes([UInt8])
            case file(path: String)
        }

        var header: TarHeader
        var content: Content
    }

    /// Why an archive can't be written.
    public enum Problem: Error, Sendable, Hashable {
        /// A file can't be opened or read.
        case unreadable(path: String, systemErrorNumber: Int32)
        /// What was to be a file's content isn't a regular file.
        case notAFile(path: String)
        /// A file became shorter while it was read.
        case truncated(path: String)
    }

    private(set) var entries: [Entry] = []

    /// Creates an archive without entries.
    public init() {}

    /// Adds a file with a content in memory.
    ///
    /// - Parameters:
    ///   - path: the path in the archive. A leading slash is dropped, as `tar` does.
    ///   - mode: permissions, as of `chmod(2)`.
    ///   - modificationTime: seconds since 1970.
    public mutating func addFile(
        _ path: String,
        bytes: [UInt8],
        mode: UInt16 = 0o644,
        userID: Int = 0,
        groupID: Int = 0,
        modificationTime: Int = 0
    ) {
        let header = TarHeader(
            path: Self.relative(path),
            kind: .file,
            size: bytes.count,
            mode: mode,
            userID: userID,
            groupID: groupID,
            modificationTime: modificationTime
        )
        entries.append(Entry(header: header, content: .bytes(bytes)))
    }

    /// Adds a file with the content of one on disk, which is read when the archive is sent.
    ///
    /// - Parameters:
    ///   - path: the path in the archive.
    ///   - source: the file on disk; links are followed.
    ///   - mode: permissions; those of the file if `nil`.
    ///   - modificationTime: seconds since 1970; that of the file if `nil`.
    public mutating func addFile(
        _ path: String,
        from source: String,
        mode: UInt16? = nil,
        userID: Int = 0,
        groupID: Int = 0,
        modificationTime: Int? = nil
    ) {
        let header = TarHeader(
            path: Self.relative(path),
            kind: .file,
            mode: mode ?? Self.modeOfFile,
            userID: userID,
            groupID: groupID,
            modificationTime: modificationTime ?? Self.timeOfFile
        )
        entries.append(Entry(header: header, content: .file(path: source)))
    }

    /// Adds a directory.
    public mutating func addDirectory(
        _ path: String,
        mode: UInt16 = 0o755,
        userID: Int = 0,
        groupID: Int = 0,
        modificationTime: Int = 0
    ) {
        let trimmed = Self.relative(path)
        let header = TarHeader(
            path: trimmed.hasSuffix("/") ? trimmed : trimmed + "/",
            kind: .directory,
            mode: mode,
            userID: userID,
            groupID: groupID,
            modificationTime: modificationTime
        )
        entries.append(Entry(header: header, content: .none))
    }

    /// Adds a symbolic link.
    public mutating func addSymbolicLink(_ path: String, to target: String, userID: Int = 0, groupID: Int = 0) {
        addLink(path, to: target, kind: .symbolicLink, userID: userID, groupID: groupID)
    }

    /// Adds a hard link to an entry that comes before it in the archive.
    public mutating func addHardLink(_ path: String, to target: String) {
        addLink(path, to: Self.relative(target), kind: .hardLink, userID: 0, groupID: 0)
    }

    private mutating func addLink(_ path: String, to target: String, kind: TarHeader.Kind, userID: Int, groupID: Int) {
        var header = TarHeader(path: Self.relative(path), kind: kind, mode: 0o777, userID: userID, groupID: groupID)
        header.linkTarget = target
        entries.append(Entry(header: header, content: .none))
    }

    /// The archive as a request's body.
    public var body: HTTPRequest.Body { .stream(chunks) }

    /// The archive as a sequence of chunks.
    public var chunks: TarChunks { TarChunks(entries: entries) }

    /// Stands for "as the file has it" until that is known.
    static let modeOfFile = UInt16.max
    static let timeOfFile = Int.min

    private static func relative(_ path: String) -> String {
        String(path.drop { $0 == "/" })
    }
}

/// The bytes of a ``TarArchive``, in chunks.
///
/// Each iteration writes it anew.
public struct TarChunks: AsyncSequence, Sendable {
    /// What is read: bytes, never none.
    public typealias Element = [UInt8]
    /// A ``TarArchive/Problem``, or a `CancellationError`.
    public typealias Failure = any Error

    let entries: [TarArchive.Entry]

    /// Writes the archive, from its start.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(entries: entries[...])
    }

    /// Writes the archive as it is asked for.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// Large enough that a hand-over between threads costs little beside the reading.
        private static let chunkSize = 256 * 1024

        fileprivate var entries: ArraySlice<TarArchive.Entry>
        private var file: (reader: FileReader, remaining: Int, size: Int)?
        private var hasEnded = false

        fileprivate init(entries: ArraySlice<TarArchive.Entry>) {
            self.entries = entries
        }

        /// The next bytes; `nil` at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try Task.checkCancellation()
            if let (reader, remaining, size) = file {
                var chunk = try reader.read(Swift.min(remaining, Self.chunkSize))
                guard !chunk.isEmpty else { throw TarArchive.Problem.truncated(path: reader.path) }
                if chunk.count == remaining {
                    file = nil
                    chunk += [UInt8](repeating: 0, count: TarHeader.padding(after: size))
                } else {
                    file = (reader, remaining - chunk.count, size)
                }
                return chunk
            }
            // Small entries go together.
            var chunk: [UInt8] = []
            while file == nil, chunk.count < Self.chunkSize, let entry = entries.popFirst() {
                chunk += try begin(entry)
            }
            if entries.isEmpty && file == nil && !hasEnded {
                hasEnded = true
                chunk += TarHeader.trailer
            }
            return chunk.isEmpty ? nil : chunk
        }

        private mutating func begin(_ entry: TarArchive.Entry) throws -> [UInt8] {
            switch entry.content {
            case .none:
                return entry.header.encoded()
            case .bytes(let bytes):
                return entry.header.encoded() + bytes
                    + [UInt8](repeating: 0, count: TarHeader.padding(after: bytes.count))
            case .file(let path):
                let reader = try FileReader(path: path)
                var header = entry.header
                header.size = reader.size
                if header.mode == TarArchive.modeOfFile { header.mode = reader.permissions }
                if header.modificationTime == TarArchive.timeOfFile {
                    header.modificationTime = reader.modificationTime
                }
                if reader.size > 0 { file = (reader, reader.size, reader.size) }
                return header.encoded()
            }
        }
    }
}
