import EventStream

/// `read` and `write` actions (reference: `openhands/runtime/action_execution_server.py` and `utils/files.py`).
///
/// Every function can block: call them by `offload`.
enum FileActions {
    /// Bytes beyond which a file, or what is asked for of it, isn't read into an observation.
    static let sizeLimit = 64 << 20

    /// The reference's text for files that are neither text nor shown otherwise.
    static let binaryFile = "ERROR_BINARY_FILE"

    // MARK: Reading

    /// Reads a file: lines of text, or images, PDF and video as data URLs.
    ///
    /// - Parameter directory: what a relative path is relative to.
    /// - Parameter sizeLimit: see ``sizeLimit``.
    static func read(_ action: FileReadAction, in directory: String, sizeLimit: Int = sizeLimit) -> Observation {
        let path = absolute(action.path, in: directory)
        do throws(FileAccess.Failure) {
            if let mediaType = mediaType(of: path) {
                let content = "data:\(mediaType);base64,\(Base64.encode(try FileAccess.read(path, limit: sizeLimit)))"
                return .read(FileReadObservation(content: content, path: "\(path)"))
            }
            let beginning = try FileAccess.readBeginning(path, count: BinaryCheck.sampleSize)
            if BinaryCheck.isBinary(path, beginning: beginning) { return failure(binaryFile) }
            return try readText(path, action, isUTF16: isUTF16(beginning), sizeLimit: sizeLimit)
        } catch {
            if error.isMissing {
                return failure("File not found: \(path). Your current working directory is \(directory).")
            }
            return failure(text(for: error, path: path, verb: "read"))
        }
    }

    private static func readText(
        _ path: SystemPath,
        _ action: FileReadAction,
        isUTF16: Bool,
        sizeLimit: Int
    ) throws(FileAccess.Failure) -> Observation {
        var bytes: [UInt8]
        let isWhole = action.start <= 0 && action.end == -1
        if isWhole || isUTF16 {
            bytes = try FileAccess.read(path, limit: sizeLimit)
        } else {
            bytes = try lines(of: path, action, sizeLimit: sizeLimit)
        }
        do throws(TextEncoding.DecodingFailure) {
            let (encoding, text) = try TextEncoding.decode(bytes)
            // The mark of UTF-8 is a character to the reference.
            if case .utf8 = encoding {} else { bytes = text }
        } catch {
            return failure("File could not be decoded as utf-8: \(path).")
        }
        if isUTF16, !isWhole { bytes = lines(of: bytes, action) }
        return .read(FileReadObservation(content: WireText.text(of: bytes), path: "\(path)"))
    }

    private static func isUTF16(_ beginning: [UInt8]) -> Bool {
        if case .utf16? = TextEncoding.marked(beginning) { true } else { false }
    }

    /// The lines that are asked for, without holding the others.
    private static func lines(
        of path: SystemPath,
        _ action: FileReadAction,
        sizeLimit: Int
    ) throws(FileAccess.Failure) -> [UInt8] {
        var counter = LineScanner(keeping: 0..<0, byteLimit: 0, keepsLineEnds: true)
        try FileAccess.forEachChunk(path) { chunk in
            counter.feed(chunk)
            return true
        }
        let range = range(from: action.start, to: action.end, lineCount: counter.lineCount)
        var scanner = LineScanner(keeping: range, byteLimit: sizeLimit, keepsLineEnds: true)
        try FileAccess.forEachChunk(path) { chunk in
            scanner.feed(chunk)
            return !scanner.isDone && !scanner.isOverLimit
        }
        if scanner.isOverLimit { throw .tooLarge(size: scanner.kept.count, limit: sizeLimit) }
        return scanner.kept
    }

    private static func lines(of text: [UInt8], _ action: FileReadAction) -> [UInt8] {
        text.withUnsafeBytes { bytes in
            var counter = LineScanner(keeping: 0..<0, byteLimit: 0, keepsLineEnds: true)
            counter.feed(bytes)
            let range = range(from: action.start, to: action.end, lineCount: counter.lineCount)
            var scanner = LineScanner(keeping: range, byteLimit: text.count, keepsLineEnds: true)
            scanner.feed(bytes)
            return scanner.kept
        }
    }

    /// The lines that the reference's `read_lines` picks.
    private static func range(from start: Int, to end: Int, lineCount: Int) -> Range<Int> {
        let start = min(max(start, 0), lineCount)
        if end == -1 { return start..<lineCount }
        let first = max(0, min(start, lineCount - 2))
        let last = min(max(end, 0), lineCount)
        return first..<max(first, min(lineCount, max(first + 1, last)))
    }

    // MARK: Writing

    /// Writes a file, or replaces the lines of it from `start` up to `end`.
    ///
    /// - Parameter directory: what a relative path is relative to.
    static func write(_ action: FileWriteAction, in directory: String) -> Observation {
        let path = absolute(action.path, in: directory)
        var content = WireText.bytes(of: action.content)
        if content.last != UInt8(ascii: "\n") { content.append(UInt8(ascii: "\n")) }
        do {
            var bytes = try TextEncoding.utf8(hasMark: false).encode(content)
            if action.start != 0 || action.end != -1, let existing = try existingBytes(path) {
                bytes = try TextFile(existing).bytes(replacingLinesFrom: action.start, to: action.end, with: content)
            }
            try FileReplacement.replace(path, with: bytes, creation: .withDirectories(mode: 0o664))
        } catch let error as FileAccess.Failure {
            if error.isMissing { return failure("File not found: \(path)") }
            return failure(text(for: error, path: path, verb: "write to"))
        } catch is TextEncoding.DecodingFailure {
            // What isn't text would not be the same afterwards.
            return failure("File could not be decoded as utf-8: \(path)")
        } catch {
            return failure("Ran into \(error) while trying to write to \(path)")
        }
        return .write(FileWriteObservation(content: "", path: "\(path)"))
    }

    private static func existingBytes(_ path: SystemPath) throws(FileAccess.Failure) -> [UInt8]? {
        do throws(FileAccess.Failure) {
            return try FileAccess.read(path, limit: sizeLimit)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    // MARK: Paths, types, texts

    private static func absolute(_ path: String, in directory: String) -> SystemPath {
        SystemPath(directory).appending(SystemPath(path)).normalized
    }

    /// The types that the reference hands to models as data URLs.
    private static func mediaType(of path: SystemPath) -> String? {
        switch path.name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).dropFirst().last
            .map({ String(decoding: $0, as: UTF8.self).lowercased() })
        {
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "bmp": "image/bmp"
        case "gif": "image/gif"
        case "pdf": "application/pdf"
        case "mp4": "video/mp4"
        case "webm": "video/webm"
        case "ogg": "audio/ogg"
        default: nil
        }
    }

    private static func failure(_ text: String) -> Observation {
        .error(ErrorObservation(content: text))
    }

    private static func text(for failure: FileAccess.Failure, path: SystemPath, verb: String) -> String {
        switch failure {
        case .isDirectory: "Path is a directory: \(path). You can only \(verb) files"
        case .notRegular: "Path is not a regular file: \(path). You can only \(verb) files"
        case .tooLarge(_, let limit): "File is larger than \(limit) bytes: \(path)"
        case .system(let error): "\(error)"
        }
    }
}
