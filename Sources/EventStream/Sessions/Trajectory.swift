/// A file with all events of a session in an array, as the reference saves it.
enum Trajectory {
    /// What the reference leaves out of observations, at any depth.
    private static let omitted: Set = [
        "dom_object", "axtree_object", "active_page_index", "last_browser_action", "last_browser_action_error",
        "focused_element_bid",
        "extra_element_properties",
    ]
    private static let screenshots: Set = ["screenshot", "set_of_marks"]

    /// Reads a trajectory; `nil` when the text isn't an array, or an object that has one.
    static func read(_ bytes: [UInt8], path: String) throws(EventStoreError) -> [Event]? {
        switch bytes.first(where: { $0 > 0x20 }) {
        case UInt8(ascii: "["): break
        case UInt8(ascii: "{"):
            // One event per line begins like that too: what tells them apart is whether the first line is a document.
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
            if let first = try? JSONValue(parsing: Array(line)), first["trajectory"] == nil { return nil }
        default: return nil
        }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            let line = bytes.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
            throw .damaged(path: path, line: line, offset: error.offset, reason: error.description)
        }
        guard let elements = document.arrayValue ?? document["trajectory"]?.arrayValue else {
            throw .malformed(path: path, reason: "there is no array of events")
        }
        var events: [Event] = []
        events.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do {
                events.append(try Event(json: element))
            } catch {
                throw .malformed(path: path, reason: "element \(index): \(error)")
            }
        }
        return events
    }

    /// The JSON of an event in a trajectory.
    static func json(_ event: Event, withScreenshots: Bool) -> JSONValue {
        var json = event.json
        if let extras = json["extras"] {
            json["extras"] = removing(withScreenshots ? omitted : omitted.union(screenshots), from: extras)
        }
        return json
    }

    private static func removing(_ keys: Set<String>, from value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(
                JSONObject(
                    object.lazy.filter { !keys.contains($0.key) }.map { ($0.key, removing(keys, from: $0.value)) }
                )
            )
        case .array(let elements): .array(elements.map { removing(keys, from: $0) })
        default: value
        }
    }
}
