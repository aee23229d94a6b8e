/// Reads a file of the sandbox.
public struct FileReadAction: Sendable, Hashable {
    /// The file; relative to the shell's directory.
    public var path: String
    /// The first line, from 0.
    public var start: Int
    /// The line after the last; -1 for the end of the file.
    public var end: Int
    /// Why the agent does it.
    public var thought: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Which reader: plain, or the editor's `view` with line numbers.
    public var implementation: FileReadImplementation
    /// First and last line, from 1, for the editor's `view`.
    public var viewRange: [Int]?
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        path: String,
        start: Int = 0,
        end: Int = -1,
        thought: String = "",
        securityRisk: SecurityRisk = .unknown,
        implementation: FileReadImplementation = .standard,
        viewRange: [Int]? = nil
    ) {
        self.path = path
        self.start = start
        self.end = end
        self.thought = thought
        self.securityRisk = securityRisk
        self.implementation = implementation
        self.viewRange = viewRange
    }
}

extension FileReadAction: ActionRecord {
    static let kind: StaticString = "read"
    static var blank: Self { Self(path: "") }

    static func modernized(_ object: JSONObject) -> JSONObject? { EditorCall.unfolded(object) }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("path", &path)
        try visitor.field("start", &start)
        try visitor.field("end", &end)
        try visitor.field("thought", &thought)
        try visitor.field("security_risk", &securityRisk)
        try visitor.field("impl_source", &implementation)
        try visitor.field("view_range", &viewRange)
    }
}

/// Writes a file of the sandbox, or replaces lines of it.
public struct FileWriteAction: Sendable, Hashable {
    /// The file; relative to the shell's directory.
    public var path: String
    /// The text to write.
    public var content: String
    /// The first line to replace, from 0.
    public var start: Int
    /// The line after the last to replace; -1 for the end of the file.
    public var end: Int
    /// Why the agent does it.
    public var thought: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        path: String,
        content: String,
        start: Int = 0,
        end: Int = -1,
        thought: String = "",
        securityRisk: SecurityRisk = .unknown
    ) {
        self.path = path
        self.content = content
        self.start = start
        self.end = end
        self.thought = thought
        self.securityRisk = securityRisk
    }
}

extension FileWriteAction: ActionRecord {
    static let kind: StaticString = "write"
    static var blank: Self { Self(path: "", content: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("path", &path)
        try visitor.required("content", &content)
        try visitor.field("start", &start)
        try visitor.field("end", &end)
        try visitor.field("thought", &thought)
        try visitor.field("security_risk", &securityRisk)
    }
}

/// Edits a file of the sandbox with one of the editor's commands.
public struct FileEditAction: Sendable, Hashable {
    /// The file.
    public var path: String
    /// `view`, `create`, `str_replace`, `insert` or `undo_edit`.
    public var command: String
    /// The whole text, for `create`.
    public var fileText: String?
    /// What to replace, for `str_replace`; it must occur once.
    public var oldString: String?
    /// The new text, for `str_replace` and `insert`.
    public var newString: String?
    /// The line after which to insert, from 1, 0 for the beginning.
    public var insertLine: Int?
    /// The draft, for an edit by a language model.
    public var content: String
    /// The first line of the draft's range, from 1.
    public var start: Int
    /// The last line of the draft's range; -1 for the end of the file.
    public var end: Int
    /// Why the agent does it.
    public var thought: String
    /// How dangerous the action is, as far as anybody judged.
    public var securityRisk: SecurityRisk
    /// Which editor.
    public var implementation: FileEditImplementation
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an action, with the reference's defaults.
    public init(
        path: String,
        command: String = "",
        fileText: String? = nil,
        oldString: String? = nil,
        newString: String? = nil,
        insertLine: Int? = nil,
        content: String = "",
        start: Int = 1,
        end: Int = -1,
        thought: String = "",
        securityRisk: SecurityRisk = .unknown,
        implementation: FileEditImplementation = .editor
    ) {
        self.path = path
        self.command = command
        self.fileText = fileText
        self.oldString = oldString
        self.newString = newString
        self.insertLine = insertLine
        self.content = content
        self.start = start
        self.end = end
        self.thought = thought
        self.securityRisk = securityRisk
        self.implementation = implementation
    }
}

extension FileEditAction: ActionRecord {
    static let kind: StaticString = "edit"
    static var blank: Self { Self(path: "") }

    /// Models write the line as a string at times, which the reference's server takes too.
    static func modernized(_ object: JSONObject) -> JSONObject? {
        let unfolded = EditorCall.unfolded(object)
        guard let line = (unfolded ?? object)["insert_line"]?.stringValue.flatMap({ Int($0) }) else { return unfolded }
        var modern = unfolded ?? object
        modern["insert_line"] = .number(JSONNumber(line))
        return modern
    }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("path", &path)
        try visitor.field("command", &command)
        try visitor.field("file_text", &fileText)
        try visitor.field("old_str", &oldString)
        try visitor.field("new_str", &newString)
        try visitor.field("insert_line", &insertLine)
        try visitor.field("content", &content)
        try visitor.field("start", &start)
        try visitor.field("end", &end)
        try visitor.field("thought", &thought)
        try visitor.field("security_risk", &securityRisk)
        try visitor.field("impl_source", &implementation)
    }
}
