import Archives
import CurlHTTP

/// How files are copied into a sandbox and out of it.
public struct CopyOptions: Sendable, Hashable {
    /// What becomes of a symbolic link that leads out of the folder that is copied.
    ///
    /// On the other side it would lead to what happens to be there: with a folder from a sandbox, to your own files.
    public enum EscapingLinks: Sendable, Hashable {
        /// Nothing is copied, and the error names the link.
        case refuse
        /// The link is left out, and named in ``CopySummary/leftOut``.
        case leaveOut
    }

    /// What becomes of links that lead out; they are refused by default.
    public var escapingLinks: EscapingLinks
    /// Whether content is compressed on its way, which pays when the sandbox is on another machine.
    public var isCompressed: Bool
    /// Files, folders and links that a copy out of a sandbox may have.
    public var entryLimit: UInt64
    /// Bytes that a copy out of a sandbox may have.
    public var sizeLimit: UInt64

    /// Makes the default options: a million entries, 64 GiB.
    public init(escapingLinks: EscapingLinks = .refuse, isCompressed: Bool = false) {
        let limits = ArchiveLimits()
        self.escapingLinks = escapingLinks
        self.isCompressed = isCompressed
        entryLimit = limits.entryCount
        sizeLimit = limits.totalSize
    }
}

/// What came of a copy.
public struct CopySummary: Sendable, Hashable {
    /// What was left out, and why, in a sentence each: pipes, sockets, devices; escaping links when the options say so; in a copy
    /// out of a sandbox also what its server may not read.
    public var leftOut: [String]

    /// Makes a summary.
    public init(leftOut: [String] = []) {
        self.leftOut = leftOut
    }
}

/// A zip archive from a sandbox, as it arrives: pieces of its bytes, for one reader.
///
/// What is in it isn't checked: unpack it with ``Runtime/copyOut(_:to:options:)``, or with a tool that distrusts it.
public struct SandboxArchive: AsyncSequence, Sendable {
    /// A run of bytes; its boundaries mean nothing.
    public typealias Element = [UInt8]

    /// Whether a folder is packed, or a file; nil when the server didn't say.
    public let isFolder: Bool?
    let path: String
    let body: HTTPResponse.Body

    /// Reads the pieces that haven't been read yet.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var body: HTTPResponse.Body.AsyncIterator
        fileprivate let path: String

        /// The next piece; nil at the end.
        ///
        /// - Throws: ``RuntimeError/copyFailed(path:reason:)`` when the archive breaks off, or `CancellationError`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            do {
                return try await body.next(isolation: actor)
            } catch let error as HTTPError {
                if error.kind == .shutDown { throw CancellationError() }
                throw RuntimeError.copyFailed(path: path, reason: "\(error)")
            }
        }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: body.makeAsyncIterator(), path: path)
    }
}

extension Runtime {
    /// Not supported, unless a runtime says otherwise.
    public func listFiles(in sandboxFolder: String?) async throws -> [String] {
        throw RuntimeError.unsupported(operation: "listing files")
    }

    /// Not supported, unless a runtime says otherwise.
    public func copyIn(
        _ hostPath: String,
        to sandboxFolder: String,
        options: CopyOptions
    ) async throws -> CopySummary {
        throw RuntimeError.unsupported(operation: "copying files")
    }

    /// Not supported, unless a runtime says otherwise.
    public func copyOut(
        _ sandboxPath: String,
        to hostFolder: String,
        options: CopyOptions
    ) async throws -> CopySummary {
        throw RuntimeError.unsupported(operation: "copying files")
    }

    /// Not supported, unless a runtime says otherwise.
    public func archive(of sandboxPath: String, isCompressed: Bool) async throws -> SandboxArchive {
        throw RuntimeError.unsupported(operation: "copying files")
    }

    /// Lists the folder that the sandbox's shell began in.
    ///
    /// - Throws: as ``listFiles(in:)``.
    public func listFiles() async throws -> [String] {
        try await listFiles(in: nil)
    }

    /// Copies with the default options.
    ///
    /// - Throws: as ``copyIn(_:to:options:)``.
    @discardableResult
    public func copyIn(_ hostPath: String, to sandboxFolder: String) async throws -> CopySummary {
        try await copyIn(hostPath, to: sandboxFolder, options: CopyOptions())
    }

    /// Copies with the default options.
    ///
    /// - Throws: as ``copyOut(_:to:options:)``.
    @discardableResult
    public func copyOut(_ sandboxPath: String, to hostFolder: String) async throws -> CopySummary {
        try await copyOut(sandboxPath, to: hostFolder, options: CopyOptions())
    }

    /// Packs without compression.
    ///
    /// - Throws: as ``archive(of:isCompressed:)``.
    public func archive(of sandboxPath: String) async throws -> SandboxArchive {
        try await archive(of: sandboxPath, isCompressed: false)
    }
}
