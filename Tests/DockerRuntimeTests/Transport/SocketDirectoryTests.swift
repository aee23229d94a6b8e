import ActionExecutionClient
import CurlHTTP
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite
struct SocketDirectoryTests {
    private func names(_ path: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: path))
    }

    @Test("A directory is this user's alone, and goes with what is in it")
    func life() async throws {
        try await withTemporaryDirectory { base in
            let directory = try SocketDirectory(base: base.path)
            let parent = URL(fileURLWithPath: directory.path).deletingLastPathComponent()
            for path in [directory.path, parent.path] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
            }
            #expect(try !directory.claim())
            try Data().write(to: URL(fileURLWithPath: directory.sharedPath + "/server.sock"))
            try Data().write(to: URL(fileURLWithPath: directory.sharedPath + "/other"))
            #expect(try directory.claim())
            #expect(try names(directory.path) == ["lock", "server.sock", "shared"])
            #expect(try names(directory.sharedPath) == [])
            directory.remove()
            directory.remove()
            #expect(try names(parent.path) == ["lock"])
        }
    }

    @Test("What isn't this user's alone isn't used, nor a path that is too long for a socket")
    func refused() async throws {
        try await withTemporaryDirectory { base in
            let parent = base.appending(path: "swift-docker-runtime-\(geteuid())").path
            try FileManager.default.createDirectory(
                atPath: parent,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o755]
            )
            let open = #expect(throws: SocketUnavailable.self) { try SocketDirectory(base: base.path) }
            #expect(open?.reason.contains("isn't a directory of this user's alone") == true)
            try FileManager.default.removeItem(atPath: parent)
            try FileManager.default.createSymbolicLink(atPath: parent, withDestinationPath: base.path)
            #expect(throws: SocketUnavailable.self) { try SocketDirectory(base: base.path) }
            try FileManager.default.removeItem(atPath: parent)
            let long = base.appending(path: String(repeating: "x", count: 90))
            try FileManager.default.createDirectory(at: long, withIntermediateDirectories: false)
            let tooLong = #expect(throws: SocketUnavailable.self) { try SocketDirectory(base: long.path) }
            #expect(tooLong?.reason.contains("too long") == true)
        }
    }

    @Test("P9: what killed processes left is removed; what is in use, or has a server, stays")
    func sweep() async throws {
        try await withTemporaryDirectory { base in
            let parent = base.appending(path: "swift-docker-runtime-\(geteuid())")
            for (name, mode) in [("", 0o700), ("dead", 0o700), ("served", 0o700)] {
                try FileManager.default.createDirectory(
                    at: parent.appending(path: name),
                    withIntermediateDirectories: false,
                    attributes: [.posixPermissions: mode]
                )
            }
            try Data().write(to: parent.appending(path: "dead/server.sock"))
            let listener = try UnixListener(parent.appending(path: "served/server.sock").path)
            defer { listener.close() }
            let first = try SocketDirectory(base: base.path)
            defer { first.remove() }
            #expect(try names(parent.path) == ["lock", "served", URL(fileURLWithPath: first.path).lastPathComponent])
        }
    }

    @Test("A socket that doesn't appear, or that leads nowhere, is told")
    func connect() async throws {
        try await withTemporaryDirectory { base in
            let directory = try SocketDirectory(base: base.path)
            defer { directory.remove() }
            let http = try HTTPClient()
            defer { http.shutdown() }
            let client = ActionExecutionClient(
                endpoint: .init(url: "http://localhost", unixSocketPath: directory.socketPath),
                http: http
            )
            let missing = await #expect(throws: SocketUnavailable.self) {
                try await directory.connect(client, limit: .milliseconds(20))
            }
            #expect(missing?.reason.contains("doesn't appear") == true)
            try UnixListener(directory.sharedPath + "/server.sock").close()
            let dead = await #expect(throws: SocketUnavailable.self) {
                try await directory.connect(client, limit: .milliseconds(20))
            }
            #expect(dead?.reason.contains("leads nowhere") == true)
        }
    }
}

/// A Unix socket that is listened on.
private struct UnixListener {
    private let descriptor: Int32

    init(_ path: String) throws {
        #if os(Linux)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, listen(descriptor, 4) == 0 else { throw SystemCallFailure(call: "bind", number: errno) }
    }

    func close() {
        _ = Foundation.close(descriptor)
    }
}
