import Foundation
import TestSupport
import Testing

/// What a process has of the system; for a test that has a process of its own.
struct Leftovers {
    var descriptors: Int
    var children: [Int32]
    var temporaryFiles: [String]

    static var now: Leftovers {
        get throws {
            let files = FileManager.default
            return Leftovers(
                descriptors: try files.contentsOfDirectory(atPath: descriptorDirectory).count,
                children: children(),
                temporaryFiles: try files.contentsOfDirectory(atPath: files.temporaryDirectory.path)
            )
        }
    }

    /// Runs an operation twice and expects the second time to leave nothing: what is made once for all is there after the
    /// first.
    static func expectNone(after operation: () async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            setenv("TMPDIR", directory.path, 1)
            try await operation()
            let before = try now
            try await operation()
            // Threads that were told to end close their descriptors a moment later.
            let deadline = ContinuousClock.now + .seconds(10)
            try await until { try now.descriptors <= before.descriptors || .now > deadline }
            let after = try now
            #expect(after.descriptors <= before.descriptors)
            #expect(after.children == [])
            #expect(after.temporaryFiles == [])
        }
    }

    #if os(Linux)
    private static let descriptorDirectory = "/proc/self/fd"
    #else
    private static let descriptorDirectory = "/dev/fd"
    #endif

    private static func children() -> [Int32] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap(Int32.init).filter { process in
            // proc(5): the parent comes two fields after the name, which is in parentheses.
            guard let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let end = state.lastIndex(of: ")")
            else { return false }
            let fields = state[end...].split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == getpid()
        }
    }
}
