import Archives
import EventStream

/// The routes that move files (reference: `openhands/runtime/action_execution_server.py`).
///
/// Beyond the reference, `POST /upload_file` takes `mode` in its query, the permissions of a single file in octal digits;
/// `GET /download_files` takes `compression`, which is `stored` or `deflated`, and answers in `Path-Type` whether what it sends
/// is a `file` or a `folder`.
struct FileTransfers: Sendable {
    private let configuration: TransferConfiguration
    /// What relative paths of listings are relative to.
    private let directory: String

    init(_ configuration: TransferConfiguration, directory: String) {
        self.configuration = configuration
        self.directory = directory
    }

    /// `POST /list_files` with `{"path": …}`; without it, the folder that the shell began in.
    func list(_ body: [UInt8]) async -> HTTPResponse {
        var path = FileNameText.bytes(of: directory)
        if !body.isEmpty {
            guard let json = try? JSONValue(parsing: body), case .object(let members) = json else {
                return HTTPResponse(detail: "The body must be {\"path\": a string}", status: 422)
            }
            switch members["path"] {
            case .string(let text): path = Self.absolute(FileNameText.bytes(of: text), in: path)
            case nil, .null: break
            default: return HTTPResponse(detail: "The path must be a string", status: 422)
            }
        }
        let listed = path
        let result = await offload { Result { () throws(ArchiveError) in try FileNames.sorted(in: listed) } }
        switch result {
        case .success(let names): return HTTPResponse(json: JSONValue.array(names.map { .string($0) }).serialized())
        case .failure(let error): return HTTPResponse(error)
        }
    }

    private static func absolute(_ path: [UInt8], in directory: [UInt8]) -> [UInt8] {
        path.first == UInt8(ascii: "/") ? path : directory + [UInt8(ascii: "/")] + path
    }

    // MARK: Out

    /// `GET /download_files?path=…`: a zip archive of a folder's content, or of a file.
    func download(_ head: HTTPRequestHead) async -> HTTPResponse {
        let query = QueryParameters(target: head.target)
        guard let path = query["path"] else { return HTTPResponse(detail: "The query must name a path", status: 422) }
        guard path.first == UInt8(ascii: "/") else {
            return HTTPResponse(detail: "Path must be an absolute path", status: 400)
        }
        var options = ArchiveProducer.Options(problems: .leaveOut)
        if let name = query["compression"] {
            guard let compression = ZipWriter.Compression(rawValue: String(decoding: name, as: UTF8.self)) else {
                return HTTPResponse(detail: "The compression must be stored or deflated", status: 422)
            }
            options.compression = compression
        }
        let chosen = options
        let opened = await offload {
            Result { () throws(ArchiveError) in try ArchiveProducer(packing: path, options: chosen) }
        }
        switch opened {
        case .failure(let error):
            return error.isMissing ? HTTPResponse(detail: "File not found", status: 404) : HTTPResponse(error)
        case .success(let archive):
            let headers: HTTPHeaders = [
                "content-type": "application/zip",
                "content-disposition": Self.disposition(path),
                "path-type": archive.isFolder ? "folder" : "file",
            ]
            return HTTPResponse(
                status: 200,
                headers: headers,
                body: .stream { writer in
                    var piece = try await archive.next()
                    while let current = piece {
                        // Packed while this one is sent.
                        async let next = archive.next()
                        try await writer.write(current)
                        piece = try await next
                    }
                }
            )
        }
    }

    /// The name that a browser would give the archive, in the reference's form.
    private static func disposition(_ path: [UInt8]) -> String {
        // As Python's `os.path.basename`: nothing behind a slash at the end.
        let name = Array(path.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed()) + Array(".zip".utf8)
        let encoded = PercentCoding.encode(name)
        return encoded.utf8.elementsEqual(name)
            ? "attachment; filename=\"\(encoded)\"" : "attachment; filename*=utf-8''\(encoded)"
    }

    // MARK: In

    /// `POST /upload_file?destination=…&recursive=…` with the file in a form.
    func upload(_ head: HTTPRequestHead, _ body: HTTPBodyReader) async throws(HTTPBodyError) -> HTTPResponse {
        do {
            let target = try UploadTarget(QueryParameters(target: head.target))
            var form = try MultipartParser(contentType: head.headers.single("content-type") ?? "")
            var upload = Upload(target: target, configuration: configuration)
            while let piece = try await body.next() {
                form.append(piece)
                while let event = try form.next() { try await upload.take(event) }
            }
            try form.finish()
            return try await upload.finish()
        } catch let error as HTTPBodyError {
            throw error
        } catch let error as MultipartError {
            return HTTPResponse(detail: error.detail, status: error.status)
        } catch let error as UploadError {
            return HTTPResponse(detail: error.detail, status: error.status)
        } catch ArchiveError.cancelled {
            throw .cancelled
        } catch let error as ArchiveError {
            return HTTPResponse(error)
        } catch {
            return HTTPResponse(detail: "\(error)", status: 500)
        }
    }
}

extension HTTPResponse {
    /// What an error of files and archives is answered with.
    init(_ error: ArchiveError) {
        let status =
            switch error {
            case .notAnArchive, .empty, .damaged, .unsupported, .refused, .noName: 400
            case .conflict: 409
            case .cancelled: 503
            case .tooLarge: 413
            case .system: error.status
            }
        self.init(detail: "\(error)", status: status)
    }
}
