/// The members of a JSON object, in order.
///
/// A name that occurs twice in a parsed text is kept twice and written back twice; looking it up gives the last one, as most
/// readers do. Assigning to a name leaves one member of that name. Equality doesn't depend on the order of members.
///
/// Look-up is a search from the end: the objects of events have few members.
public struct JSONObject: Sendable {
    /// A name and its value.
    public typealias Member = (key: String, value: JSONValue)

    private var members: [Member]

    /// Makes an object without members.
    public init() {
        members = []
    }

    /// Makes an object of members in order; equal names are all kept.
    public init(_ members: [Member]) {
        self.members = members
    }

    /// The value of the last member of that name.
    ///
    /// Assigning replaces the value where the member stands, or appends a member; assigning `nil` removes it.
    public subscript(key: String) -> JSONValue? {
        get {
            for member in members.reversed() where member.key == key { return member.value }
            return nil
        }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            guard let index = members.firstIndex(where: { $0.key == key }) else {
                members.append((key, newValue))
                return
            }
            members[index].value = newValue
            if let last = members.lastIndex(where: { $0.key == key }), last != index {
                members[(index + 1)...].removeAll { $0.key == key }
            }
        }
    }

    /// Removes all members of that name and returns the value of the last.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        guard let value = self[key] else { return nil }
        members.removeAll { $0.key == key }
        return value
    }

    /// Adds a member at the end, whatever names there are already.
    public mutating func append(_ key: String, _ value: JSONValue) {
        members.append((key, value))
    }

    /// The names in order.
    public var keys: [String] { members.map(\.key) }

    /// Whether there is a member of that name.
    public func contains(key: String) -> Bool {
        members.contains { $0.key == key }
    }

    /// Whether both have the same members in the same order, down to the nested ones.
    func isIdentical(to other: JSONObject) -> Bool {
        members.count == other.members.count
            && zip(members, other.members).allSatisfy { $0.key == $1.key && $0.value.isIdentical(to: $1.value) }
    }
}

extension JSONObject: RandomAccessCollection {
    /// The position of the first member.
    public var startIndex: Int { 0 }

    /// The position after the last member.
    public var endIndex: Int { members.count }

    /// The member at a position.
    public subscript(position: Int) -> Member { members[position] }
}

extension JSONObject: Hashable {
    /// Whether both have the same members, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        if left.members.count == right.members.count,
            zip(left.members, right.members).allSatisfy({ $0.key == $1.key && $0.value == $1.value })
        {
            return true
        }
        return left.dictionary == right.dictionary
    }

    /// Hashes the members so that their order doesn't matter.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(dictionary)
    }

    private var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral, CustomStringConvertible {
    /// Makes an object with the members in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { (key: $0.0, value: $0.1) })
    }

    /// The object as compact JSON.
    public var description: String { JSONValue.object(self).description }
}
