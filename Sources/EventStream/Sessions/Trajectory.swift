/// A file with all events of a session in an array, as the reference saves it.
enum Trajectory {
    /// What the reference leaves out of observations, at any depth.
    private static let omitted: Set = [
        "dom_object", "axtree_object", "active_page_index", "last_browser_action", "last_browser_action_error",
        "focused_element_bid",
        "extra_element_properties",
    ]
    private static let screenshots: Set = ["screenshot", "set_of_marks"]

    /// Whether a file is a trajectory rather than one event per line.
    static func isTrajectory(_ path: String) throws(EventStoreError) -> Bool {
        let file = try OpenFile(path, .reading)
        let size = try file.size()
        let head = try file.read(0..<min(size, 4096))
        switch head.first(where: { $0 > 0x20 }) {
        case UInt8(ascii: "["): return true
        case UInt8(ascii: "{"): break
        default: return false
        }
        // One event per line begins like that too: what tells them apart is whether the first line is a document.
        var lines: [[UInt8]] = []
        let end = try LogScanner.forEachLine(in: file, from: 0, to: size) { line, _ throws(EventStoreError) in
            lines.append(Array(line))
            return lines.count < 2
        }
        if lines.count < 2 { lines.append(try file.read(end..<size)) }
        if let first = try? JSONValue(parsing: lines[0]) { return first["trajectory"] != nil }
        // Where the first line is damaged, the second tells.
        return lines.count < 2 || lines[1].first != UInt8(ascii: "{")
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
