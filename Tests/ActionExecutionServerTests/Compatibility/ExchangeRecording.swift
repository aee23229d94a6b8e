import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Requests to a server of the reference, and what it answered, in the order in which they were made.
///
/// `Fixtures/record_exchanges.py` makes them, and says what the format is.
struct ExchangeRecording: Sendable, CustomTestStringConvertible {
    var name: String
    /// How the server was started.
    var settings: JSONValue
    var exchanges: [RecordedExchange]

    var testDescription: String { name }

    static let names = ["shell", "files", "python", "protocol", "event-log"]
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    static let folder = tests.appending(path: "Fixtures/openhands-0.62")

    init(_ name: String) throws {
        if name == "event-log" {
            self = try Self.ofEventLog()
            return
        }
        self.name = name
        var lines = try Self.lines(of: Self.folder.appending(path: "\(name).jsonl"))
        settings = try #require(lines.removeFirst()["server"])
        exchanges = try lines.map { line in
            RecordedExchange(
                name: try #require(line["name"]?.stringValue),
                request: try #require(line["request"]),
                response: try #require(line["response"])
            )
        }
    }

    /// The exchanges that belong to the recorded event log of another target.
    ///
    /// They are of another form, since that is older: bodies are always JSON, and nobody is renamed.
    private static func ofEventLog() throws -> ExchangeRecording {
        let file = tests.deletingLastPathComponent()
            .appending(path: "EventStreamTests/Fixtures/openhands-0.62/http.jsonl")
        var recording = ExchangeRecording(name: "event-log", settings: ["directories": ["demo"]], exchanges: [])
        for line in try lines(of: file) {
            let (request, response) = (try #require(line["request"]), try #require(line["response"]))
            var extras = response["body"]?["extras"] ?? .null
            if extras["metadata"]?["username"]?.stringValue != nil {
                extras["metadata"]?["username"] = "user"
                extras["metadata"]?["hostname"] = "host"
            }
            var body = try #require(response["body"])
            body["extras"] = extras
            recording.exchanges.append(
                RecordedExchange(
                    name: "action \(try #require(request["body"]?["action"]?["id"]?.intValue))",
                    request: ["method": "POST", "path": request["path"] ?? .null, "json": request["body"] ?? .null],
                    response: [
                        "status": response["status"] ?? .null,
                        "headers": ["content-type": response["headers"]?["content-type"] ?? .null],
                        "json": body,
                    ]
                )
            )
        }
        return recording
    }

    private init(name: String, settings: JSONValue, exchanges: [RecordedExchange]) {
        (self.name, self.settings, self.exchanges) = (name, settings, exchanges)
    }

    /// Has a server of ours start as the reference did.
    ///
    /// It had IPython, of which `python3` in the search path is one that has it, too.
    func configure(_ configuration: inout ServerConfiguration) throws {
        for name in settings["directories"]?.arrayValue ?? [] {
            let path = "\(configuration.workingDirectory)/\(name.stringValue ?? "")"
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        configuration.environment["LANG"] = "C.UTF-8"
        let searchPath = configuration.environment["PATH"] ?? "/usr/bin:/bin"
        configuration.environment["PATH"] = "\(try TestPython.ipython.directory()):\(searchPath)"
        if let seconds = settings["no_change_timeout"]?.doubleValue {
            configuration.noChangeTimeout = .seconds(seconds)
        }
        if let key = settings["key"]?.stringValue { configuration.sessionAPIKeyDigest = SHA256.digest(key) }
    }

    static func lines(of file: URL) throws -> [JSONValue] {
        try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
    }
}

/// One request, and what the reference answered.
struct RecordedExchange: Sendable {
    /// Unique in its session.
    var name: String
    var request: JSONValue
    var response: JSONValue
}
