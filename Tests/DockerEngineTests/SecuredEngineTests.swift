#if os(Linux)
import CurlHTTP
import DockerEngine
import Foundation
import TestSupport
import Testing

/// An engine that asks for certificates: one of the test's own, without network and storage to speak of.
@Suite("An engine behind TLS", .timeLimit(.minutes(2)))
struct SecuredEngineTests {
    /// The certificates' directory, the engine's port, and the variables of a user of it.
    private struct SecuredEngine {
        let directory: URL
        let port: Int

        func variables(_ more: [String: String] = [:]) -> [String: String] {
            ["HOME": directory.path, "DOCKER_HOST": "tcp://127.0.0.1:\(port)"].merging(more) { $1 }
        }

        func version(_ variables: [String: String]) async throws -> EngineVersion {
            let engine = try DockerEngineClient(environment: variables)
            defer { engine.close() }
            return try await engine.version()
        }
    }

    private static func makeCertificates(in directory: URL) throws {
        func openssl(_ arguments: String) throws {
            _ = try run("sh", "-c", "cd \"$1\" && openssl \(arguments)", "sh", directory.path)
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in ["ca", "other"] {
            try openssl("req -x509 -days 2 \(key) -subj /CN=\(name) -keyout \(name)-key.pem -out \(name).pem")
        }
        try Data("subjectAltName=IP:127.0.0.1".utf8).write(to: directory.appending(path: "extensions"))
        for (name, authority) in [("server", "ca"), ("client", "ca"), ("stranger", "other")] {
            try openssl("req \(key) -subj /CN=\(name) -keyout \(name)-key.pem -out \(name).csr")
            try openssl(
                "x509 -req -days 2 -in \(name).csr -CA \(authority).pem -CAkey \(authority)-key.pem -CAcreateserial -extfile extensions -out \(name).pem"
            )
        }
        // As the docker command names them: a user's, one with another authority, one with a stranger's certificate.
        for (folder, authority, client) in [
            ("user", "ca", "client"), ("misled", "other", "client"), ("strange", "ca", "stranger"),
        ] {
            let target = directory.appending(path: folder)
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            for (from, to) in [(authority, "ca"), (client, "cert"), ("\(client)-key", "key")] {
                try FileManager.default.copyItem(
                    at: directory.appending(path: "\(from).pem"),
                    to: target.appending(path: "\(to).pem")
                )
            }
        }
    }

    private func withEngine(_ body: (SecuredEngine) async throws -> Void) async throws {
        try await withNetworkBridge { try await withEngine(bridge: $0, body) }
    }

    private func withEngine(bridge: String, _ body: (SecuredEngine) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            try Self.makeCertificates(in: directory)
            func path(_ name: String) -> String { directory.appending(path: name).path }
            let port = try PortListener.freePort()
            let privileges = geteuid() == 0 ? "" : "sudo "
            // A directory of its own for all; and it goes by its id.
            let process = try ChildProcess(
                "/bin/sh",
                [
                    "-c",
                    """
                    PATH=$PATH:/usr/sbin:/sbin
                    exec \(privileges)dockerd --host tcp://127.0.0.1:\(port) --tlsverify --tlscacert "$1/ca.pem" \
                        --tlscert "$1/server.pem" --tlskey "$1/server-key.pem" --data-root "$1/data" --exec-root "$1/run" \
                        --pidfile "$1/pid" --bridge \(bridge) --iptables=false --ip6tables=false --storage-driver vfs
                    """, "sh", directory.path,
                ],
                output: directory.appending(path: "log")
            )
            let engine = SecuredEngine(directory: directory, port: port)
            let result: Result<Void, any Error>
            do {
                try await process.waits(for: "API listen on")
                try #require(process.text.contains("API listen on"), "dockerd ended: \(process.text.suffix(2000))")
                result = .success(try await body(engine))
            } catch {
                result = .failure(error)
            }
            process.signal(SIGTERM)
            _ = await process.exitStatus()
            try result.get()
        }
    }

    @Test func takesTheClientsCertificateAndRefusesOthers() async throws {
        try await withEngine { engine in
            func folder(_ name: String) -> String { engine.directory.appending(path: name).path }
            let verified = engine.variables(["DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder("user")])
            let version = try await engine.version(verified)
            #expect(!version.version.isEmpty)

            // The same by a context, with its own certificates, named by the digest of its name.
            let digest = String(try run("sh", "-c", "printf %s secured | sha256sum").prefix(64))
            let store = "\(folder("."))/.docker/contexts"
            for path in ["meta/\(digest)", "tls/\(digest)"] {
                try FileManager.default.createDirectory(atPath: "\(store)/\(path)", withIntermediateDirectories: true)
            }
            let endpoint = #"{"Host":"tcp://127.0.0.1:\#(engine.port)","SkipTLSVerify":false}"#
            try Data(#"{"Name":"secured","Metadata":{},"Endpoints":{"docker":\#(endpoint)}}"#.utf8)
                .write(to: URL(filePath: "\(store)/meta/\(digest)/meta.json"))
            try FileManager.default.copyItem(atPath: folder("user"), toPath: "\(store)/tls/\(digest)/docker")
            let byContext = try await engine.version(["HOME": engine.directory.path, "DOCKER_CONTEXT": "secured"])
            #expect(byContext == version)

            // Without checking the engine's, one's own is still asked for.
            let unchecked = try await engine.version(engine.variables(["DOCKER_CERT_PATH": folder("user")]))
            #expect(unchecked == version)

            for name in ["misled", "strange"] {
                let error = try await engineError {
                    try await engine.version(
                        engine.variables(["DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder(name)])
                    )
                }
                guard case .unreachable(let endpoint, let underlying) = error else {
                    Issue.record("\(name): \(error.map(String.init(describing:)) ?? "no error")")
                    continue
                }
                #expect(endpoint == "tcp://127.0.0.1:\(engine.port)")
                #expect(underlying.kind == .tls || name == "strange")
                #expect(error?.description.contains("DOCKER_CERT_PATH") == true)
            }
            // Without certificates, the engine says so in clear text.
            let plain = try await engineError { try await engine.version(engine.variables()) }
            #expect(plain?.description.contains("HTTPS") == true)
        }
    }
}
#endif
