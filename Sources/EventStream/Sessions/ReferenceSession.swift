/// The folder in which the reference keeps a session: a file per event, and pages of 25 events that it reads faster.
enum ReferenceSession {
    static let events = "events"
    static let cache = "event_cache"
    static let pageSize = 25

    /// The id in the name of an event's file; `nil` for other files.
    static func id(ofFile name: String) -> Int? {
        guard name.hasSuffix(".json") else { return nil }
        let number = name.dropLast(5)
        guard !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(number)
    }

    /// Whether a folder with these names is a session, or the folder of a session that has the events' files.
    static func isSession(_ names: [String]) -> Bool {
        names.contains(events) || names.contains(cache) || names.contains { id(ofFile: $0) != nil }
    }

    /// Reads an event's file.
    static func event(_ id: Int, in path: String) throws(EventStoreError) -> Event {
        let event: Event
        do {
            event = try Event(jsonBytes: try OpenFile.bytes(of: path))
        } catch let error as EventStoreError {
            throw error
        } catch {
            throw .damaged(path: path, line: 1, offset: (error as? JSONError)?.offset ?? 0, reason: "\(error)")
        }
        guard event.id == id else {
            throw .damaged(path: path, line: 1, offset: 0, reason: "the file has event \(event.id)")
        }
        return event
    }

    /// Writes events as the reference does.
    struct Writer {
        private let directory: String
        private var page: [JSONValue] = []
        private var pageStart = 0

        /// Makes the folders of a session; there may be none there yet.
        init(_ directory: String) throws(EventStoreError) {
            self.directory = directory
            for folder in [events, cache] {
                let path = directory + "/" + folder
                try Directory.create(path)
                guard try Directory.names(in: path).allSatisfy({ $0 == "." || $0 == ".." }) else {
                    throw .malformed(
                        path: path,
                        reason: "there are files already; write the session to another directory"
                    )
                }
            }
        }

        mutating func append(_ event: Event) throws(EventStoreError) {
            let json = event.json
            try write(json.serialized(.python), to: "\(events)/\(event.id).json")
            // Only pages that have all of their events are written.
            if event.id % pageSize == 0 {
                page = []
                pageStart = event.id
            }
            guard event.id == pageStart + page.count else { return }
            page.append(json)
            if page.count == pageSize {
                let name = "\(cache)/\(pageStart)-\(pageStart + pageSize).json"
                try write(JSONValue.array(page).serialized(.python), to: name)
            }
        }

        private func write(_ bytes: [UInt8], to name: String) throws(EventStoreError) {
            try OpenFile(directory + "/" + name, .creating).write(bytes, at: 0)
        }
    }
}
