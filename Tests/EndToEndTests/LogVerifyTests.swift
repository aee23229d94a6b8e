import EventStream
import Foundation
import Testing

@Suite("log verify, and what is printed of damaged logs", .timeLimit(.minutes(5)))
struct LogVerifyTests {
    private static let segment = "events-0000000000000000.jsonl"

    /// Writes other bytes into a file, which is as long as before.
    private func overwrite(_ path: String, at offset: Int, with text: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func truncate(_ path: String, to size: Int) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.truncate(atOffset: UInt64(size))
        try file.close()
    }

    @Test("A log that is as it was written is good", arguments: LogFixture.Form.allCases)
    func good(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let run = try await fixture.log("verify", try fixture.path(form))
            #expect(run.status == 0 && run.errors.isEmpty)
            #expect(run.lines.first?.hasSuffix(": good") == true)
            #expect(run.output.contains("58 events, 0 to 57"))
        }
    }

    @Test("A changed line is named; the other events are printed, and then the damage", arguments: [true, false])
    func changedLine(hasIndex: Bool) async throws {
        try await withLogFixture { fixture in
            let log = try fixture.path(.jsonl)
            let path = log + "/" + Self.segment
            let offset = fixture.lines(0..<12).reduce(0) { $0 + $1.utf8.count + 1 }
            // Still a document, but for the index's checksum; without index only what is no document is noticed.
            try overwrite(path, at: offset + 40, with: hasIndex ? "7" : "\"")
            if !hasIndex {
                try FileManager.default.removeItem(atPath: path.replacingOccurrences(of: ".jsonl", with: ".index"))
            }
            let place = "\(path):13 (byte \(offset)) is damaged"
            let verify = try await fixture.log("verify", log)
            #expect(verify.status == 1 && verify.errors.isEmpty)
            #expect(verify.lines.filter { $0.hasPrefix("✗") }.count == 2)
            #expect(verify.output.contains(place))

            let others = Array(0..<12) + Array(13..<58)
            let show = try await fixture.log("show", "--json", log)
            #expect(show.ids == others && show.status == 1)
            #expect(show.errors.contains(place))
            let reversed = try await fixture.log("show", "--json", "--reversed", log)
            #expect(reversed.ids == others.reversed() && reversed.status == 1)
            let before = try await fixture.log("show", "--json", "--limit", "5", log)
            #expect(before.ids == Array(0..<5) && before.status == 0)

            let grep = try await fixture.log("grep", "--count", "--type", "finish", "done", log)
            #expect(grep.output == "1\n")
            // The index tells that the line isn't one of those that are looked for.
            #expect(grep.status == (hasIndex ? 0 : 2))
            let all = try await fixture.log("grep", "--count", "done", log)
            #expect(all.status == 2 && all.errors.contains(place))
        }
    }

    @Test("A torn tail, a damaged index and a missing segment are reported")
    func otherDamage() async throws {
        try await withLogFixture { fixture in
            let log = try fixture.path(.jsonl)
            let size = fixture.lines(0..<58).reduce(0) { $0 + $1.utf8.count + 1 }
            try truncate(log + "/" + Self.segment, to: size - 1)
            let torn = try await fixture.log("verify", log)
            let offset = size - fixture.lines([57])[0].utf8.count - 1
            #expect(torn.status == 1)
            #expect(torn.output.contains("\(log)/\(Self.segment):58 (byte \(offset)) is damaged"))
        }
        try await withLogFixture { fixture in
            let log = try fixture.path(.jsonl)
            let index = log + "/events-0000000000000000.index"
            try overwrite(index, at: 100, with: "x")
            let run = try await fixture.log("verify", log)
            #expect(run.status == 1 && run.output.contains("\(index) is damaged"))
            #expect(try await fixture.log("show", "--json", log).ids == Array(0..<58))
        }
        try await withLogFixture { fixture in
            let log = fixture.directory.appending(path: "segments").path
            let store = try JSONLinesEventStore(directory: log, segmentSize: 4000)
            for event in fixture.session.events { try store.append([event]) }
            try store.close()
            let segments = try FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".jsonl") }
            try #require(segments.count > 3)
            let missing = segments.sorted()[1]
            let next = segments.sorted()[2]
            try FileManager.default.removeItem(atPath: log + "/" + missing)
            let run = try await fixture.log("verify", log)
            #expect(run.status == 1 && run.output.contains("\(log)/\(next) should begin with event"))
            let show = try await fixture.log("show", "--json", log)
            #expect(show.status == 1 && show.errors.contains(next))
            let first = try #require(Int(missing.filter(\.isNumber)))
            let after = try #require(Int(next.filter(\.isNumber)))
            #expect(show.ids == Array(0..<first) + Array(after..<58))
        }
    }

    @Test("Files and pages of the reference's folder that are damaged, missing or don't agree are named")
    func referenceSession() async throws {
        try await withLogFixture { fixture in
            let log = try fixture.path(.session)
            try truncate(log + "/events/7.json", to: 30)
            try FileManager.default.removeItem(atPath: log + "/events/55.json")
            let page = log + "/event_cache/25-50.json"
            let text = try String(contentsOf: URL(filePath: page), encoding: .utf8)
            try Data(text.replacingOccurrences(of: "sleep 30", with: "sleep 31").utf8).write(to: URL(filePath: page))
            let run = try await fixture.log("verify", log)
            #expect(run.status == 1)
            #expect(run.output.contains("\(log)/events/7.json:1 (byte 30) is damaged"))
            #expect(run.output.contains("\(log): event 55 is missing"))
            #expect(run.output.contains("\(page): event 39 isn't what \(log)/events/39.json has"))
            let show = try await fixture.log("show", "--json", log)
            #expect(show.status == 1 && show.ids == (0..<58).filter { $0 != 7 && $0 != 55 })
        }
    }

    @Test("Of a trajectory that is cut off, what comes before is printed and the place named")
    func trajectory() async throws {
        try await withLogFixture { fixture in
            let log = try fixture.path(.trajectory)
            let text = try String(contentsOf: URL(filePath: log), encoding: .utf8)
            let end = try #require(text.range(of: "\"id\": 20,")).lowerBound.utf16Offset(in: text)
            try truncate(log, to: end)
            let line = text.utf8.prefix(end).count { $0 == UInt8(ascii: "\n") } + 1
            let run = try await fixture.log("verify", log)
            #expect(run.status == 1 && run.output.contains("\(log):\(line) (byte \(end)) is damaged"))
            for order in [[], ["--reversed"]] {
                let show = try await fixture.shell("\"$0\" log show --json \(order.joined()) \"$1\"", log)
                #expect(show.ids.sorted() == Array(0..<20) && show.status == 1)
            }
        }
    }

    @Test("What doesn't fit together is told, and what an interrupted session leaves open isn't held against it")
    func consistency() async throws {
        try await withLogFixture { fixture in
            func verify(_ lines: [String]) async throws -> LogFixture.Run {
                try await fixture.log("verify", try fixture.write(lines, to: "\(UUID()).jsonl"))
            }
            let open = try await verify(fixture.lines(0..<6))
            #expect(open.status == 0 && open.output.contains("without an observation, at the end of what was done: 5"))
            let extract = try await verify(fixture.lines([3, 6, 9, 10]))
            #expect(extract.status == 0 && extract.output.contains("7 ids have no event"))

            let twice = try await verify(fixture.lines([0, 1, 2, 3, 4, 4]))
            #expect(twice.status == 1 && twice.output.contains("event 4 is there twice"))
            let order = try await verify(fixture.lines([0, 1, 3, 2]))
            #expect(order.status == 1 && order.output.contains("event 2 comes after event 3"))

            var session = fixture.session
            session.events[4].cause = 40
            let later = try await verify(session.events.map { String(decoding: $0.jsonBytes(), as: UTF8.self) })
            #expect(later.status == 1 && later.output.contains("event 4 has the later event 40 as its cause"))
            #expect(later.output.contains("event 3, an action run, has no observation"))
            session.events[4].cause = 3
            session.events[6].cause = 3
            let again = try await verify(session.events.map { String(decoding: $0.jsonBytes(), as: UTF8.self) })
            #expect(again.status == 1 && again.output.contains("event 6 is another observation of event 3"))
        }
    }
}
