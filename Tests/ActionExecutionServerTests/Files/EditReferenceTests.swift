import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// What the reference makes of edits, recorded; and asked for anew where a Python with it is named.
struct EditReferenceTests {
    /// A step of a scenario.
    private enum Step {
        /// Something else changes a file.
        case outside(JSONValue)
        case action(Action, observation: JSONValue, file: String, text: JSONValue)
    }

    private static var folder: URL {
        get throws {
            try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        }
    }

    private static func recorded(_ name: String) throws -> [[UInt8]] {
        try lines(of: folder.appending(path: "openhands-0.62/\(name)"))
    }

    private static func lines(of file: URL) throws -> [[UInt8]] {
        try [UInt8](Data(contentsOf: file)).split(separator: 0x0a).map(Array.init)
    }

    /// Lines that the reference makes now; nil where no Python with it is named.
    private static func live(_ mode: String, in directory: String) async throws -> [[UInt8]]? {
        let environment = ProcessInfo.processInfo.environment
        guard let python = environment["REFERENCE_PYTHON"] else { return nil }
        let output = URL(filePath: directory + "/live.jsonl")
        let log = directory + "/log"
        try Data().write(to: URL(filePath: log))
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [
            try folder.appending(path: "edits.py").path, mode, output.path, environment["EDIT_SEED"] ?? "1000000",
            environment["EDIT_SCENARIOS"] ?? "200",
        ]
        // The order of a directory's names is that of their bytes.
        process.environment = environment.merging(["LC_ALL": "C", "LANG": "C"]) { $1 }
        process.standardError = try FileHandle(forWritingTo: URL(filePath: log))
        process.standardOutput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let messages = try String(contentsOf: URL(filePath: log), encoding: .utf8).suffix(2000)
        try #require(process.terminationStatus == 0, "\(messages)")
        return try lines(of: output)
    }

    // MARK: Scenarios

    @Test("Edits, views, reads and writes are answered as the reference answered them, to the byte")
    func recordedScenarios() async throws {
        let scenarios = try Self.recorded("edits.jsonl")
        #expect(scenarios.count == 400)
        try await Self.replay(scenarios)
    }

    @Test("So are those that the reference answers now")
    func liveScenarios() async throws {
        try await withTemporaryDirectory { directory in
            guard let scenarios = try await Self.live("scenarios", in: directory) else { return }
            try await Self.replay(scenarios)
        }
    }

    private static func replay(_ scenarios: [[UInt8]]) async throws {
        let loop = try EventLoop()
        try loop.runInBackground()
        defer { loop.stop() }
        var (actions, differences) = (0, 0)
        for (number, line) in scenarios.enumerated() {
            try await withTemporaryDirectory { root in
                // Limits of characters count the path: it is as long as the recorded one.
                let text = String(decoding: line, as: UTF8.self)
                let scenario = try JSONValue(
                    parsing: Array(text.replacingOccurrences(of: "/tmp/aes-tests-000000", with: root).utf8)
                )
                for file in scenario["files"]?.arrayValue ?? [] { try put(file, in: root) }
                let editor = FileEditor(workspace: root, loop: loop)
                for (index, step) in (scenario["steps"]?.arrayValue ?? []).enumerated() {
                    switch try read(step) {
                    case .outside(let file):
                        try put(file, in: root)
                    case .action(let action, let expected, let file, let content):
                        actions += 1
                        let observation = JSONValue.object(await perform(action, with: editor, in: root).json)
                        // Not as strings, which are equal when they look the same.
                        if Array(observation.description.utf8) != Array(expected.description.utf8) {
                            differences += 1
                            if differences <= 20 {
                                Issue.record(
                                    "scenario \(number), step \(index): \(action)\n\(expected)\nbut here\n\(observation)"
                                )
                            }
                            return
                        }
                        let now = try textOfFile(root + "/" + file)
                        if now?.description != content.description, now != nil || content != .null {
                            differences += 1
                            if differences <= 20 {
                                Issue.record(
                                    "scenario \(number), step \(index): \(action) left\n\(content)\nbut here\n\(now ?? .null)"
                                )
                            }
                            return
                        }
                    }
                }
            }
        }
        #expect(differences == 0, "of \(actions) actions")
        #expect(actions > 3 * scenarios.count)
    }

    private static func read(_ step: JSONValue) throws -> Step {
        if let file = step["outside"] { return .outside(file) }
        return .action(
            try Action(json: try #require(step["action"]?.objectValue)),
            observation: try #require(step["observation"]),
            file: try #require(step["file"]?.stringValue),
            text: step["text"] ?? .null
        )
    }

    private static func put(_ file: JSONValue, in root: String) throws {
        let path = root + "/" + (try #require(file["path"]?.stringValue))
        let manager = FileManager.default
        if file["removed"] != nil {
            try? manager.removeItem(atPath: path)
        } else if let target = file["link"]?.stringValue {
            try manager.createSymbolicLink(atPath: path, withDestinationPath: target)
        } else if file["directory"] != nil {
            try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
        } else {
            let content = try #require(Data(base64Encoded: file["base64"]?.stringValue ?? ""))
            let parent = URL(filePath: path).deletingLastPathComponent().path
            try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try content.write(to: URL(filePath: path))
        }
    }

    private static func perform(_ action: Action, with editor: FileEditor, in root: String) async -> Observation {
        switch action {
        case .read(let action) where action.implementation == .editor: await editor.view(action)
        case .read(let action): FileActions.read(action, in: root)
        case .write(let action): await editor.write(action, in: root)
        case .edit(let action): await editor.edit(action)
        default: .null(NullObservation())
        }
    }

    /// As Python reads it.
    private static func textOfFile(_ path: String) throws -> JSONValue? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let bytes = try FileAccess.read(path, limit: 1 << 24)
        guard let file = try? TextFile(bytes) else { return nil }
        return .string(String(decoding: file.text, as: UTF8.self))
    }

    // MARK: Diffs

    @Test("Diffs are those of Python's difflib, to the byte")
    func recordedDiffs() throws {
        let diffs = try Self.recorded("diffs.jsonl")
        #expect(diffs.count == 300)
        try Self.compare(diffs)
    }

    @Test("So are those that Python makes now")
    func liveDiffs() async throws {
        try await withTemporaryDirectory { directory in
            guard let diffs = try await Self.live("diffs", in: directory) else { return }
            try Self.compare(diffs)
        }
    }

    private static func compare(_ lines: [[UInt8]]) throws {
        var differences = 0
        for (number, line) in lines.enumerated() {
            let sample = try JSONValue(parsing: line)
            let old = Array(try #require(sample["old"]?.stringValue).utf8)
            let new = Array(try #require(sample["new"]?.stringValue).utf8)
            let diff = UnifiedDiff.between(old, new, path: try #require(sample["path"]?.stringValue))
            let expected = try #require(sample["diff"]?.stringValue)
            if Array(diff.utf8) != Array(expected.utf8) {
                differences += 1
                if differences <= 5 { Issue.record("\(number): \(sample)\nbut here\n\(diff)") }
            }
        }
        #expect(differences == 0, "of \(lines.count)")
    }
}
