import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// What the reference answered is compared with what is answered here.
///
/// `Fixtures/openhands-0.62/SESSION.differences.jsonl` lists each field that differs with both values and the name of
/// the reason; the reasons are in the table of `docs/compatibility.md`. `UPDATE_DIFFERENCES=1` writes the lists anew,
/// with the reason "unexplained" where there was none.
@Suite("Requests that the reference answered are answered the same here", .timeLimit(.minutes(5)))
struct CompatibilityTests {
    @Test("Every difference is listed, and every one that is listed occurs", arguments: ExchangeRecording.names)
    func exchanges(session: String) async throws {
        let recording = try ExchangeRecording(session)
        let listed = try DifferenceList(recording)
        var found: [Difference] = []
        try await withServer { configuration in
            try recording.configure(&configuration)
        } _: { fixture in
            found = try await ExchangeReplay(recording, on: fixture).differences()
        }
        if ProcessInfo.processInfo.environment["UPDATE_DIFFERENCES"] != nil { return try listed.write(found) }
        for difference in Set(found).subtracting(listed.reasons.keys) {
            Issue.record("\(session): a difference that isn't listed: \(DifferenceList.line(difference, reason: ""))")
        }
        for difference in Set(listed.reasons.keys).subtracting(found) {
            Issue.record("\(session): listed, but it doesn't occur: \(DifferenceList.line(difference, reason: ""))")
        }
    }

    @Test("The reasons of the differences are those in the documentation")
    func reasons() throws {
        let used = try ExchangeRecording.names.flatMap { try DifferenceList(ExchangeRecording($0)).reasons.values }
        #expect(Set(used) == (try Self.documentedReasons()))
    }

    /// The first column of the table: `| <a id="name"></a>…`.
    private static func documentedReasons() throws -> Set<String> {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/compatibility.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        return Set(text.matches(of: /(?m)^\| `([a-z0-9-]+)` \|/).map { String($0.1) })
    }
}

/// The differences that are known in one session, with their reasons.
struct DifferenceList {
    private let file: URL
    private(set) var reasons: [Difference: String] = [:]

    init(_ recording: ExchangeRecording) throws {
        file = ExchangeRecording.folder.appending(path: "\(recording.name).differences.jsonl")
        for line in try ExchangeRecording.lines(of: file) {
            let difference = Difference(
                exchange: try #require(line["exchange"]?.stringValue),
                field: try #require(line["field"]?.stringValue),
                reference: line["reference"],
                here: line["here"]
            )
            reasons[difference] = try #require(line["reason"]?.stringValue)
        }
    }

    static func line(_ difference: Difference, reason: String) -> JSONValue {
        var line: JSONObject = ["exchange": .string(difference.exchange), "field": .string(difference.field)]
        line["reference"] = difference.reference
        line["here"] = difference.here
        line["reason"] = .string(reason)
        return .object(line)
    }

    /// Replaces the list; a field that differed before keeps its reason.
    func write(_ differences: [Difference]) throws {
        var known: [[String]: String] = [:]
        for (difference, reason) in reasons { known[[difference.exchange, difference.field]] = reason }
        let lines = differences.map { difference in
            let reason = known[[difference.exchange, difference.field]] ?? "unexplained"
            return "\(Self.line(difference, reason: reason))\n"
        }
        try Data(lines.joined().utf8).write(to: file)
    }
}
