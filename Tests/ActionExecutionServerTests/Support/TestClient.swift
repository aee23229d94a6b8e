import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// A response as a client reads it.
struct TestResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var json: JSONValue {
        get throws { try JSONValue(parsing: body) }
    }

    /// The detail of an error.
    var detail: String? { try? json["detail"]?.stringValue }
}

/// A client that knows of HTTP only what the tests need, and shares no code with the server. It blocks threads of its own.
actor TestClient {
    enum Failure: Error {
        case noConnection(Int32)
        case closed(after: Int)
        case broken(Int32)
        case malformed(String)
    }

    private let descriptor: Int32
    private var isOpen = true
    private var buffer: [UInt8] = []

    init(_ address: ServerAddress) async throws {
        descriptor = try await Task.offloaded { try Self.connect(address) }
    }

    deinit {
        if isOpen { _ = Foundation.close(descriptor) }
    }

    /// Closes the socket, as the end of the client's process would.
    func close() {
        if isOpen { _ = Foundation.close(descriptor) }
        isOpen = false
    }

    /// Closes the socket with a reset, so that the server's next call fails.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    // MARK: Requests

    func request(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> TestResponse {
        try await send(Self.encoded(method, path, headers: headers, body: body))
        return try await receive(omitsBody: method == "HEAD")
    }

    static func encoded(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: String? = nil
    ) -> String {
        var head = "\(method) \(path) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.0.lowercased() == "host" }) { head += "Host: localhost\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        return head + "\r\n" + (body ?? "")
    }

    /// The body of a request that runs a command.
    static func command(_ command: String, timeout: Double? = nil, _ arguments: JSONObject = [:]) -> String {
        var members: JSONObject = ["command": .string(command)]
        for (key, value) in arguments { members[key] = value }
        var action: JSONObject = ["action": "run", "args": .object(members)]
        if let timeout { action["timeout"] = .number(JSONNumber(timeout)) }
        return JSONValue.object(["action": .object(action)]).description
    }

    /// Runs a command and gives what it wrote.
    func run(_ command: String, headers: [(String, String)] = []) async throws -> String {
        let response = try await request("POST", "/execute_action", headers: headers, body: Self.command(command))
        guard response.status == 200, let content = try response.json["content"]?.stringValue else {
            throw Failure.malformed("\(response.status) \(response.body.text)")
        }
        return content
    }

    // MARK: Bytes

    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) async throws {
        let descriptor = descriptor
        try await Task.offloaded {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure.broken(errno) }
                sent += count
            }
        }
    }

    /// Ends the sending side.
    func finishSending() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// The next response; informational ones are passed over unless asked for.
    func receive(omitsBody: Bool = false, includesInformational: Bool = false) async throws -> TestResponse {
        var response = try await receiveHead()
        while response.status < 200, !includesInformational { response = try await receiveHead() }
        if omitsBody || response.status < 200 { return response }
        if response.headers.single("transfer-encoding") == "chunked" {
            while let chunk = try await receiveChunk() { response.body += chunk }
        } else {
            response.body = try await receiveBytes(Int(response.headers.single("content-length") ?? "") ?? 0)
        }
        return response
    }

    /// The next head, of an informational response too.
    func receiveHead() async throws -> TestResponse {
        let words = try await receiveLine().split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw Failure.malformed(words.joined(separator: " "))
        }
        var headers = HTTPHeaders()
        while true {
            let line = try await receiveLine()
            if line.isEmpty { return TestResponse(status: status, headers: headers, body: []) }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw Failure.malformed(line) }
            headers.append(String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
        }
    }

    /// The next chunk of a body; nil for the last one.
    func receiveChunk() async throws -> [UInt8]? {
        let line = try await receiveLine()
        guard let size = Int(line, radix: 16) else { throw Failure.malformed(line) }
        let chunk = try await receiveBytes(size)
        let end = try await receiveLine()
        guard end.isEmpty else { throw Failure.malformed(end) }
        return size == 0 ? nil : chunk
    }

    /// What comes until the server ends the connection.
    func receiveToEnd() async throws -> [UInt8] {
        do {
            while true { try await fill() }
        } catch Failure.closed {
            defer { buffer = [] }
            return buffer
        }
    }

    func receiveBytes(_ count: Int) async throws -> [UInt8] {
        while buffer.count < count { try await fill() }
        defer { buffer.removeSubrange(..<count) }
        return Array(buffer[..<count])
    }

    private func receiveLine() async throws -> String {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstRange(of: Array("\r\n".utf8)) {
                defer { buffer.removeSubrange(..<end.upperBound) }
                return buffer[..<end.lowerBound].text
            }
            searched = max(0, buffer.count - 1)
            try await fill()
        }
    }

    /// Whether the server ends the connection without sending anything more.
    func isAtEnd() async throws -> Bool {
        guard buffer.isEmpty else { return false }
        do {
            try await fill()
            return false
        } catch Failure.closed {
            return true
        }
    }

    private func fill() async throws {
        let descriptor = descriptor
        let bytes = try await Task.offloaded {
            var bytes = [UInt8](repeating: 0, count: 64 * 1024)
            let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else { throw Failure.broken(errno) }
            return Array(bytes[..<count])
        }
        guard !bytes.isEmpty else { throw Failure.closed(after: buffer.count) }
        buffer += bytes
    }

    private static func connect(_ address: ServerAddress) throws -> Int32 {
        #if os(Linux)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        let descriptor: Int32
        let result: Int32
        switch address {
        case .tcp(let host, let port):
            descriptor = socket(AF_INET, stream, 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(port).bigEndian
            inet_pton(AF_INET, host == "0.0.0.0" ? "127.0.0.1" : host, &name.sin_addr)
            result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .unix(let path):
            descriptor = socket(AF_UNIX, stream, 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        guard result == 0 else {
            let code = errno
            _ = Foundation.close(descriptor)
            throw Failure.noConnection(code)
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // A safety net, since a blocked call can't be cancelled.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }
}

extension Task where Success == Never, Failure == Never {
    /// Runs what blocks on a thread of its own, since the tests' own are few.
    static func offloaded<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// A server that runs in this process, on a TCP port and on a Unix socket.
struct ServerFixture {
    let server: ActionExecutionServer
    /// The shell's first directory.
    let directory: String
    let tcp: ServerAddress
    let unix: ServerAddress

    func connect() async throws -> TestClient { try await TestClient(tcp) }
}

func withServer(
    isolation: isolated (any Actor)? = #isolation,
    _ change: (inout ServerConfiguration) throws -> Void = { _ in },
    _ body: (ServerFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { root in
        let configuration = try serverConfiguration(in: root, change)
        let server = try ActionExecutionServer(configuration)
        let running = Task.detached { await server.run() }
        let fixture = ServerFixture(
            server: server,
            directory: configuration.workingDirectory,
            tcp: server.addresses[0],
            unix: server.addresses[1]
        )
        do {
            try await body(fixture)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}

func serverConfiguration(
    in root: String,
    _ change: (inout ServerConfiguration) throws -> Void = { _ in }
) rethrows -> ServerConfiguration {
    var configuration = ServerConfiguration(
        addresses: [.tcp(host: "127.0.0.1", port: 0), .unix(path: root + "/socket")],
        workingDirectory: root + "/made/directory"
    )
    configuration.environment = ["HOME": root, "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "xterm-256color"]
    configuration.outputDirectory = root + "/outputs"
    configuration.shutdownTime = .zero
    try change(&configuration)
    return configuration
}
