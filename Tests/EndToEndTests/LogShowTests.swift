import EventStream
import Foundation
import Testing

@Suite("log show and log grep", .timeLimit(.minutes(5)))
struct LogShowTests {
    @Test("The events of every form are printed as the same JSON lines", arguments: LogFixture.Form.allCases)
    func json(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let run = try await fixture.log("show", "--json", try fixture.path(form))
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.lines == fixture.lines(0..<58))
            #expect(run.errors.isEmpty)
        }
    }

    @Test("People read id, time, source, kind, text and exit code", arguments: LogFixture.Form.allCases)
    func text(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let run = try await fixture.log("show", try fixture.path(form), "--from", "4", "--to", "6")
            #expect(
                run.output == """
                    2026-11-22
                         4  19:54:38.720  agent        ✓ run          exit 0  in /workspace/demo  ← 3
                            │ /workspace/demo
                         5  19:54:38.721  agent        $ run          echo "héllo wörld ✓"; echo oops >&2; false
                         6  19:54:38.904  agent        ✗ run          exit 1  in /workspace/demo  ← 5
                            │ héllo wörld ✓
                            │ oops

                    """
            )
        }
    }

    @Test("Events are selected by id, kind, source, order and number", arguments: LogFixture.Form.allCases)
    func selection(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let path = try fixture.path(form)
            func ids(_ arguments: String...) async throws -> [Int] {
                let words = arguments.joined(separator: " ")
                let run = try await fixture.shell("\"$0\" log show --json \"$1\" \(words)", path)
                #expect(run.status == 0, "\(run.errors)")
                return run.ids
            }
            #expect(try await ids("--from", "50") == Array(50...57))
            #expect(try await ids("--to", "2") == [0, 1, 2])
            #expect(try await ids("--to", "9", "--from", "7") == [7, 8, 9])
            #expect(try await ids("--from", "7", "--to", "5") == [])
            #expect(try await ids("--reversed", "--limit", "3") == [57, 56, 55])
            #expect(try await ids("--reversed", "--from", "20", "--to", "22") == [22, 21, 20])
            #expect(try await ids("--limit", "0") == [])
            #expect(try await ids("--source", "user") == [1, 2])
            #expect(try await ids("--type", "read", "--type", "finish", "--to", "17") == [15, 16, 17])
            #expect(try await ids("--type", "read", "--type", "finish", "--reversed", "--limit", "2") == [57, 38])
            #expect(try await ids("--type", "unheard_of") == [])
        }
    }

    @Test("Long texts are cut unless all is asked for, and a terminal doesn't obey what is in a log")
    func longAndStrange() async throws {
        try await withLogFixture { fixture in
            var event = try #require(fixture.session.event(6))
            let lines = (1...20).map { "line \($0)" } + [String(repeating: "x", count: 1000), "\u{1b}[2J\u{7}\u{9b}"]
            event.payload = .observation(
                .run(CommandObservation(content: lines.joined(separator: "\n"), command: "\u{1b}]0;title\u{7}"))
            )
            let path = try fixture.write([String(decoding: event.jsonBytes(), as: UTF8.self)])
            let short = try await fixture.log("show", path)
            #expect(short.output.contains("line 12\n") && !short.output.contains("line 13"))
            #expect(short.output.contains("10 more lines"))
            let full = try await fixture.log("show", "--full", path)
            #expect(full.output.contains("line 20\n") && full.output.contains(lines[20]))
            let controls = full.output.unicodeScalars.filter { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }
            #expect(controls.allSatisfy { $0 == "\n" })
            #expect(full.output.contains("␛[2J␇"))
        }
    }

    @Test("grep finds text in either case, or a regular expression", arguments: LogFixture.Form.allCases)
    func grep(form: LogFixture.Form) async throws {
        try await withLogFixture { fixture in
            let path = try fixture.path(form)
            let expected = [14]
            for arguments in [["indexERROR"], ["--regex", "index.?e[r]+or:"], ["--type", "run", "IndexError"]] {
                let words = arguments.map { "'\($0)'" }.joined(separator: " ")
                let run = try await fixture.shell("\"$0\" log grep --json \(words) \"$1\"", path)
                #expect(run.ids == expected && run.status == 0, "\(arguments): \(run.errors)")
            }
            let text = try await fixture.log("grep", "IndexError", path)
            #expect(text.lines.last == "        │ IndexError: list index out of range")
            let count = try await fixture.log("grep", "--count", "hello", path)
            #expect(count.output == "4\n" && count.status == 0)
            let none = try await fixture.log("grep", "--count", "--", "--nothing like it", path)
            #expect(none.output == "0\n" && none.status == 1 && none.errors.isEmpty)
            let bad = try await fixture.log("grep", "--regex", "(", path)
            #expect(bad.status == 2 && bad.errors.contains("regular expression"))
        }
    }

    @Test("What matches outside of the text that people read is shown where it is")
    func excerpt() async throws {
        try await withLogFixture { fixture in
            let run = try await fixture.log("grep", "\"exit_code\":130", try fixture.path(.jsonl))
            #expect(run.lines.count == 3)
            #expect(run.lines.last?.contains("{} …") == true && run.lines.last?.contains("\"exit_code\":130") == true)
        }
    }

    @Test("A reader that goes away ends it quietly", arguments: ["", "trap '' PIPE;"])
    func brokenPipe(preparation: String) async throws {
        try await withLogFixture { fixture in
            // More than a pipe holds.
            let path = try fixture.write(Array(repeating: fixture.lines([5])[0], count: 10_000))
            let line = "\(preparation) { \"$0\" log show --json \"$1\"; echo $? > \"$2\"; } | head -n 1"
            let status = fixture.directory.appending(path: "status")
            let run = try await fixture.shell(line, path, status.path)
            #expect(run.lines == fixture.lines([5]))
            #expect(run.errors.isEmpty)
            #expect(try String(contentsOf: status, encoding: .utf8) == "141\n")
        }
    }

    @Test("What can't be read, or isn't a command, is status 2 and says why")
    func errors() async throws {
        try await withLogFixture { fixture in
            let path = try fixture.path(.lines)
            let missing = fixture.directory.appending(path: "missing").path
            let cases: [([String], String)] = [
                ([], "log needs a command"),
                (["frob", path], "unknown command: log frob"),
                (["show"], "log show needs one LOG"),
                (["show", path, path], "log show needs one LOG"),
                (["show", path, "--limit", "x"], "--limit needs a number"),
                (["show", path, "--from"], "--from needs a value"),
                (["verify", path, "--json"], "log verify has no option --json"),
                (["grep", path], "log grep needs a PATTERN"),
                (["convert", path, missing], "--to FORM"),
                (["convert", path, missing, "--to", "tape"], "unknown form: tape"),
                (["show", missing], "No such file"),
                (["grep", "x", missing], "No such file"),
                (["verify", try fixture.outputs.path], "there is no session"),
            ]
            for (arguments, message) in cases {
                let words = arguments.map { "'\($0)'" }.joined(separator: " ")
                let run = try await fixture.shell("\"$0\" log \(words)")
                #expect(run.status == 2 && run.errors.contains(message), "\(arguments): \(run.errors)")
                #expect(run.output.isEmpty)
            }
            let help = try await fixture.log("grep", "--help")
            #expect(help.status == 0 && help.output.contains("Demo log convert"))
            let all = try await fixture.shell("\"$0\" --help")
            #expect(all.status == 0 && all.output.contains("log show"))
        }
    }
}
