import Archives
import EventStream

/// What is wrong with an upload besides its form.
struct UploadError: Error {
    var detail: String
    var status: Int
}

/// Where an upload goes, as its query says.
struct UploadTarget {
    var destination: [UInt8]
    var isRecursive: Bool
    var permissions: UInt16?

    init(_ query: QueryParameters) throws(UploadError) {
        destination = query["destination"] ?? [UInt8(ascii: "/")]
        guard destination.first == UInt8(ascii: "/") else {
            throw UploadError(detail: "Destination must be an absolute path", status: 400)
        }
        // The spellings that the reference understands.
        switch query["recursive"].map({ String(decoding: $0, as: UTF8.self).lowercased() }) {
        case nil, "false", "0", "off", "f", "no", "n": isRecursive = false
        case "true", "1", "on", "t", "yes", "y": isRecursive = true
        case let other?: throw UploadError(detail: "recursive must be true or false, not \(other)", status: 422)
        }
        permissions = nil
        if let mode = query["mode"] {
            permissions = UInt16(String(decoding: mode, as: UTF8.self), radix: 8)
            guard let permissions, permissions <= 0o777 else {
                throw UploadError(detail: "mode must be octal digits up to 777", status: 422)
            }
        }
    }
}

/// An upload while its form arrives.
///
/// Let go of before the end, it leaves nothing.
struct Upload {
    private enum Receiver {
        case file(FileReceiver)
        case archive(ArchiveReceiver)
    }

    private let target: UploadTarget
    private let configuration: TransferConfiguration
    private var receiver: Receiver?
    private var filename: [UInt8] = []
    /// Whether the part that arrives is the file.
    private var isInFile = false

    init(target: UploadTarget, configuration: TransferConfiguration) {
        self.target = target
        self.configuration = configuration
    }

    mutating func take(_ event: MultipartParser.Event) async throws {
        switch event {
        case .part(let part):
            guard part.name == Array("file".utf8) else { return }
            guard receiver == nil else { throw UploadError(detail: "The form has two files", status: 422) }
            guard let filename = part.filename, !filename.isEmpty else {
                throw UploadError(detail: "The file in the form has no name", status: 422)
            }
            self.filename = filename
            receiver = try await makeReceiver()
            isInFile = true
        case .data(let bytes):
            guard isInFile else { return }
            switch receiver {
            case .file(let file): try await file.append(bytes)
            case .archive(let archive): try await archive.append(bytes)
            case nil: break
            }
        case .partEnd: isInFile = false
        case .end: break
        }
    }

    /// Puts what was uploaded in place.
    func finish() async throws -> HTTPResponse {
        switch receiver {
        case .file(let file): try await file.finish()
        case .archive(let archive): _ = try await archive.finish()
        case nil: throw UploadError(detail: "The form has no part named file", status: 422)
        }
        return HTTPResponse(json: [
            "filename": .string(FileNameText.text(for: filename)),
            "destination": .string(FileNameText.text(for: target.destination)),
            "recursive": .bool(target.isRecursive),
        ])
    }

    /// As in the reference, an archive is unpacked whether it is asked for or not.
    private func makeReceiver() async throws -> Receiver {
        let isArchive = filename.suffix(4).elementsEqual(".zip".utf8)
        if target.isRecursive, !isArchive {
            throw UploadError(detail: "Recursive uploads must be zip files", status: 400)
        }
        let (filename, target, configuration) = (filename, target, configuration)
        let owner = configuration.fileOwner
        let result = await offload {
            Result { () throws(ArchiveError) -> Receiver in
                guard !isArchive else {
                    let options = UnpackingOptions(limits: configuration.archiveLimits, owner: owner)
                    return .archive(try ArchiveReceiver(folder: target.destination, options: options))
                }
                return .file(
                    try FileReceiver(
                        folder: target.destination,
                        name: filename,
                        permissions: target.permissions,
                        owner: owner
                    )
                )
            }
        }
        return try result.get()
    }
}
