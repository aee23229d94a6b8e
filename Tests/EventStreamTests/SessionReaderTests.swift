import EventStream
import Foundation
import Testing

@Suite("Reading and writing sessions piece by piece")
struct SessionReaderTests {
    private static let forms: [SessionForm] = [.store, .lines, .referenceSession, .trajectory]

    private func fixture() throws -> RecordedSession {
        try RecordedSession(contentsOf: Fixtures.folder.appending(path: "sessions/fixture").path)
    }

    private func write(_ events: [Event], to path: String, as form: SessionForm) throws {
        var writer = try SessionWriter(path, as: form)
        for event in events { try writer.append([event]) }
        try writer.close()
    }

    /// Messages whose lines are longer than a page of the reader, or much shorter.
    private func longSession() -> [Event] {
        (0..<60).map { id in
            let text = String(repeating: "long ", count: [17, 41].contains(id) ? 250_000 : 4000) + "\(id)"
            let action = Action.message(MessageAction(content: text))
            return Event(
                id: id,
                timestamp: Timestamp(wallMicroseconds: Int64(id)),
                source: id % 3 == 0 ? .user : .agent,
                payload: .action(action)
            )
        }
    }

    @Test("Every form is found out, and read in either order and in part", arguments: forms)
    func selection(form: SessionForm) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/session"
            for events in [try fixture().events, longSession(), []] {
                try write(events, to: path, as: form)
                defer { try? FileManager.default.removeItem(atPath: path) }
                // A store and a file without events don't say what they are.
                if events.isEmpty, form != .trajectory { continue }
                let reader = try SessionReader(path)
                #expect(reader.form == form)
                for isReversed in [false, true] {
                    for ids in [0..<Int.max, 10..<20, 57..<1000] {
                        for filter in [EventFilter.all, .actions, EventFilter(sources: [.user], text: "LONG")] {
                            let pages = try reader.pages(in: ids, reversed: isReversed, where: filter)
                            let expected = events.filter { ids.contains($0.id) && filter.includes($0) }
                            let found = try pages.flatMap { try $0.entries.map { try $0.get() } }
                            #expect(found == (isReversed ? expected.reversed() : expected))
                        }
                    }
                }
            }
        }
    }

    @Test("How far it is only grows, up to all", arguments: forms, [false, true])
    func fraction(form: SessionForm, isReversed: Bool) async throws {
        try await withTemporaryDirectory { directory in
            try write(longSession(), to: directory + "/session", as: form)
            let fractions = try SessionReader(directory + "/session").pages(reversed: isReversed).map(\.fraction)
            #expect(fractions == fractions.sorted())
            #expect(fractions.last == 1 && fractions.allSatisfy { (0...1).contains($0) })
        }
    }

    @Test("A damaged line is in the place of its event, with the number it has in the file", arguments: [false, true])
    func damagedLines(isReversed: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/lines"
            let events = longSession()
            var lines = events.map { $0.jsonBytes() }
            var offsets: [Int: Int] = [:]
            for id in [0, 17, 24, 59] { lines[id] = [UInt8(ascii: "{")] + lines[id] }
            var offset = 0
            for (id, line) in lines.enumerated() {
                offsets[id] = offset
                offset += line.count + 1
            }
            try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: URL(filePath: path))
            var entries = try SessionReader(path).pages(reversed: isReversed).flatMap(\.entries)
            if isReversed { entries.reverse() }
            #expect(entries.count == events.count)
            for (id, entry) in entries.enumerated() {
                switch entry {
                case .success(let event): #expect(event == events[id])
                case .failure(.damaged(path, let line, let offset, _)):
                    #expect([0, 17, 24, 59].contains(id) && line == id + 1 && offset == offsets[id])
                case .failure(let error): Issue.record(error)
                }
            }
        }
    }

    @Test("Damage in a store hides no other event, with and without an index", arguments: [false, true])
    func damagedStore(hasIndex: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let events = try fixture().events
            let store = try JSONLinesEventStore(directory: directory, segmentSize: 6000)
            for event in events { try store.append([event]) }
            try store.close()
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            try #require(names.count > 5)
            for name in names.sorted() where name.hasSuffix(".jsonl") {
                let path = directory + "/" + name
                let whole = try Data(contentsOf: URL(filePath: path))
                let firstID = try #require(Int(name.filter(\.isNumber)))
                let index = URL(filePath: path.replacingOccurrences(of: ".jsonl", with: ".index"))
                let indexBytes = try Data(contentsOf: index)
                if !hasIndex { try FileManager.default.removeItem(at: index) }
                defer { try? indexBytes.write(to: index) }
                var damaged = whole
                damaged[damaged.startIndex] = UInt8(ascii: "x")
                try damaged.write(to: URL(filePath: path))
                defer { try? whole.write(to: URL(filePath: path)) }
                for isReversed in [false, true] {
                    for filter in [EventFilter.all, EventFilter(sources: [.agent, .user])] {
                        let entries = try SessionReader(directory).pages(reversed: isReversed, where: filter)
                            .flatMap(\.entries)
                        let found = entries.compactMap { try? $0.get().id }
                        let others = events.map(\.id).filter { $0 != firstID }
                        #expect(found == (isReversed ? others.reversed() : others))
                        let errors = entries.compactMap { entry in
                            if case .failure(.damaged(path, 1, 0, _)) = entry { true } else { nil }
                        }
                        #expect(errors.count == 1 && entries.count == events.count)
                    }
                }
            }
            #expect(try SessionReader(directory).damageBesideEvents() == [])
        }
    }

    @Test("Of a trajectory that is cut off anywhere, the whole events and the place are had")
    func cutTrajectory() async throws {
        try await withTemporaryDirectory(inMemory: true) { directory in
            let events = Array(try fixture().events.prefix(4))
            let array = RecordedSession(events: events).trajectory()
            let wrapped = Array("{\"id\": [1],\n\"trajectory\": ".utf8) + array + Array(", \"more\": {}}\n".utf8)
            let path = directory + "/trajectory"
            for text in [array, wrapped] {
                var last = 0
                for end in stride(from: text.count - 2, to: 30, by: -3) {
                    try Data(text[..<end]).write(to: URL(filePath: path))
                    let entries = try SessionReader(path).pages().flatMap(\.entries)
                    let found = entries.compactMap { try? $0.get() }
                    #expect(found == Array(events.prefix(found.count)))
                    let isDamaged = entries.count == found.count + 1
                    #expect(isDamaged)
                    #expect(last == 0 || found.count <= last)
                    last = found.count
                }
                try Data(text).write(to: URL(filePath: path))
                #expect(try RecordedSession(contentsOf: path).events == events)
                try Data(text + [UInt8(ascii: "x")]).write(to: URL(filePath: path))
                #expect(throws: EventStoreError.self) { try RecordedSession(contentsOf: path) }
            }
        }
    }

    @Test("Pieces are written as the whole is", arguments: [0, 1, 4])
    func writing(count: Int) async throws {
        try await withTemporaryDirectory { directory in
            let events = Array(try fixture().events.prefix(count))
            for (index, layout) in [SessionWriter.trajectoryLayout, .compact, .python].enumerated() {
                let path = directory + "/\(index)"
                var writer = try SessionWriter(path, as: .trajectory, layout: layout)
                for event in events { try writer.append([event]) }
                try writer.close()
                let whole = RecordedSession(events: events).trajectory(layout: layout)
                #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == whole)
                #expect(throws: EventStoreError.self) { _ = try SessionWriter(path, as: .trajectory) }
            }
        }
    }

    @Test("Text is found in either case, also where letters beyond ASCII become letters of it")
    func textInEitherCase() throws {
        func event(_ text: String) -> Event {
            let action = Action.message(MessageAction(content: text))
            return Event(id: 0, timestamp: Timestamp(wallMicroseconds: 0), source: .user, payload: .action(action))
        }
        func finds(_ wanted: String, in text: String) -> Bool { EventFilter(text: wanted).includes(event(text)) }
        #expect(finds("wORLD", in: "Hello, World") && finds("", in: "") && finds("[x", in: "a[X]"))
        #expect(!finds("worlds", in: "World") && !finds("{x", in: "[x"))
        #expect(finds("ÄRGER", in: "ärger") && finds("ärger", in: "ÄRGER ✓"))
        // U+212A, the sign for kelvin, and U+0130, whose small forms have k and i.
        #expect(finds("300 k", in: "300 \u{212a}") && finds("i\u{307}", in: "\u{130}") && finds("xi", in: "x\u{130}"))
    }
}
