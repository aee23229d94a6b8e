import Foundation
import Testing

@testable import ActionExecutionServer

/// The server's executable as a child process.
final class ServerProcess {
    let process = Process()
    private let output = Foundation.Pipe()
    private let errors = Foundation.Pipe()

    init(_ arguments: [String], environment: [String: String], wrapper: [String]) throws {
        let executable = try Self.executable()
        if let program = wrapper.first {
            process.executableURL = URL(
                fileURLWithPath: try #require(findProgram(program, searchPath: "/usr/bin:/bin"))
            )
            process.arguments = wrapper.dropFirst() + [executable] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: executable)
            process.arguments = arguments
        }
        process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"].merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// The executable that was built with the tests.
    private static func executable() throws -> String {
        #if os(Linux)
        let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let directory = tests.deletingLastPathComponent()
        #else
        let directory = Bundle(for: ServerProcess.self).bundleURL.deletingLastPathComponent()
        #endif
        let path = directory.appendingPathComponent("action-execution-server").path
        return try #require(access(path, X_OK) == 0 ? path : nil, "\(path) is missing: swift build builds it")
    }

    /// The next line of its output.
    func firstLine() throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output.fileHandleForReading.fileDescriptor, &byte, 1) == 1, byte != 0x0a { line.append(byte) }
        return line.text
    }

    /// Its exit status, once it has ended, and what it wrote to standard error.
    func end() async throws -> (status: Int32, errors: String) {
        let process = UncheckedBox(value: process)
        let handle = UncheckedBox(value: errors.fileHandleForReading)
        return try await Task.offloaded {
            let text = String(decoding: handle.value.readDataToEndOfFile(), as: UTF8.self)
            process.value.waitUntilExit()
            return (process.value.terminationStatus, text)
        }
    }

    /// Used by one thread at a time: the test waits while the other one works.
    private struct UncheckedBox<Value>: @unchecked Sendable {
        var value: Value
    }
}

func withServerProcess(
    isolation: isolated (any Actor)? = #isolation,
    _ arguments: [String],
    environment: [String: String] = [:],
    wrapper: [String] = [],
    _ body: (ServerProcess) async throws -> Void
) async throws {
    let process = try ServerProcess(arguments, environment: environment, wrapper: wrapper)
    do {
        try await body(process)
    } catch {
        process.process.terminate()
        _ = try await process.end()
        throw error
    }
    process.process.terminate()
    _ = try await process.end()
}
