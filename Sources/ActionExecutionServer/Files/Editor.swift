import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The commands of the reference's editor (`openhands_aci/editor/editor.py`), without its memory of earlier edits.
///
/// Every function can block: call them by `offload`.
struct Editor: Sendable {
    /// Bytes beyond which a file isn't edited, nor shown but for a range of lines: the reference's `MAX_FILE_SIZE_MB`.
    static let sizeLimit = 10 << 20

    /// What relative paths, which the editor doesn't take, may have been meant to be relative to.
    var workspace: SystemPath

    /// A call of the editor.
    struct Call: Sendable {
        var command: String
        var path: String
        var fileText: String?
        var viewRange: [Int]?
        var oldString: String?
        var newString: String?
        var insertLine: Int?

        /// The file as the editor names it, in its texts and to its memory.
        var normalizedPath: SystemPath { SystemPath(path).normalized }
    }

    /// What came of a call.
    struct Result: Sendable {
        /// What the agent reads.
        var output: String
        /// The text before and after an edit; nil when there was none.
        var change: (old: [UInt8], new: [UInt8])?
        var memory = Memory.unchanged
    }

    /// What becomes of the memory of earlier edits.
    enum Memory: Sendable {
        case unchanged
        case remember(EditHistory.Version)
        case forgetLast
    }

    /// Performs a call.
    ///
    /// - Parameter last: what the file had before its last edit.
    func perform(_ call: Call, last: EditHistory.Version?) throws(EditorError) -> Result {
        let path = call.normalizedPath
        try validate(path, command: call.command)
        switch call.command {
        case "view":
            return Result(output: try view(path, range: call.viewRange ?? []))
        case "create":
            guard let text = call.fileText else { throw .missing("file_text", command: call.command) }
            return try create(path, text)
        case "str_replace":
            guard let old = call.oldString else { throw .missing("old_str", command: call.command) }
            if let new = call.newString, new.utf8.elementsEqual(old.utf8) {
                throw .invalid(
                    "new_str",
                    new,
                    "No replacement was performed. `new_str` and `old_str` must be different."
                )
            }
            return try replace(path, old, with: call.newString ?? "")
        case "insert":
            guard let line = call.insertLine else { throw .missing("insert_line", command: call.command) }
            guard let text = call.newString else { throw .missing("new_str", command: call.command) }
            return try insert(path, after: line, text)
        case "undo_edit":
            return try undo(path, last)
        default:
            throw EditorError(
                message: "Unrecognized command \(call.command). The allowed commands for the oh_editor tool are:"
                    + " view, create, str_replace, insert, undo_edit"
            )
        }
    }

    // MARK: Checks

    private func validate(_ path: SystemPath, command: String) throws(EditorError) {
        guard path.isAbsolute else {
            let suggested = workspace.appending(path).normalized
            let exists = (try? FileAccess.status(of: suggested)) != nil
            let hint = exists ? " Maybe you meant \(suggested)?" : ""
            throw .invalid("path", "\(path)", "The path should be an absolute path, starting with `/`.\(hint)")
        }
        let status = try status(of: path)
        if status != nil, command == "create" {
            throw .invalid(
                "path",
                "\(path)",
                "File already exists at: \(path). Cannot overwrite files using command `create`."
            )
        }
        if status == nil, command != "create" {
            throw .invalid("path", "\(path)", "The path \(path) does not exist. Please provide a valid path.")
        }
        guard command != "view" else { return }
        if let status, status.st_mode & S_IFMT == S_IFDIR { throw EditorError(.isDirectory, path: path, purpose: "") }
        if Self.isConvertible(path) {
            throw .invalid(
                "path",
                "\(path)",
                "The path \(path) points to a binary file (\(path.suffix)) and only the `view` command can be used on"
                    + " supported binary files."
            )
        }
    }

    /// What is there; nil when nothing is.
    private func status(of path: SystemPath) throws(EditorError) -> stat? {
        do throws(FileAccess.Failure) {
            return try FileAccess.status(of: path)
        } catch {
            // Those that Python's `Path.exists` takes for an answer.
            if case .system(let cause) = error, [ENOENT, ENOTDIR, ELOOP, EINVAL].contains(cause.code) { return nil }
            throw EditorError(error, path: path, purpose: "look at")
        }
    }

    /// Whether it has the name of what the reference shows as Markdown and doesn't edit.
    static func isConvertible(_ path: SystemPath) -> Bool {
        [".docx", ".xlsx", ".pptx", ".pdf", ".mp3", ".wav", ".m4a", ".flac"].contains(path.suffix.lowercased())
    }

    // MARK: Files

    /// The text of a file that can be edited.
    func text(_ path: SystemPath) throws(EditorError) -> TextFile {
        let bytes = try access(path, to: "read") { () throws(FileAccess.Failure) in
            try FileAccess.read(path, limit: Self.sizeLimit)
        }
        try requireText(path, beginning: bytes)
        do throws(TextEncoding.DecodingFailure) {
            return try TextFile(bytes)
        } catch {
            throw .validation(path, "\(error)")
        }
    }

    func requireText(_ path: SystemPath, beginning: [UInt8]) throws(EditorError) {
        if BinaryCheck.isBinary(path, beginning: beginning) {
            throw .validation(
                path,
                "File appears to be binary and this file type cannot be read or edited by this tool."
            )
        }
    }

    /// - Parameter purpose: as it reads after "while trying to".
    func access<Value>(
        _ path: SystemPath,
        to purpose: String,
        _ body: () throws(FileAccess.Failure) -> Value
    ) throws(EditorError) -> Value {
        do throws(FileAccess.Failure) {
            return try body()
        } catch {
            throw EditorError(error, path: path, purpose: purpose)
        }
    }
}
