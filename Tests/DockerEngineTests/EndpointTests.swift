import CurlHTTP
import DockerEngine
import Foundation
import Testing

private let someTLS = TLSConfiguration(authorityFile: "/ca.pem")

@Suite("An engine's endpoint")
struct EndpointTests {
    @Test(
        "is read from the notation of DOCKER_HOST",
        arguments: [
            ("unix:///var/run/docker.sock", nil, DockerEndpoint.Transport.unix(path: "/var/run/docker.sock")),
            ("tcp://engine", nil, .tcp(host: "engine", port: 2375, tls: nil)),
            ("tcp://engine", someTLS, .tcp(host: "engine", port: 2376, tls: someTLS)),
            ("tcp://10.0.0.1:1234/", nil, .tcp(host: "10.0.0.1", port: 1234, tls: nil)),
            ("tcp://[::1]:1234", nil, .tcp(host: "[::1]", port: 1234, tls: nil)),
            ("tcp://[::1]", nil, .tcp(host: "[::1]", port: 2375, tls: nil)),
            ("http://engine:80", nil, .tcp(host: "engine", port: 80, tls: nil)),
            ("https://engine", nil, .tcp(host: "engine", port: 2376, tls: TLSConfiguration())),
        ] as [(String, TLSConfiguration?, DockerEndpoint.Transport)]
    )
    func parsed(text: String, tls: TLSConfiguration?, transport: DockerEndpoint.Transport) throws {
        #expect(try DockerEndpoint(parsing: text, tls: tls) == DockerEndpoint(transport))
    }

    @Test(
        "is refused with a reason when it can't be used",
        arguments: [
            "", "/var/run/docker.sock", "unix://", "unix://docker.sock", "tcp://", "tcp://:2375", "tcp://engine:",
            "tcp://engine:0", "tcp://engine:65536", "tcp://engine:x", "tcp://a:1:2", "tcp://[::1", "tcp://[::1]x",
            "tcp://engine:2375/path", "tcp://user@engine", "npipe:////./pipe/docker", "fd://", "gopher://engine",
        ]
    )
    func refused(text: String) throws {
        let error = #expect(throws: DockerEngineError.self) { try DockerEndpoint(parsing: text) }
        guard case .invalidEndpoint(text, let reason) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func describesItselfInTheSameNotation() throws {
        for text in ["unix:///a/b.sock", "tcp://engine:1", "tcp://[::1]:2"] {
            #expect("\(try DockerEndpoint(parsing: text))" == text)
        }
    }

    /// A home with contexts as the docker command line keeps them.
    private func withHome(_ body: (String) throws -> Void) throws {
        let home = FileManager.default.temporaryDirectory.appending(path: "docker-home-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: home) }
        func write(_ path: String, _ text: String) throws {
            let file = "\(home)/.docker/\(path)"
            let folder = URL(filePath: file).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: file))
        }
        try write("config.json", #"{"auths":{},"currentContext":"remote"}"#)
        try write(
            "contexts/meta/aaa/meta.json",
            #"{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://engine:2376","SkipTLSVerify":false}}}"#
        )
        for name in ["ca", "cert", "key"] { try write("contexts/tls/aaa/docker/\(name).pem", "x") }
        try write(
            "contexts/meta/bbb/meta.json",
            #"{"Name":"local","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///local.sock"}}}"#
        )
        try write("contexts/meta/ccc/meta.json", #"{"Name":"empty","Metadata":{},"Endpoints":{}}"#)
        for name in ["ca", "cert", "key"] { try write("\(name).pem", "x") }
        try write("other/ca.pem", "x")
        try body(home)
    }

    private func tls(in folder: String, verifies: Bool = true, hasClient: Bool = true) -> TLSConfiguration {
        TLSConfiguration(
            authorityFile: folder + "/ca.pem",
            certificateFile: hasClient ? folder + "/cert.pem" : nil,
            keyFile: hasClient ? folder + "/key.pem" : nil,
            verifiesPeer: verifies,
            verifiesHostName: verifies
        )
    }

    @Test func isFoundWhereTheCommandLineFindsIt() throws {
        try withHome { home in
            func found(_ variables: [String: String]) throws -> DockerEndpoint.Transport {
                try DockerEndpoint(environment: ["HOME": home].merging(variables) { $1 }).transport
            }
            let docker = home + "/.docker"
            let host = ["DOCKER_HOST": "tcp://h"]
            let verified = host.merging(["DOCKER_TLS_VERIFY": "1"]) { $1 }
            let table: [([String: String], DockerEndpoint.Transport)] = [
                ([:], .tcp(host: "engine", port: 2376, tls: tls(in: docker + "/contexts/tls/aaa/docker"))),
                (["DOCKER_CONTEXT": "local"], .unix(path: "/local.sock")),
                (["DOCKER_CONTEXT": "default"], DockerEndpoint.defaultSocket.transport),
                (["DOCKER_CONFIG": "/nonexistent"], DockerEndpoint.defaultSocket.transport),
                (["DOCKER_CONTEXT": "local", "DOCKER_HOST": "unix:///h.sock"], .unix(path: "/h.sock")),
                (host, .tcp(host: "h", port: 2375, tls: nil)),
                (verified, .tcp(host: "h", port: 2376, tls: tls(in: docker))),
                (
                    verified.merging(["DOCKER_CERT_PATH": docker + "/other"]) { $1 },
                    .tcp(host: "h", port: 2376, tls: tls(in: docker + "/other", hasClient: false))
                ),
                (
                    host.merging(["DOCKER_CERT_PATH": docker]) { $1 },
                    .tcp(host: "h", port: 2376, tls: tls(in: docker, verifies: false))
                ),
            ]
            for (variables, expected) in table {
                let transport = try found(variables)
                #expect(transport == expected, "\(variables)")
            }
            for context in ["missing", "empty"] {
                let error = #expect(throws: DockerEngineError.self) { try found(["DOCKER_CONTEXT": context]) }
                #expect(error.map { "\($0)".contains("context \(context)") } == true)
            }
            let remote = try found(["DOCKER_HOST": "ssh://user@engine"])
            #expect(remote == .ssh(SSHDestination(host: "engine", user: "user")))
        }
    }
}
