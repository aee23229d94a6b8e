/// How a command ended, and where.
public struct CommandMetadata: Sendable, Hashable {
    /// The exit status; -1 while the command runs and where it isn't known.
    public var exitCode: Int
    /// The process id of the last background job; -1 where there is none.
    public var pid: Int
    /// The shell's user.
    public var username: String?
    /// The sandbox's host name.
    public var hostname: String?
    /// The shell's directory after the command.
    public var workingDirectory: String?
    /// The Python interpreter that the shell finds.
    public var pythonInterpreterPath: String?
    /// What to show before the content.
    public var prefix: String
    /// What to show after the content, for example how to go on with a command that still runs.
    public var suffix: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes metadata, with the reference's defaults.
    public init(
        exitCode: Int = -1,
        pid: Int = -1,
        username: String? = nil,
        hostname: String? = nil,
        workingDirectory: String? = nil,
        pythonInterpreterPath: String? = nil,
        prefix: String = "",
        suffix: String = ""
    ) {
        self.exitCode = exitCode
        self.pid = pid
        self.username = username
        self.hostname = hostname
        self.workingDirectory = workingDirectory
        self.pythonInterpreterPath = pythonInterpreterPath
        self.prefix = prefix
        self.suffix = suffix
    }
}

extension CommandMetadata: WireRecord {
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("exit_code", &exitCode)
        try visitor.field("pid", &pid)
        try visitor.field("username", &username)
        try visitor.field("hostname", &hostname)
        try visitor.field("working_dir", &workingDirectory)
        try visitor.field("py_interpreter_path", &pythonInterpreterPath)
        try visitor.field("prefix", &prefix)
        try visitor.field("suffix", &suffix)
    }
}

extension CommandObservation {
    /// Old logs have two of the metadata's fields among the extras.
    mutating func adoptOlderFields() {
        if let exitCode = extra["exit_code"]?.intValue {
            metadata.exitCode = exitCode
            extra.removeValue(forKey: "exit_code")
        }
        if let pid = extra["command_id"]?.intValue {
            metadata.pid = pid
            extra.removeValue(forKey: "command_id")
        }
    }
}
