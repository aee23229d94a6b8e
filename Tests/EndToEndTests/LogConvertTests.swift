import EventStream
import Foundation
import TestSupport
import Testing

@Suite("log convert", .timeLimit(.minutes(5)))
struct LogConvertTests {
    @Test(
        "By way of every form, a session comes back byte for byte",
        arguments: LogFixture.Form.allCases,
        LogFixture.Form.allCases
    )
    func roundTrip(from form: LogFixture.Form, by way: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let original = try fixture.path(form)
            let (there, back) = (fixture.directory.path + "/there", fixture.directory.path + "/back")
            let first = try await fixture.log("convert", original, there, "--to", way.rawValue)
            #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
            let second = try await fixture.log("convert", there, back, "--to", form.rawValue)
            #expect(second.status == 0 && !second.output.contains("Left out"), "\(second.errors)")
            var (written, expected) = (try files(below: back), try files(below: original))
            // It says which process wrote the log.
            written["lock"] = nil
            expected["lock"] = nil
            #expect(written == expected)
            #expect(try visibleNames(in: fixture) == [form.rawValue, "there", "back", "outputs"].sorted())
        }
    }

    private func visibleNames(in fixture: LogFixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path).sorted()
    }

    @Test("What a trajectory leaves out is told, pictures unless they're kept")
    func losses() async throws {
        try await withLogFixture { fixture in
            let kinds = LogFixture.recordings.appending(path: "kinds.jsonl").path
            let target = fixture.directory.path + "/new"
            let run = try await fixture.log("convert", kinds, target, "--to", "trajectory")
            #expect(run.status == 0)
            let told = run.lines.dropFirst(2).map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(told.contains("extras.dom_object  2") && told.contains("extras.screenshot  2"))
            let pictures = try await fixture.log("convert", kinds, target + "2", "--to", "trajectory", "--screenshots")
            #expect(pictures.output.contains("extras.dom_object") && !pictures.output.contains("screenshot"))
        }
    }

    @Test("Nothing that is there is written over", arguments: LogFixture.Form.allCases)
    func existing(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let source = try fixture.path(.lines)
            let folder = fixture.directory.path
            try Data("kept".utf8).write(to: URL(filePath: folder + "/file"))
            try FileManager.default.createDirectory(atPath: folder + "/empty", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "nowhere")
            _ = try fixture.outputs
            let before = try visibleNames(in: fixture)
            for name in ["file", "empty", "empty/", "link", "lines"] {
                let run = try await fixture.log("convert", source, folder + "/" + name, "--to", form.rawValue)
                #expect(run.status == 2 && run.errors.contains("is there already"), "\(name): \(run.errors)")
            }
            let nowhere = try await fixture.log("convert", source, folder + "/a/b", "--to", form.rawValue)
            #expect(nowhere.status == 2 && nowhere.errors.contains("there is no directory \(folder)/a"))
            #expect(try visibleNames(in: fixture) == before)
            #expect(try String(contentsOf: URL(filePath: folder + "/file"), encoding: .utf8) == "kept")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/empty") == [])
        }
    }

    @Test("What is damaged, or has no room in the form, isn't written", arguments: LogFixture.Form.allCases)
    func refused(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let target = fixture.directory.path + "/new"
            let damaged = try fixture.write(fixture.lines(0..<5) + ["{\"id\":5}"], to: "damaged")
            let twice = try fixture.write(fixture.lines([0, 1, 1]), to: "twice")
            let gaps = try fixture.write(fixture.lines([0, 1, 3]), to: "gaps")
            _ = try fixture.outputs
            let before = try visibleNames(in: fixture)
            let first = try await fixture.log("convert", damaged, target, "--to", form.rawValue)
            #expect(first.status == 1 && first.errors.contains("\(damaged):6"), "\(first.errors)")
            let second = try await fixture.log("convert", twice, target, "--to", form.rawValue)
            #expect(second.status == 2 && second.errors.contains("two events 1"), "\(second.errors)")
            #expect(try visibleNames(in: fixture) == before)
            let third = try await fixture.log("convert", gaps, target, "--to", form.rawValue)
            #expect(third.status == (form == .jsonl ? 2 : 0), "\(third.errors)")
            if form == .jsonl {
                #expect(third.errors.contains("has no event 2"))
                #expect(try visibleNames(in: fixture) == before)
            } else {
                #expect(try RecordedSession(contentsOf: target).events.map(\.id) == [0, 1, 3])
            }
        }
    }

    @Test("Without room on the disk, there is nothing where the session should be", arguments: LogFixture.Form.allCases)
    func fullDisk(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let lines = (0..<200).map { id in
                let event = Event(
                    id: id,
                    timestamp: Timestamp(wallMicroseconds: 0),
                    source: .user,
                    payload: .action(.message(MessageAction(content: String(repeating: "text ", count: 100 * id))))
                )
                return String(decoding: event.jsonBytes(), as: UTF8.self)
            }
            let source = try fixture.write(lines)
            _ = try fixture.outputs
            let before = try visibleNames(in: fixture)
            // The limit of a file's size, in blocks of 512 or 1024 bytes, stands in for a full disk.
            let run = try await fixture.shell(
                "trap '' XFSZ; ulimit -f 64; \"$0\" log convert \"$1\" \"$2\" --to \(form.rawValue)",
                source,
                fixture.directory.path + "/new"
            )
            #expect(run.status == 2 && !run.errors.isEmpty, "\(run.output)")
            #expect(try visibleNames(in: fixture) == before)
        }
    }

    @Test(
        "Interrupted at work, it leaves nothing where the session should be; asked to end, nothing at all",
        arguments: [SIGINT, SIGTERM, SIGKILL]
    )
    func interrupted(by signal: Int32) async throws {
        try await withLogFixture { fixture in
            // Long enough to be at work for a while.
            let text = String(repeating: "0123456789", count: 20)
            let lines = (0..<8_000).map { id in
                let action = Action.message(MessageAction(content: text))
                let time = Timestamp(wallMicroseconds: Int64(id))
                let event = Event(id: id, timestamp: time, source: .user, payload: .action(action))
                return String(decoding: event.jsonBytes(), as: UTF8.self)
            }
            let source = try fixture.write(lines)
            let target = fixture.directory.path + "/new"
            let demo = try ChildProcess(
                try TestEnvironment.demo(),
                ["log", "convert", source, target, "--to", "session"],
                output: try fixture.outputs.appending(path: "output")
            )
            try await until {
                try visibleNames(in: fixture).contains { $0.hasSuffix(".partial") } || !isRunning(demo.id)
            }
            demo.signal(signal)
            let status = await demo.exitStatus()
            #expect(status == (signal == SIGKILL ? 128 + SIGKILL : 130), "\(demo.text)")
            #expect(!FileManager.default.fileExists(atPath: target))
            let left = try visibleNames(in: fixture).filter { $0.hasSuffix(".partial") }
            #expect(left.count == (signal == SIGKILL ? 1 : 0))
        }
    }
}
