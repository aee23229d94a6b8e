/// A piece of knowledge and the word that called it up.
public struct MicroagentKnowledge: Sendable, Hashable {
    /// The name of the piece.
    public var name: String
    /// The word of the query.
    public var trigger: String
    /// The text.
    public var content: String
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes a piece of knowledge.
    public init(name: String, trigger: String, content: String) {
        self.name = name
        self.trigger = trigger
        self.content = content
    }
}

extension MicroagentKnowledge: WireRecord, WireValue {
    static var expectation: String { "an object with \"name\", \"trigger\" and \"content\"" }
    static var blank: Self { Self(name: "", trigger: "", content: "") }

    init?(wire: JSONValue) {
        guard case .object(let object) = wire, let record = try? Self(wire: object) else { return nil }
        self = record
    }

    var wire: JSONValue { .object(self.wire as JSONObject) }

    func write(to writer: inout ByteWriter) { writer.appendRecord(self) }

    init?(reading reader: inout CanonicalReader) {
        guard let record = try? reader.record() as Self else { return nil }
        self = record
    }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("name", &name)
        try visitor.required("trigger", &trigger)
        try visitor.required("content", &content)
    }
}
