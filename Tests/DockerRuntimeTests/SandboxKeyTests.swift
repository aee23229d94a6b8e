import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

struct SandboxKeyTests {
    @Test("The keyed digest is that of RFC 4231")
    func vectors() {
        let short = HMAC.sha256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(SHA256.hexadecimal(short) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let text = "Test Using Larger Than Block-Size Key - Hash Key First"
        let long = HMAC.sha256(Array(text.utf8), key: Array(repeating: 0xaa, count: 131))
        #expect(SHA256.hexadecimal(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("A key can be had again from its origin and the secret, and from no other")
    func derivation() {
        let secret = Array(repeating: UInt8(7), count: 32)
        let key = SandboxKey(origin: "a", secret: secret)
        #expect(key == SandboxKey(origin: "a", secret: secret))
        #expect(key.value.count == 64)
        #expect(key.value != SandboxKey(origin: "b", secret: secret).value)
        #expect(key.value != SandboxKey(origin: "a", secret: Array(repeating: 8, count: 32)).value)
    }

    @Test("The secret is made once, by whoever comes first, and is this user's alone")
    func secret() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "state").path
            let secrets = try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try UserSecret(directory: path).bytes } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(secrets.count == 1)
            #expect(secrets.first?.count == 32)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["secret"])
            let mode = try FileManager.default.attributesOfItem(atPath: "\(path)/secret")[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test("A secret that was cut short is an error that names the file")
    func damagedSecret() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending(path: "secret")
            try Data("short".utf8).write(to: file)
            #expect(throws: DockerRuntimeError.secretUnavailable(path: file.path, reason: "it has 5 bytes, not 32")) {
                try UserSecret(directory: directory.path)
            }
        }
    }
}
