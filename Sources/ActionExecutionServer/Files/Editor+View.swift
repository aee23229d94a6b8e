#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The command that shows files and directories.
extension Editor {
    private struct Lines {
        /// Counted from 1.
        var first: Int
        var last: Int
        var note = ""
    }

    func view(_ path: SystemPath, range: [Int]) throws(EditorError) -> String {
        let status = try access(path, to: "read") { () throws(FileAccess.Failure) in try FileAccess.status(of: path) }
        if status.st_mode & S_IFMT == S_IFDIR {
            guard range.isEmpty else {
                throw .invalid(
                    "view_range",
                    EditorText.list(range),
                    "The `view_range` parameter is not allowed when `path` points to a directory."
                )
            }
            return try access(path, to: "list") { () throws(FileAccess.Failure) in try DirectoryListing(path).text }
        }
        let isLarge = status.st_size > Self.sizeLimit
        if Self.isConvertible(path), !isLarge {
            throw EditorError(
                message: "Error in converting file to Markdown: there is no converter for \(path.suffix) here."
                    + " Please use Python code to read \(path)"
            )
        }
        if isLarge, !range.isEmpty { return try viewLarge(path, range: range) }
        let text = try text(path).text
        if range.isEmpty { return EditorText.numbered(text, of: "\(path)") }
        let lines = try Self.resolve(range, lineCount: UTF8Text.lineCount(text))
        return Self.show(UTF8Text.lines(lines.first - 1..<lines.last, of: text), lines, path)
    }

    /// Shows lines of a file that is too large to be held as a whole, which the reference refuses.
    private func viewLarge(_ path: SystemPath, range: [Int]) throws(EditorError) -> String {
        let beginning = try access(path, to: "read") { () throws(FileAccess.Failure) in
            try FileAccess.readBeginning(path, count: BinaryCheck.sampleSize)
        }
        try requireText(path, beginning: beginning)
        if case .utf16? = TextEncoding.marked(beginning) {
            throw .validation(path, "File is too large, and in UTF-16. Only files in UTF-8 can be viewed in part.")
        }
        try Self.requirePair(range)
        let first = max(range[0], 1) - 1
        let end = range[1] == -1 ? Int.max : max(range[1], first)
        // A character takes four bytes at most.
        let byteLimit = 4 * (EditorText.characterLimit + 1)
        var scanner = LineScanner(keeping: first..<end, byteLimit: byteLimit, keepsLineEnds: false)
        try access(path, to: "read") { () throws(FileAccess.Failure) in
            try FileAccess.forEachChunk(path) { chunk in
                scanner.feed(chunk)
                return true
            }
        }
        let lines = try Self.resolve(range, lineCount: scanner.lineCount)
        do throws(TextEncoding.DecodingFailure) {
            let text = try TextEncoding.decode(scanner.isOverLimit ? scanner.keptCharacters : scanner.kept).text
            return Self.show(text, lines, path)
        } catch {
            throw .validation(path, "\(error)")
        }
    }

    private static func show(_ text: [UInt8], _ lines: Lines, _ path: SystemPath) -> String {
        let joined = UTF8Text.joiningSplitLines(text)
        return lines.note + EditorText.numbered(joined, of: "\(path)", firstLine: lines.first)
    }

    private static func requirePair(_ range: [Int]) throws(EditorError) {
        if range.count != 2 {
            throw .invalid("view_range", EditorText.list(range), "It should be a list of two integers.")
        }
    }

    private static func resolve(_ range: [Int], lineCount: Int) throws(EditorError) -> Lines {
        try requirePair(range)
        var lines = Lines(first: range[0], last: range[1])
        if lines.first < 1 || lines.first > lineCount {
            throw .invalid(
                "view_range",
                EditorText.list(range),
                "Its first element `\(lines.first)` should be within the range of lines of the file: [1, \(lineCount)]."
            )
        }
        if lines.last == -1 {
            lines.last = lineCount
        } else if lines.last > lineCount {
            lines.note =
                "NOTE: We only show up to \(lineCount) since there're only \(lineCount) lines in this file.\n"
            lines.last = lineCount
        }
        if lines.last < lines.first {
            throw .invalid(
                "view_range",
                EditorText.list(range),
                "Its second element `\(lines.last)` should be greater than or equal to the first element `\(lines.first)`."
            )
        }
        return lines
    }
}
