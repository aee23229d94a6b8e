import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

struct ProcessIdentityTests {
    @Test("An identity is read as it is written, and nothing else is")
    func text() {
        let current = ProcessIdentity.current
        #expect(ProcessIdentity(current.text) == current)
        for text in ["", "a.b.c.d", "a.b.1", "a.b.0.1", "a.b.-1.1", "3fa9c2", "a.b.1.2.3"] {
            #expect(ProcessIdentity(text) == nil, "\(text)")
        }
    }

    @Test("A process that runs is told from one that has ended, from another with its number, and from one elsewhere")
    func life() async throws {
        #expect(ProcessIdentity.current.life() == .running)
        var other = ProcessIdentity.current
        other.start += 1
        #if os(Linux)
        #expect(other.life() == .ended)
        #endif
        other = .current
        other.boot = "an earlier one"
        #expect(other.life() == .ended)
        other.machine = "another one"
        #expect(other.life() == .unknown)

        try await withTemporaryDirectory { directory in
            let child = try ChildProcess("/bin/sleep", ["1000"], output: directory.appending(path: "output"))
            var identity = ProcessIdentity.current
            (identity.id, identity.start) = (child.id, 0)
            #expect(identity.life() == .running)
            child.signal(SIGKILL)
            _ = await child.exitStatus()
            #expect(identity.life() == .ended)
        }
    }
}
