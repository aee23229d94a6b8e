import Foundation

/// The reference's event stream in a Python process of its own, which measures what it is asked to.
///
/// Importing it takes seconds, so the process is started once and lives as long as the benchmarks.
actor Reference {
    /// A process that doesn't answer.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Answer: Decodable {
        var value: Double?
        var error: String?
    }

    private struct Connection {
        let process: Process
        let questions: FileHandle
        let answers: LineReader
    }

    private static let need = "name a Python that has openhands-ai==0.62.0"

    nonisolated let python: String
    private var connection: Connection?

    /// Makes a reference of a Python that has `openhands-ai` 0.62.0.
    init(python: String) {
        self.python = python
    }

    /// Measures one thing.
    func measure(_ name: String, _ arguments: [String]) throws -> Double {
        let connection = try connection ?? start()
        self.connection = connection
        let question = try JSONEncoder().encode([name] + arguments) + Data("\n".utf8)
        // What ended already can't be written to, and has no answer either.
        try? connection.questions.write(contentsOf: question)
        guard let line = try connection.answers.next() else {
            throw Failure(description: "\(python) ended without an answer; \(Self.need)")
        }
        let answer = try JSONDecoder().decode(Answer.self, from: line)
        guard let value = answer.value else {
            throw Failure(description: "the reference couldn't measure \(name): \(answer.error ?? "no value")")
        }
        return value
    }

    private func start() throws -> Connection {
        // A process that has ended is told by the end of its answers.
        signal(SIGPIPE, SIG_IGN)
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", String(decoding: PackageResources.reference_events_py, as: UTF8.self)]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw Failure(description: "\(python) can't be started (\(error)); \(Self.need)")
        }
        return Connection(
            process: process,
            questions: input.fileHandleForWriting,
            answers: LineReader(output.fileHandleForReading)
        )
    }

    /// Ends the process, and waits for it to take away its files.
    func stop() throws {
        guard let connection else { return }
        self.connection = nil
        try connection.questions.close()
        connection.process.waitUntilExit()
    }
}

/// Reads a pipe line by line.
private final class LineReader {
    private let handle: FileHandle
    private var buffer = Data()

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    /// The next line; `nil` at the end.
    func next() throws -> Data? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer.removeSubrange(...end) }
                return buffer[..<end]
            }
            let data = handle.availableData
            if data.isEmpty { return nil }
            buffer.append(data)
        }
    }
}
