import EventStream
import Foundation
import TestSupport

/// The recorded session of the reference in every form that a log may have.
struct LogFixture {
    /// A form, and its word on the command line.
    enum Form: String, CaseIterable {
        case jsonl
        case lines
        case session
        case trajectory
    }

    /// The recordings of `EventStreamTests`.
    static let recordings = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "EventStreamTests/Fixtures/openhands-0.62")

    let directory: URL
    let session: RecordedSession

    init(in directory: URL) throws {
        self.directory = directory
        session = try RecordedSession(contentsOf: Self.recordings.appending(path: "sessions/fixture").path)
    }

    /// The JSON lines of some events.
    func lines(_ ids: some Sequence<Int>) -> [String] {
        ids.compactMap { session.event($0) }.map { String(decoding: $0.jsonBytes(), as: UTF8.self) }
    }

    /// Writes the session in a form, by the library, and returns its path.
    func path(_ form: Form) throws -> String {
        let path = directory.appending(path: form.rawValue).path
        switch form {
        case .jsonl: try session.write(to: path)
        case .lines: try Data((lines(0..<58).joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
        case .session: try session.writeReferenceSession(to: path)
        case .trajectory: try session.writeTrajectory(to: path)
        }
        return path
    }

    /// Writes a file of one event per line.
    func write(_ lines: [String], to name: String = "made.jsonl") throws -> String {
        let url = directory.appending(path: name)
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: url)
        return url.path
    }

    /// How a run of the demo ended.
    struct Run {
        var status: Int32
        var output: String
        var errors: String
        /// What was printed, line by line.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        /// The ids of the events that were printed as JSON.
        var ids: [Int] {
            lines.compactMap { (try? JSONValue(parsing: $0))?["id"]?.intValue }
        }
    }

    /// Runs `log` with arguments.
    func log(_ arguments: String...) async throws -> Run {
        try await run(try TestEnvironment.demo(), ["log"] + arguments)
    }

    /// Runs a line of the shell, which has the demo as `$0` and the arguments as `$1` and so on.
    func shell(_ line: String, _ arguments: String...) async throws -> Run {
        try await run("/bin/sh", ["-c", line, try TestEnvironment.demo()] + arguments)
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> Run {
        let name = UUID().uuidString
        let (output, errors) = (try outputs.appending(path: name), try outputs.appending(path: name + ".errors"))
        let process = try ChildProcess(program, arguments, output: output, errors: errors)
        let status = await process.exitStatus()
        return Run(
            status: status,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8)
        )
    }

    /// A directory for what is printed, apart from the logs.
    var outputs: URL {
        get throws {
            let url = directory.appending(path: "outputs")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            return url
        }
    }
}

/// Lends the fixture with a new directory.
func withLogFixture(_ body: (LogFixture) async throws -> Void) async throws {
    try await withTemporaryDirectory { try await body(try LogFixture(in: $0)) }
}

/// The files below a path by their names in it; a file alone has the name "".
func files(below path: String) throws -> [String: Data] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
        return ["": try Data(contentsOf: URL(filePath: path))]
    }
    var files: [String: Data] = [:]
    for name in FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) ?? [] {
        let file = path + "/" + name
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), !isDirectory.boolValue else {
            continue
        }
        files[name] = try Data(contentsOf: URL(filePath: file))
    }
    return files
}
