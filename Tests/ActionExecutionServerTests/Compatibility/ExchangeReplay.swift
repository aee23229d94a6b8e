import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Makes recorded requests to a server of ours, and compares what it answers with what the reference did.
struct ExchangeReplay {
    let recording: ExchangeRecording
    let fixture: ServerFixture
    let normaliser: Normaliser

    init(_ recording: ExchangeRecording, on fixture: ServerFixture) {
        self.recording = recording
        self.fixture = fixture
        normaliser = Normaliser(directory: fixture.directory)
    }

    /// What differs, in the order of the exchanges.
    func differences() async throws -> [Difference] {
        var differences: [Difference] = []
        for exchange in recording.exchanges {
            let response = try await response(to: exchange.request)
            differences += Difference.all(
                in: exchange.name,
                reference: normaliser.normalised(exchange.response),
                here: normaliser.normalised(response)
            )
        }
        return differences
    }

    /// The server's answer in the form of the recordings.
    private func response(to request: JSONValue) async throws -> JSONValue {
        let (head, body) = try encoded(request)
        let client = try await fixture.connect()
        try await client.send(Array(head.utf8) + body)
        let response = try await client.receive()
        var recorded: JSONObject = ["status": .number(JSONNumber(response.status)), "headers": headers(response)]
        switch response.headers.single("content-type") {
        case "application/json"?: recorded["json"] = try response.json
        case "application/zip"?: recorded["zip"] = try contents(ofZip: response.body)
        default: recorded["text"] = .string(response.body.text)
        }
        return .object(recorded)
    }

    private func encoded(_ request: JSONValue) throws -> (head: String, body: [UInt8]) {
        let method = try #require(request["method"]?.stringValue)
        let path = local(try #require(request["path"]?.stringValue))
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
        var (body, type) = ([] as [UInt8], nil as String?)
        if let json = request["json"] {
            (body, type) = (Array(local(json.description).utf8), "application/json")
        } else if let text = request["text"]?.stringValue {
            (body, type) = (Array(text.utf8), "application/json")
        } else if let base64 = request["base64"]?.stringValue {
            body = Array(try #require(Data(base64Encoded: base64)))
        }
        for (name, value) in request["headers"]?.objectValue ?? [:] {
            head += "\(name): \(value.stringValue ?? "")\r\n"
            if name.lowercased() == "content-type" { type = nil }
        }
        if let type { head += "Content-Type: \(type)\r\n" }
        if method != "GET" { head += "Content-Length: \(body.count)\r\n" }
        return (head + "\r\n", body)
    }

    private func local(_ text: String) -> String {
        text.replacingOccurrences(of: "/workspace", with: fixture.directory)
    }

    /// Those that clients go by.
    private func headers(_ response: TestResponse) -> JSONValue {
        var kept: JSONObject = [:]
        for name in ["content-type", "content-disposition", "allow"] {
            if let value = response.headers.single(name) { kept[name] = .string(value) }
        }
        return .object(kept)
    }

    private func contents(ofZip bytes: [UInt8]) throws -> JSONValue {
        let entries = try ZipReader.entries(bytes).sorted { $0.name < $1.name }
        return .object(JSONObject(entries.map { ($0.name, .string($0.content.text)) }))
    }
}

/// Replaces what legitimately differs from run to run by fixed words.
struct Normaliser {
    private let directories: [String]
    private let username: String
    private let hostname: String

    init(directory: String) {
        // A shell may tell the path without its links, as on macOS, where /tmp is one.
        let resolved = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        directories = ["/private" + directory, directory, resolved]
        username = NSUserName()
        hostname = String(ProcessInfo.processInfo.hostName.prefix { $0 != "." })
    }

    func normalised(_ value: JSONValue, name: String = "") -> JSONValue {
        switch value {
        case .object(let members):
            .object(JSONObject(members.map { ($0.key, normalised($0.value, name: $0.key)) }))
        case .array(let elements): .array(elements.map { normalised($0) })
        case .string(let text): .string(normalised(text, name: name))
        case .number where Self.measured.contains(name): 0
        case .number where name == "pid" && value.doubleValue.map { $0 > 0 } == true: 1
        default: value
        }
    }

    /// Numbers that `/server_info` measures.
    private static let measured: Set<String> = [
        "uptime", "idle_time", "cpu_percent", "rss", "vms", "percent", "total", "used", "free", "read_bytes",
        "write_bytes",
    ]

    private func normalised(_ text: String, name: String) -> String {
        switch name {
        case "username" where text == username: return "user"
        case "hostname" where text == hostname: return "host"
        case "py_interpreter_path" where text.contains("/python"): return "/usr/bin/python3"
        default: break
        }
        var text = text
        for directory in directories { text = text.replacingOccurrences(of: directory, with: "/workspace") }
        // Bash names the process of a background job.
        text = text.replacing(/\[(\d+)\] \d+/) { "[\($0.1)] PID" }
        text = text.replacing(/(\[Jupyter Python interpreter: )[^\]]+/) { "\($0.1)/usr/bin/python3" }
        text = text.replacing(/(the whole output is in )[^ ]+/) { "\($0.1)/outputs/file" }
        // Which part of a line Python points at depends on its version.
        return text.replacing(/\n *[~^]+(?=\n|$)/, with: "")
    }
}

/// One field of a response that isn't as the reference's.
struct Difference: Hashable {
    var exchange: String
    /// Empty for the whole response.
    var field: String
    /// `nil` where there is no such field.
    var reference: JSONValue?
    var here: JSONValue?

    /// Each field in which two responses differ; for those of different kinds, one difference that says what each is.
    static func all(in exchange: String, reference: JSONValue, here: JSONValue) -> [Difference] {
        let (theirs, ours) = (summary(of: reference), summary(of: here))
        if theirs["status"] != ours["status"] || theirs["observation"] != ours["observation"] {
            return [Difference(exchange: exchange, field: "", reference: theirs, here: ours)]
        }
        var differences: [Difference] = []
        find(reference, here, at: "") { field, reference, here in
            differences.append(Difference(exchange: exchange, field: field, reference: reference, here: here))
        }
        return differences
    }

    private static func summary(of response: JSONValue) -> JSONValue {
        var summary: JSONObject = ["status": response["status"] ?? .null]
        for name in ["observation", "content", "detail"] {
            if let value = response["json"]?[name] { summary[name] = abridged(value) }
        }
        return .object(summary)
    }

    /// Reports each field in which two values differ.
    private static func find(
        _ reference: JSONValue?,
        _ here: JSONValue?,
        at field: String,
        _ report: (String, JSONValue?, JSONValue?) -> Void
    ) {
        guard reference != here else { return }
        guard case .object(let theirs)? = reference, case .object(let ours)? = here else {
            return report(field, reference.map(abridged), here.map(abridged))
        }
        for name in theirs.keys + ours.keys.filter({ !theirs.contains(key: $0) }) {
            find(theirs[name], ours[name], at: field.isEmpty ? name : "\(field).\(name)", report)
        }
    }

    /// A long text by its ends and its digest.
    private static func abridged(_ value: JSONValue) -> JSONValue {
        guard case .string(let text) = value, text.count > 1000 else { return value }
        let digest = SHA256.digest(text).prefix(4).map { String($0, radix: 16) }.joined()
        return .string("\(text.prefix(200)) … \(text.count) characters, digest \(digest) … \(text.suffix(200))")
    }
}
