import EventStream

/// Texts of the editor that agents are trained on (reference: `openhands_aci/editor`).
enum EditorText {
    /// Characters (code points) of a file or directory that are shown: the reference's `MAX_RESPONSE_LEN_CHAR`.
    static let characterLimit = 16_000
    /// Lines that are shown before and after an edit: the reference's `SNIPPET_CONTEXT_WINDOW`.
    static let contextLines = 4

    private static let clippedNotice =
        "<response clipped><NOTE>Due to the max output limit, only part of this file has been shown to you. You should retry"
        + " this tool after you have searched inside the file with `grep -n` in order to find the line numbers of what you"
        + " are looking for.</NOTE>"

    /// Text with the numbers of its lines, as `cat -n` shows it, and not more of it than the limit.
    ///
    /// - Parameter subject: what it is the text of.
    /// - Parameter firstLine: the number of the first line.
    static func numbered(_ text: [UInt8], of subject: String, firstLine: Int = 1) -> String {
        var text = text
        if let end = UTF8Text.end(ofCharacters: characterLimit, in: text) {
            text = text[..<end] + Array(clippedNotice.utf8)
        }
        var output: [UInt8] = []
        output.reserveCapacity(text.count + text.count / 4)
        var number = firstLine
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let digits = Array(String(number).utf8)
            output += [UInt8](repeating: UInt8(ascii: " "), count: max(0, 6 - digits.count))
            output += digits
            output.append(UInt8(ascii: "\t"))
            output += line
            output.append(UInt8(ascii: "\n"))
            number += 1
        }
        return "Here's the result of running `cat -n` on \(subject):\n" + WireText.text(of: output)
    }

    /// Numbers as Python prints a list of them.
    static func list(_ numbers: some Sequence<Int>) -> String {
        "[" + numbers.map(String.init).joined(separator: ", ") + "]"
    }

    /// A number of bytes in megabytes with one decimal, rounded as Python's `:.1f` does.
    static func megabytes(_ count: Int) -> String {
        let (whole, rest) = (count * 10).quotientAndRemainder(dividingBy: 1 << 20)
        let half = 1 << 19
        let tenths = rest > half || rest == half && whole % 2 == 1 ? whole + 1 : whole
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Why the editor didn't do what it was asked to, in the reference's words.
struct EditorError: Error, Hashable {
    /// What the agent reads, after `ERROR:` and a line end.
    var message: String

    static func invalid(_ parameter: String, _ value: String, _ hint: String) -> EditorError {
        EditorError(message: "Invalid `\(parameter)` parameter: \(value). \(hint)")
    }

    static func missing(_ parameter: String, command: String) -> EditorError {
        EditorError(message: "Parameter `\(parameter)` is required for command: \(command).")
    }

    static func validation(_ path: SystemPath, _ reason: String) -> EditorError {
        EditorError(message: "File validation failed for \(path): \(reason)")
    }

    /// A file couldn't be used.
    ///
    /// - Parameter purpose: what for, as `write to`.
    init(_ failure: FileAccess.Failure, path: SystemPath, purpose: String) {
        switch failure {
        case .isDirectory:
            self = .invalid(
                "path",
                "\(path)",
                "The path \(path) is a directory and only the `view` command can be used on directories."
            )
        case .notRegular:
            self = .validation(
                path,
                "It is not a regular file (but a pipe, a socket or a device), which cannot be read or edited by this tool."
            )
        case .tooLarge(let size, let limit):
            self = .validation(
                path,
                "File is too large (\(EditorText.megabytes(size))MB). Maximum allowed size is \(limit >> 20)MB."
            )
        case .system(let error):
            // As Python words it.
            let text = SystemError.text(for: error.code)
            let name = PythonRepresentation.of("\(path)")
            let cause = path.bytes.contains(0) ? "embedded null byte" : "[Errno \(error.code)] \(text): \(name)"
            self.init(message: "Ran into \(cause) while trying to \(purpose) \(path)")
        }
    }

    init(message: String) {
        self.message = message
    }
}
