/// The text of a file.
public struct FileReadObservation: Sendable, Hashable {
    /// The text.
    public var content: String
    /// The file.
    public var path: String
    /// Which reader.
    public var implementation: FileReadImplementation
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        path: String,
        implementation: FileReadImplementation = .standard
    ) {
        self.content = content
        self.path = path
        self.implementation = implementation
    }
}

extension FileReadObservation: ObservationRecord {
    static let kind: StaticString = "read"
    static var blank: Self { Self(path: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("path", &path)
        try visitor.field("impl_source", &implementation)
    }
}

/// A file was written.
public struct FileWriteObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The file.
    public var path: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        path: String
    ) {
        self.content = content
        self.path = path
    }
}

extension FileWriteObservation: ObservationRecord {
    static let kind: StaticString = "write"
    static var blank: Self { Self(path: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("path", &path)
    }
}

/// A file was edited, or the editor says why not.
public struct FileEditObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The file.
    public var path: String
    /// Whether the file was there before.
    public var previouslyExisted: Bool
    /// The text that was replaced.
    public var oldContent: String?
    /// The text in its place.
    public var newContent: String?
    /// Which editor.
    public var implementation: FileEditImplementation
    /// The change as a unified diff.
    public var diff: String?
    /// A rendering of the change that the reference keeps.
    public var diffCache: String?
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        path: String = "",
        previouslyExisted: Bool = false,
        oldContent: String? = nil,
        newContent: String? = nil,
        implementation: FileEditImplementation = .languageModel,
        diff: String? = nil,
        diffCache: String? = nil
    ) {
        self.content = content
        self.path = path
        self.previouslyExisted = previouslyExisted
        self.oldContent = oldContent
        self.newContent = newContent
        self.implementation = implementation
        self.diff = diff
        self.diffCache = diffCache
    }
}

extension FileEditObservation: ObservationRecord {
    static let kind: StaticString = "edit"
    static var blank: Self { Self() }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.field("path", &path)
        try visitor.field("prev_exist", &previouslyExisted)
        try visitor.field("old_content", &oldContent)
        try visitor.field("new_content", &newContent)
        try visitor.field("impl_source", &implementation)
        try visitor.field("diff", &diff)
        try visitor.field("_diff_cache", &diffCache)
    }
}

/// A file was downloaded by the browser.
public struct DownloadObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// Where the file is.
    public var filePath: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        filePath: String
    ) {
        self.content = content
        self.filePath = filePath
    }
}

extension DownloadObservation: ObservationRecord {
    static let kind: StaticString = "download"
    static var blank: Self { Self(filePath: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("file_path", &filePath)
    }
}
