/// What a shell says of itself when a command is done.
struct ShellReport: Equatable, Sendable {
    /// Of the command that is done.
    var sequence: Int
    /// The exit status, `$?`.
    var exitCode: Int32
    /// `$!`, or -1 when nothing was started in the background.
    var lastBackgroundProcess: Int
    var directory: String
    /// Where the shell looks for programs, `$PATH`.
    var searchPath: String
    /// The single-letter options that are on, `$-`, and perhaps the ``redirectedMark``.
    var options: String

    /// Behind the options when what the shell itself writes, such as its prompt, doesn't reach the terminal.
    ///
    /// A command can redirect it with `exec`. Told where the prompt matters.
    static let redirectedMark = "!"

    /// Whether the shell shows what it runs.
    var isTraced: Bool { options.utf8.contains(UInt8(ascii: "x")) }
    /// Whether the prompt is seen.
    var showsPrompt: Bool { !options.hasSuffix(Self.redirectedMark) }
}

/// Finds reports in the bytes of the pipe; what isn't one, written there by somebody else, is passed over.
struct ShellReportParser {
    private static let fieldCount = 7
    private static let limit = 1 << 20

    private var buffer: [UInt8] = []

    init() {}

    /// The reports that are complete with these bytes.
    mutating func consume(_ bytes: some Sequence<UInt8>) -> [ShellReport] {
        buffer.append(contentsOf: bytes)
        var reports: [ShellReport] = []
        var fields: [String] = []
        var start = 0
        var taken = 0
        while let end = buffer[start...].firstIndex(of: 0) {
            fields.append(String(decoding: buffer[start..<end], as: UTF8.self))
            start = end + 1
            // The last field of a report is a full stop: whatever comes before the last six is not of it.
            guard fields.last == ".", fields.count >= Self.fieldCount else { continue }
            if let report = ShellReport(fields: fields.suffix(Self.fieldCount)) {
                reports.append(report)
                fields = []
                taken = start
            }
        }
        buffer.removeSubrange(..<taken)
        if buffer.count > Self.limit { buffer = [] }
        return reports
    }
}

extension ShellReport {
    fileprivate init?(fields: ArraySlice<String>) {
        let fields = Array(fields)
        guard let sequence = Int(fields[0]), let exitCode = Int32(fields[1]) else { return nil }
        self.init(
            sequence: sequence,
            exitCode: exitCode,
            lastBackgroundProcess: Int(fields[2]) ?? -1,
            directory: fields[3],
            searchPath: fields[4],
            options: fields[5]
        )
    }
}
