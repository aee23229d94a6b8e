public import Foundation

/// Lends a new directory with a short path, which is removed afterwards.
public func withTemporaryDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let name = "sdr-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    let directory = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// Waits until a condition holds for which nobody gives a sign, such as the end of a process that isn't ours.
///
/// - Throws: `CancellationError`, with which the test's time limit ends it.
public func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(10)) }
}

/// Whether a process runs; one that ended and wasn't collected doesn't.
public func isRunning(_ process: Int32) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    guard let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
        return kill(process, 0) == 0
    }
    // proc(5): the state follows the name, which is in parentheses and may contain some.
    return state.lastIndex(of: ")").map { !state[$0...].dropFirst(2).hasPrefix("Z") } ?? false
}
