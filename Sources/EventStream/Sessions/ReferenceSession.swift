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

    /// Reads a session's folder: the files of events, and from pages those that have no file.
    static func read(_ directory: String) throws(EventStoreError) -> [Event] {
        let names = try Directory.names(in: directory)
        var events: [Int: Event] = [:]
        if names.contains(cache) {
            let folder = directory + "/" + cache
            for name in try Directory.names(in: folder) where name.hasSuffix(".json") {
                let path = folder + "/" + name
                for event in try Trajectory.read(try bytes(of: path), path: path) ?? [] { events[event.id] = event }
            }
        }
        if names.contains(Self.events) {
            for event in try readEvents(directory + "/" + Self.events) { events[event.id] = event }
        }
        return Array(events.values)
    }

    /// Reads the folder of a session that has the events' files.
    static func readEvents(_ folder: String) throws(EventStoreError) -> [Event] {
        var events: [Event] = []
        for name in try Directory.names(in: folder) {
            guard let id = id(ofFile: name) else { continue }
            let path = folder + "/" + name
            let event: Event
            do {
                event = try Event(jsonBytes: try bytes(of: path))
            } catch let error as EventStoreError {
                throw error
            } catch {
                throw .damaged(path: path, line: 1, offset: (error as? JSONError)?.offset ?? 0, reason: "\(error)")
            }
            guard event.id == id else {
                throw .damaged(path: path, line: 1, offset: 0, reason: "the file has event \(event.id)")
            }
            events.append(event)
        }
        return events
    }

    private static func bytes(of path: String) throws(EventStoreError) -> [UInt8] {
        let file = try OpenFile(path, .reading)
        return try file.read(0..<(try file.size()))
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
