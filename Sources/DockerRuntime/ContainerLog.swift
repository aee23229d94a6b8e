import CurlHTTP
public import DockerEngine
import Foundation

/// Gets each line that a container writes.
public typealias ContainerLogHandler = @Sendable (ContainerLogLine) -> Void

/// A line that a container wrote: of its server, not of the commands that run in it.
public struct ContainerLogLine: Sendable, Hashable {
    /// Whether it is of the output or of the error output.
    public var source: LogFrame.Source
    /// The line without its end.
    public var text: String

    /// Prints a line to this process's standard error, as the reference does when `DEBUG_RUNTIME` is set.
    public static let printToStandardError: ContainerLogHandler = { line in
        FileHandle.standardError.write(Data("[inside container] \(line.text)\n".utf8))
    }
}

/// The lines that a container wrote, and those that it writes until it ends.
///
/// For one reader. Letting go of the sequence, or cancelling the reading task, ends it; the container isn't affected.
public struct ContainerLog: AsyncSequence, Sendable {
    /// What is read.
    public typealias Element = ContainerLogLine
    /// A `DockerEngineError`, or a `CancellationError`.
    public typealias Failure = any Error

    /// Longer lines are cut.
    private static let maximumLineLength = 64 * 1024
    let frames: LogFrames

    /// Reads the lines that haven't been read yet.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var frames: LogFrames.AsyncIterator
        private var lines: ArraySlice<ContainerLogLine> = []
        private var splitters: [LogFrame.Source: LineSplitter] = [:]
        private var hasEnded = false

        fileprivate init(_ frames: LogFrames) {
            self.frames = frames.makeAsyncIterator()
        }

        /// The next line; nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> ContainerLogLine? {
            while true {
                if let line = lines.popFirst() { return line }
                if hasEnded { return nil }
                if let frame = try await frames.next(isolation: actor) {
                    receive(frame)
                } else {
                    finish()
                }
            }
        }

        private mutating func receive(_ frame: LogFrame) {
            let limit = ContainerLog.maximumLineLength
            var splitter = splitters[frame.source] ?? LineSplitter(maximumLineLength: limit)
            do {
                for line in try splitter.receive(frame.bytes) { add(line, frame.source) }
                splitters[frame.source] = splitter
            } catch {
                // What comes after it begins a line of its own.
                add(Array((splitter.finish() ?? []).prefix(limit)), frame.source)
                splitters[frame.source] = nil
            }
        }

        private mutating func finish() {
            hasEnded = true
            for source in [LogFrame.Source.stdout, .stderr] {
                if let line = splitters[source]?.finish() { add(line, source) }
            }
        }

        private mutating func add(_ line: [UInt8], _ source: LogFrame.Source) {
            lines.append(ContainerLogLine(source: source, text: String(decoding: line, as: UTF8.self)))
        }
    }

    /// Starts or continues reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(frames)
    }
}
