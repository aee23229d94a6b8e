import CurlHTTP
import Foundation
import Testing

/// A server that asks for the client's certificate, and the certificates, all by the openssl command.
private struct TLSServer {
    struct Failure: Error { var text: String }

    let folder: String
    let port: String

    /// Runs a server for as long as the body.
    static func run(_ body: (TLSServer) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeCertificates(in: folder)

        let process = openssl(
            "s_server -accept 127.0.0.1:0 -www -cert server.pem -key server-key.pem -CAfile ca.pem -Verify 1 -verify_return_error",
            in: folder
        )
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer {
            // Not SIGTERM: a child inherits this thread's signal mask, in which that is blocked.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        // It says `ACCEPT 127.0.0.1:PORT` once it listens.
        var text = ""
        while !text.contains("ACCEPT") || text.last != "\n" {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(text: "openssl s_server ended: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        guard let port = text.split(separator: ":").last?.split(separator: "\n").first else {
            throw Failure(text: text)
        }
        try await body(TLSServer(folder: folder, port: String(port)))
    }

    private static func makeCertificates(in folder: String) throws {
        func run(_ arguments: String) throws {
            let process = openssl(arguments, in: folder)
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failure(text: "openssl \(arguments)") }
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in ["ca", "other"] {
            try run("req -x509 -days 2 \(key) -subj /CN=\(name) -keyout \(name)-key.pem -out \(name).pem")
        }
        try Data("subjectAltName=DNS:localhost".utf8).write(to: URL(filePath: folder + "/extensions"))
        for name in ["server", "client"] {
            try run("req \(key) -subj /CN=\(name) -keyout \(name)-key.pem -out \(name).csr")
            try run(
                "x509 -req -days 2 -in \(name).csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile extensions -out \(name).pem"
            )
        }
    }

    private static func openssl(_ arguments: String, in folder: String) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardInput = Pipe()
        process.standardError = FileHandle.nullDevice
        return process
    }

    func tls(authority: String? = "ca", client: String? = "client") -> TLSConfiguration {
        TLSConfiguration(
            authorityFile: authority.map { "\(folder)/\($0).pem" },
            certificateFile: client.map { "\(folder)/\($0).pem" },
            keyFile: client.map { "\(folder)/\($0)-key.pem" }
        )
    }
}

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    @Test func checksBothSides() async throws {
        try await TLSServer.run(check)
    }

    private func check(server: TLSServer) async throws {
        let client = try HTTPClient()
        defer { client.shutdown() }
        func status(_ tls: TLSConfiguration?, host: String = "localhost") async throws -> Int {
            let request = HTTPRequest(
                url: "https://\(host):\(server.port)/",
                tls: tls,
                timeouts: .init(total: .seconds(30))
            )
            return try await client.send(request, bodyLimit: 1 << 20).head.status
        }
        let trusted = try await status(server.tls())
        #expect(trusted == 200)
        let unknownAuthority = try await httpError { try await status(server.tls(authority: "other")) }
        #expect(unknownAuthority?.kind == .tls)
        #expect(unknownAuthority?.curlCode == .peerFailedVerification)
        let systemAuthorities = try await httpError { try await status(server.tls(authority: nil)) }
        #expect(systemAuthorities?.kind == .tls)
        let otherName = try await httpError { try await status(server.tls(), host: "127.0.0.1") }
        #expect(otherName?.kind == .tls)
        // With TLS 1.3 the client has sent its request before it learns that its certificate is missing.
        let anonymous = try await httpError { try await status(server.tls(client: nil)) }
        #expect(anonymous?.kind == .tls)
        let mismatched = try await httpError {
            var tls = server.tls()
            tls.keyFile = "\(server.folder)/other-key.pem"
            return try await status(tls)
        }
        #expect(mismatched?.kind == .tls)
        var unchecked = server.tls(authority: nil)
        unchecked.verifiesPeer = false
        unchecked.verifiesHostName = false
        let accepted = try await status(unchecked, host: "127.0.0.1")
        #expect(accepted == 200)
    }
}
