import Archives
import CurlHTTP
import EventStream

/// File transfer, with this package's server and with the reference's.
extension ActionExecutionClient {
    /// The names in a folder of the sandbox; see ``Runtime/listFiles(in:)``.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    public func listFiles(in sandboxFolder: String? = nil) async throws -> [String] {
        var request = request("POST", "/list_files", timeout: 60)
        request.headers["Content-Type"] = "application/json"
        let body: JSONObject = sandboxFolder.map { ["path": .string($0)] } ?? [:]
        request.body = .bytes(body.serialized())
        request.resend = .always
        let (head, bytes) = try await sendUntilAnswered(request)
        guard head.status == 200 else { throw RuntimeError.refused(status: head.status, detail: Self.detail(bytes)) }
        guard let names = (try? JSONValue(parsing: bytes))?.arrayValue?.map(\.stringValue), !names.contains(nil) else {
            throw RuntimeError.unexpectedResponse(detail: "POST /list_files gave no list of names")
        }
        return names.compactMap { $0 }
    }

    // MARK: In

    /// Copies a file or a folder into the sandbox; see ``Runtime/copyIn(_:to:options:)``.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    @discardableResult
    public func copyIn(
        _ hostPath: String,
        to sandboxFolder: String,
        options: CopyOptions = CopyOptions()
    ) async throws -> CopySummary {
        let path = Array(hostPath.utf8)
        return try await Self.namingErrors(hostPath) {
            let file = try FileProducer(reading: path)
            switch file.status.kind {
            case .folder: return try await copyFolderIn(path, to: sandboxFolder, options)
            case .file: break
            case .symbolicLink, .special:
                throw RuntimeError.copyFailed(path: hostPath, reason: "it is neither a file nor a folder")
            }
            let name = Self.lastName(path)
            // An archive would be unpacked on arrival; within another one it arrives as it is.
            if name.suffix(4).elementsEqual(".zip".utf8) {
                return try await copyPackedIn(path, prefix: nil, to: sandboxFolder, options)
            }
            let mode = String(file.status.permissions & 0o777, radix: 8)
            let body = MultipartBody(filename: name) { try await file.next() }
            try await upload(body, to: sandboxFolder, query: "recursive=false&mode=\(mode)")
            return CopySummary()
        }
    }

    private func copyFolderIn(
        _ path: [UInt8],
        to sandboxFolder: String,
        _ options: CopyOptions
    ) async throws -> CopySummary {
        guard path.last != UInt8(ascii: "/") else {
            return try await copyPackedIn(path, prefix: nil, to: sandboxFolder, options)
        }
        let name = Self.lastName(path)
        guard name != Array(".".utf8), name != Array("..".utf8) else { throw Self.nameless(path) }
        return try await copyPackedIn(path, prefix: name, to: sandboxFolder, options)
    }

    private func copyPackedIn(
        _ path: [UInt8],
        prefix: [UInt8]?,
        to sandboxFolder: String,
        _ options: CopyOptions
    ) async throws -> CopySummary {
        let archive = try ArchiveProducer(
            packing: path,
            options: ArchiveProducer.Options(
                compression: options.isCompressed ? .deflated : .stored,
                problems: .leaveOutSpecial,
                links: options.escapingLinks == .refuse ? .refuseEscaping : .leaveOutEscaping,
                prefix: prefix
            )
        )
        let body = MultipartBody(filename: Array("archive.zip".utf8)) { try await archive.next() }
        try await upload(body, to: sandboxFolder, query: "recursive=true")
        return CopySummary(leftOut: await archive.notes)
    }

    private func upload(_ body: MultipartBody, to sandboxFolder: String, query: String) async throws {
        let destination = PercentCoding.encode(FileNameText.bytes(of: sandboxFolder))
        var request = request("POST", "/upload_file?destination=\(destination)&\(query)", timeout: nil)
        request.timeouts.idle = Self.patience
        request.headers["Content-Type"] = body.contentType
        request.body = .stream(body)
        let (head, bytes) = try await send(request)
        guard head.status == 200 else { throw RuntimeError.refused(status: head.status, detail: Self.detail(bytes)) }
    }

    // MARK: Out

    /// Copies a file or a folder out of the sandbox; see ``Runtime/copyOut(_:to:options:)``.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    @discardableResult
    public func copyOut(
        _ sandboxPath: String,
        to hostFolder: String,
        options: CopyOptions = CopyOptions()
    ) async throws -> CopySummary {
        let path = FileNameText.bytes(of: sandboxPath)
        let name = Self.lastName(path)
        let isContentOnly = path.last == UInt8(ascii: "/")
        guard isContentOnly || !name.isEmpty && name != Array(".".utf8) && name != Array("..".utf8) else {
            throw Self.nameless(path)
        }
        return try await Self.namingErrors(sandboxPath) {
            let archive = try await archive(of: sandboxPath, isCompressed: options.isCompressed)
            var unpacking = UnpackingOptions(
                limits: ArchiveLimits(
                    entryCount: options.entryLimit,
                    totalSize: options.sizeLimit,
                    expansionRatio: 1032
                ),
                links: options.escapingLinks == .refuse ? .refuseEscaping : .leaveOutEscaping
            )
            switch archive.isFolder {
            case false: unpacking.expectation = .file(name)
            case true: unpacking.prefix = isContentOnly ? nil : name
            default:
                // The reference's server, which packs no single files, and of folders only what has files in it.
                unpacking.expectation = .something
                unpacking.prefix = isContentOnly ? nil : name
            }
            let receiver = try ArchiveReceiver(folder: Array(hostFolder.utf8), options: unpacking)
            for try await piece in archive { try await receiver.append(piece) }
            return CopySummary(leftOut: try await receiver.finish()?.leftOut ?? [])
        }
    }

    /// A zip archive of a file or a folder in the sandbox; see ``Runtime/archive(of:isCompressed:)``.
    ///
    /// - Throws: ``RuntimeError``, or `CancellationError`.
    public func archive(of sandboxPath: String, isCompressed: Bool = false) async throws -> SandboxArchive {
        let path = PercentCoding.encode(FileNameText.bytes(of: sandboxPath))
        let compression = isCompressed ? "&compression=deflated" : ""
        var request = request("GET", "/download_files?path=\(path)\(compression)", timeout: nil)
        request.timeouts.idle = Self.patience
        return try await Self.namingErrors(sandboxPath) {
            let response = try await open(request)
            guard response.status == 200 else {
                let body = try await response.body.collect(upTo: 1 << 20)
                throw RuntimeError.refused(status: response.status, detail: Self.detail(body))
            }
            return SandboxArchive(
                isFolder: response.headers["Path-Type"].map { $0 == "folder" },
                path: sandboxPath,
                body: response.body
            )
        }
    }

    // MARK: Names and errors

    /// How long no byte may move: the other side may have to unpack much before it answers.
    private static let patience = Duration.seconds(600)

    private static func lastName(_ path: [UInt8]) -> [UInt8] {
        path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
    }

    private static func nameless(_ path: [UInt8]) -> RuntimeError {
        .copyFailed(
            path: printable(path),
            reason: "it has no name; put a slash at its end to copy what is in the folder, or give its full path"
        )
    }

    /// Turns the errors of archives and connections into the runtime's.
    private static func namingErrors<Value: Sendable>(
        _ path: String,
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch ArchiveError.cancelled {
            throw CancellationError()
        } catch let error as ArchiveError {
            throw RuntimeError.copyFailed(path: path, reason: "\(error)")
        } catch let error as HTTPError {
            switch error.kind {
            case .shutDown: throw CancellationError()
            case .couldNotConnect, .timedOut(.connect): throw RuntimeError.disconnected(reason: "\(error)")
            default: throw RuntimeError.copyFailed(path: path, reason: "\(error)")
            }
        }
    }
}
