import EventStream

/// `read` and `write` actions (reference: `openhands/runtime/action_execution_server.py` and `utils/files.py`).
///
/// Every function can block: call them by `offload`.
enum FileActions {
    /// Bytes beyond which a file isn't read into an observation.
    static let sizeLimit = 64 << 20

    /// Reads a file: lines of text, or images, PDF and video as data URLs.
    ///
    /// - Parameter directory: what a relative path is relative to.
    static func read(_ action: FileReadAction, in directory: String) -> Observation {
        let path = absolute(action.path, in: directory)
        let bytes: [UInt8]
        do throws(FileAccess.Failure) {
            bytes = try FileAccess.read(path, limit: sizeLimit)
        } catch {
            if error.isMissing {
                return failure("File not found: \(path). Your current working directory is \(directory).")
            }
            return failure(text(for: error, path: path, verb: "read"))
        }
        let content: String
        if let mediaType = mediaType(of: path) {
            content = "data:\(mediaType);base64,\(Base64.encode(bytes))"
        } else if bytes.prefix(8192).contains(0) {
            return failure("ERROR_BINARY_FILE")
        } else if let text = String(validating: bytes, as: UTF8.self) {
            content = lines(of: text, from: action.start, to: action.end)
        } else {
            return failure("File could not be decoded as utf-8: \(path).")
        }
        return .read(FileReadObservation(content: content, path: path))
    }

    /// Writes a file, or replaces the lines of it from `start` up to `end`.
    ///
    /// - Parameter directory: what a relative path is relative to.
    static func write(_ action: FileWriteAction, in directory: String) -> Observation {
        let path = absolute(action.path, in: directory)
        do throws(FileAccess.Failure) {
            var text = action.content.hasSuffix("\n") ? action.content : action.content + "\n"
            if action.start != 0 || action.end != -1, let bytes = try existingBytes(path) {
                // What isn't text would not be the same afterwards.
                guard let old = String(validating: bytes, as: UTF8.self).map(splitLines) else {
                    return failure("File could not be decoded as utf-8: \(path)")
                }
                // As Python slices: negative positions count from the end.
                let start = action.start < 0 ? max(0, old.count + action.start) : min(action.start, old.count)
                let end = action.end < 0 ? max(0, old.count + action.end) : min(action.end, old.count)
                text = old[..<start].joined() + text + (action.end == -1 ? "" : old[end...].joined())
            }
            try FileAccess.replace(path, with: Array(text.utf8))
        } catch {
            if error.isMissing { return failure("File not found: \(path)") }
            return failure(Self.text(for: error, path: path, verb: "write to"))
        }
        return .write(FileWriteObservation(content: "", path: path))
    }

    private static func existingBytes(_ path: String) throws(FileAccess.Failure) -> [UInt8]? {
        do throws(FileAccess.Failure) {
            return try FileAccess.read(path, limit: sizeLimit)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    // MARK: Lines

    /// The lines that the reference's `read_lines` picks.
    private static func lines(of text: String, from start: Int, to end: Int) -> String {
        if start <= 0, end == -1 { return text }
        let lines = splitLines(text)
        let start = min(max(start, 0), lines.count)
        if end == -1 { return lines[start...].joined() }
        let first = max(0, min(start, lines.count - 2))
        let last = min(max(end, 0), lines.count)
        return lines[first..<min(lines.count, max(first + 1, last))].joined()
    }

    /// Lines with their ends.
    private static func splitLines(_ text: String) -> [Substring] {
        var lines: [Substring] = []
        var rest = Substring(text)
        while let feed = rest.utf8.firstIndex(of: 0x0a) {
            let next = rest.utf8.index(after: feed)
            lines.append(rest[..<next])
            rest = rest[next...]
        }
        if !rest.isEmpty { lines.append(rest) }
        return lines
    }

    // MARK: Paths, types, texts

    private static func absolute(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }

    /// The types that the reference hands to models as data URLs.
    private static func mediaType(of path: String) -> String? {
        switch path.lowercased().split(separator: ".", omittingEmptySubsequences: false).dropFirst().last {
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

    private static func text(for failure: FileAccess.Failure, path: String, verb: String) -> String {
        switch failure {
        case .isDirectory: "Path is a directory: \(path). You can only \(verb) files"
        case .notRegular: "Path is not a regular file: \(path). You can only \(verb) files"
        case .tooLarge(let limit): "File is larger than \(limit) bytes: \(path)"
        case .system(let error): "\(error)"
        }
    }
}
