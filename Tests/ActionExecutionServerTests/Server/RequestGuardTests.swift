import EventStream
import Testing

@testable import ActionExecutionServer

struct RequestGuardTests {
    private static func status(
        _ path: String = "/execute_action",
        key: String? = nil,
        _ fields: [(String, String)] = [("host", "localhost")]
    ) -> Int? {
        let requestGuard = RequestGuard(
            sessionAPIKeyDigest: key.map { SHA256.digest($0) },
            allowedHosts: ["host.docker.internal", "my-box"]
        )
        var headers = HTTPHeaders()
        for (name, value) in fields { headers.append(name, value) }
        let head = HTTPRequestHead(method: "POST", target: path, minorVersion: 1, headers: headers, body: .none)
        return requestGuard.refusal(of: head)?.status
    }

    @Test(
        "Only the server's own names and addresses are taken for it",
        arguments: [
            ("localhost", true), ("LOCALHOST:8000", true), ("127.0.0.1", true), ("127.0.0.1:80", true),
            ("10.1.2.3:1", true),
            ("[::1]", true), ("[::1]:8000", true), ("[fe80::1]", true), ("my-box", true), ("My-Box:1", true),
            ("host.docker.internal:9", true), ("", true), (":80", true),
            ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.1.evil.example", false),
            ("localhost.", false),
            ("127.0.0.1.nip.io:80", false), ("1.2.3", false), ("1.2.3.256", false), ("0x7f.0.0.1", false),
            ("[evil.example]", false),
            ("evil.example@localhost", false), ("localhost@evil.example", false), ("my-box.evil", false),
            ("xn--localhost", false),
        ]
    )
    func hosts(host: String, isAllowed: Bool) {
        #expect(Self.status([("host", host)]) == (isAllowed ? nil : 421))
        #expect(Self.status("/alive", [("host", host)]) == (isAllowed ? nil : 421))
    }

    @Test(
        "A browser's page is refused unless the server itself sent it",
        arguments: [
            ("http://localhost:8000", true), ("http://localhost", false), ("https://localhost:8000", false),
            ("null", false),
            ("http://evil.example", false), ("http://localhost:8000.evil.example", false), ("", false),
        ]
    )
    func origins(origin: String, isAllowed: Bool) {
        #expect(Self.status([("host", "localhost:8000"), ("origin", origin)]) == (isAllowed ? nil : 403))
        #expect(Self.status("/alive", [("host", "localhost:8000"), ("origin", origin)]) == (isAllowed ? nil : 403))
    }

    @Test("One foreign origin among several is enough to be refused")
    func severalOrigins() {
        #expect(Self.status([("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil")]) == 403)
    }

    @Test(
        "The key must be given once and whole",
        arguments: [
            (["secret"], true), (["Secret"], false), (["secre"], false), (["secrets"], false), ([""], false),
            ([], false),
            (["secret", "secret"], false), (["secret", "wrong"], false), (["sécret"], false), (["terces"], false),
        ] as [([String], Bool)]
    )
    func keys(given: [String], isAllowed: Bool) {
        let fields = [("host", "localhost")] + given.map { ("x-session-api-key", $0) }
        #expect(Self.status(key: "secret", fields) == (isAllowed ? nil : 403))
        #expect(Self.status("/alive", key: "secret", fields) == nil)
        #expect(Self.status("/server_info?x", key: "secret", fields) == nil)
        #expect(Self.status("/alive/", key: "secret", fields) == (isAllowed ? nil : 403))
        #expect(Self.status(key: nil, fields) == nil)
    }

    @Test("A key in which any one character differs is refused")
    func everyCharacter() {
        let key = "0123456789abcdef"
        for index in key.indices {
            var other = key
            other.replaceSubrange(index...index, with: "x")
            #expect(Self.status(key: key, [("host", "localhost"), ("x-session-api-key", other)]) == 403)
        }
    }
}

extension RequestGuardTests {
    private static func status(_ fields: [(String, String)]) -> Int? {
        status("/execute_action", key: nil, fields)
    }

    private static func status(_ path: String, _ fields: [(String, String)]) -> Int? {
        status(path, key: nil, fields)
    }
}
