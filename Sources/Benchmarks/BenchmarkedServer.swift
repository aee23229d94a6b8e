import ActionExecutionClient
import Foundation

/// An execution server in a child process, ours or the reference's, that is talked to with as little as it takes.
final class BenchmarkedServer {
    /// A server that doesn't do what it is asked.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Where it listens.
    private enum Address {
        case unix(String)
        case tcp(UInt16)
    }

    private let process = Process()
    private let address: Address
    /// From before the process was started to the first answer that it is alive.
    let startTime: Duration

    var processID: pid_t { process.processIdentifier }

    /// Starts ours, on a Unix socket.
    static func start(in directory: String) throws -> BenchmarkedServer {
        let socket = directory + "/socket-\(UInt32.random(in: .min ... .max))"
        return try BenchmarkedServer(
            try ServerBinary.find(for: .thisMachine),
            ["--unix-socket", socket, "--working-dir", directory],
            .unix(socket),
            limit: .seconds(10)
        )
    }

    /// Starts the reference's, on a TCP port.
    static func startReference(python: String, in directory: String) throws -> BenchmarkedServer {
        let port = UInt16.random(in: 20_000..<30_000)
        return try BenchmarkedServer(
            python,
            [
                "-m", "openhands.runtime.action_execution_server", "\(port)", "--working-dir", directory, "--username",
                "root", "--user-id", "0", "--no-enable-browser",
            ],
            .tcp(port),
            limit: .seconds(180)
        )
    }

    private init(_ program: String, _ arguments: [String], _ address: Address, limit: Duration) throws {
        self.address = address
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let start = ContinuousClock.now
        try process.run()
        while true {
            if let connection = try? BareConnection(address.path, address.port),
                let answer = try? connection.get("/alive"), answer.contains("\"ok\"")
            {
                break
            }
            guard ContinuousClock.now - start < limit, process.isRunning else {
                process.terminate()
                throw Failure(description: "\(program) \(arguments.joined(separator: " ")) doesn't become alive")
            }
            usleep(200)
        }
        startTime = .now - start
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    func connect() throws -> BareConnection { try BareConnection(address.path, address.port) }

    /// A number of kibibytes, or another, from `/proc/PID/status`.
    func status(_ key: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key + ":") }),
            let value = line.split(whereSeparator: { $0.isWhitespace }).dropFirst().first.flatMap({ Int($0) })
        else { throw Failure(description: "/proc/\(processID)/status has no \(key)") }
        return value
    }

    /// How often its threads have gone to sleep.
    func voluntarySwitches() throws -> Int {
        let tasks = "/proc/\(processID)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).reduce(0) { sum, task in
            let text = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            return sum + (line?.split(whereSeparator: { $0.isWhitespace }).last.flatMap { Int($0) } ?? 0)
        }
    }

    var descriptorCount: Int {
        get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count }
    }
}

extension BenchmarkedServer.Address {
    fileprivate var path: String? {
        if case .unix(let path) = self { path } else { nil }
    }

    fileprivate var port: UInt16 {
        if case .tcp(let port) = self { port } else { 0 }
    }
}

/// A kept-alive HTTP connection that waits for each answer: what a client costs at least.
final class BareConnection {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameter path: a Unix socket; nil for a TCP port of this machine.
    init(_ path: String?, _ port: UInt16) throws {
        #if os(Linux)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        descriptor = socket(path == nil ? AF_INET : AF_UNIX, stream, 0)
        let result: Int32
        if let path {
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        } else {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard result == 0 else {
            _ = Foundation.close(descriptor)
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECONNREFUSED)
        }
    }

    deinit { _ = Foundation.close(descriptor) }

    func get(_ path: String) throws -> String {
        try exchange("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// Runs a command; the command must need no escaping in JSON.
    ///
    /// - Returns: the observation's JSON.
    @discardableResult
    func run(_ command: String) throws -> String {
        let body = #"{"action":{"action":"run","args":{"command":"\#(command)","blocking":true},"timeout":300}}"#
        return try exchange(
            "POST /execute_action HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        )
    }

    private func exchange(_ request: String) throws -> String {
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw BenchmarkedServer.Failure(description: "the server doesn't take the request") }
            rest = rest.dropFirst(count)
        }
        var end = buffer.endOfHead
        while end == nil {
            try fill()
            end = buffer.endOfHead
        }
        let head = String(decoding: buffer[..<(end ?? 0)], as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        guard let count = length?.split(separator: " ").last.flatMap({ Int($0) }), head.contains(" 200 ") else {
            throw BenchmarkedServer.Failure(description: "the server answered \(head)")
        }
        let bodyEnd = (end ?? 0) + count
        while buffer.count < bodyEnd { try fill() }
        defer { buffer.removeSubrange(..<bodyEnd) }
        return String(decoding: buffer[(end ?? 0)..<bodyEnd], as: UTF8.self)
    }

    private func fill() throws {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { bytes in
            let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            guard count > 0 else { throw BenchmarkedServer.Failure(description: "the server closed the connection") }
            buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }
}

extension [UInt8] {
    /// Where the body begins, once the head is there.
    fileprivate var endOfHead: Int? {
        let mark: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
        guard count >= 4 else { return nil }
        for start in 0...count - 4 where self[start..<start + 4].elementsEqual(mark) { return start + 4 }
        return nil
    }
}
