import Foundation
import Testing

@testable import ActionExecutionServer

private func withOutputs<Result>(
    _ body: (inout CommandOutput, OutputDirectory) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let outputs = OutputDirectory(path: directory + "/outputs")
        var output = CommandOutput(directory: outputs)
        return try body(&output, outputs)
    }
}

extension CommandOutput {
    fileprivate mutating func feed(_ text: String) {
        Array(text.utf8).withUnsafeBytes { feed($0) }
    }
}

/// The parts of a cut output: before the note, how many characters are left out, the file's path, after the note.
private func parts(_ text: String) throws -> (beginning: String, leftOut: Int, path: String, end: String) {
    let note = try #require(
        text.firstMatch(
            of:
                #/\n\[\.\.\. Observation truncated due to length: (\d+) characters left out, the whole output is in (.+) \.\.\.\]\n/#
        )
    )
    return (
        String(text[..<note.range.lowerBound]), try #require(Int(note.1)), String(note.2),
        String(text[note.range.upperBound...])
    )
}

private func read(_ path: String) throws -> String {
    String(decoding: try FileAccess.read(path, limit: 1 << 30), as: UTF8.self)
}

struct CommandOutputTests {
    @Test("White space at the end is left away, at the beginning it stays")
    func trimming() throws {
        try withOutputs { output, _ in
            output.feed("  text \r\n\r\n\t")
            #expect(output.take(isCut: true) == "  text")
            #expect(output.take(isCut: true) == "")
        }
    }

    @Test("An output of exactly the limit is whole, and keeps no file")
    func atLimit() throws {
        try withOutputs { output, outputs in
            let text = String(repeating: "ä", count: CommandOutput.characterLimit)
            output.feed(text)
            #expect(output.take(isCut: true) == text)
            #expect(access(outputs.path, F_OK) != 0)
        }
    }

    @Test(
        "A longer output is cut in the middle, with the exact count left out, and the file holds the whole",
        arguments: [1, 2, 20, 2_000, 50_000]
    )
    func cutting(lines: Int) throws {
        try withOutputs { output, _ in
            // Lines of 37 characters in 38 bytes, and beyond 30,000 characters in any case.
            let text = (0..<lines + 810).map { "\($0) ".padded(to: 36) + "é" }.joined(separator: "\n")
            for piece in Array(text.utf8).chunks(of: 60_001) { piece.withUnsafeBytes { output.feed($0) } }
            let (beginning, leftOut, path, end) = try parts(output.take(isCut: true))
            let scalars = text.unicodeScalars
            #expect(beginning == String(scalars.prefix(15_000)))
            #expect(end == String(scalars.suffix(15_000)))
            #expect(leftOut == scalars.count - 30_000)
            #expect(try read(path) == text)
            output.feed("next")
            #expect(output.take(isCut: true) == "next")
        }
    }

    @Test("A hidden command's output isn't cut")
    func uncut() throws {
        try withOutputs { output, _ in
            let text = String(repeating: "x", count: 100_000)
            output.feed(text)
            #expect(output.take(isCut: false) == text)
        }
    }

    @Test(
        "Bytes that aren't UTF-8 are counted as they are shown",
        arguments: [[0x80], [0xff, 0x61], [0xe2, 0x82]] as [[UInt8]]
    )
    func invalid(_ part: [UInt8]) throws {
        try withOutputs { output, _ in
            let bytes = (0..<100_000).flatMap { _ in part }
            for piece in bytes.chunks(of: 4099) { piece.withUnsafeBytes { output.feed($0) } }
            let (beginning, leftOut, _, end) = try parts(output.take(isCut: true))
            #expect(beginning.unicodeScalars.count == 15_000)
            #expect(end.unicodeScalars.count == 15_000)
            #expect(leftOut == String(decoding: bytes, as: UTF8.self).unicodeScalars.count - 30_000)
        }
    }

    @Test("One line of many megabytes goes to the file in pieces, and costs no more than its length")
    func endlessLine() throws {
        try withOutputs { output, _ in
            let block = [UInt8](repeating: 0x78, count: 64 * 1024)
            for _ in 0..<512 { block.withUnsafeBytes { output.feed($0) } }
            let (_, leftOut, path, end) = try parts(output.take(isCut: true))
            #expect(leftOut == 512 * 64 * 1024 - 30_000)
            #expect(end == String(repeating: "x", count: 15_000))
            #expect(try FileAccess.read(path, limit: 1 << 30).count == 512 * 64 * 1024)
        }
    }

    @Test("A kept output is its owner's alone, and only the newest few are kept")
    func keeping() throws {
        try withOutputs { output, outputs in
            var paths: [String] = []
            for _ in 0..<OutputDirectory.keptCount + 3 {
                output.feed(String(repeating: "x", count: 40_000))
                paths.append(try parts(output.take(isCut: true)).path)
            }
            let kept = paths.suffix(OutputDirectory.keptCount)
            for path in paths { #expect((access(path, F_OK) == 0) == kept.contains(path)) }
            var status = stat()
            #expect(stat(outputs.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
            #expect(stat(paths[paths.count - 1], &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("An output that can't be kept is cut all the same, and says so")
    func unkept() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/outputs", Array("not a directory".utf8), mode: 0o600)
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs"))
            output.feed(String(repeating: "x", count: 40_000))
            let text = output.take(isCut: true)
            #expect(text.contains("10000 characters left out, the whole output could not be kept"))
        }
    }

    @Test("A file takes no more than its limit, and the note says that it holds the beginning")
    func fileLimit() throws {
        try withTemporaryDirectory { directory in
            var output = CommandOutput(directory: OutputDirectory(path: directory + "/outputs", fileLimit: 2 << 20))
            let block = Array(String(repeating: "0123456789abcde\n", count: 4096).utf8)
            for _ in 0..<100 { block.withUnsafeBytes { output.feed($0) } }
            let text = output.take(isCut: true)
            let found = try #require(text.firstMatch(of: #/the first (\d+) bytes of the output are in (.+) \.\.\.\]/#))
            #expect(found.1 == "\(2 << 20)")
            let kept = try FileAccess.read(String(found.2), limit: 1 << 30)
            #expect(kept.count == 2 << 20)
            #expect(kept.prefix(block.count) == block[...])
        }
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: ".", count: Swift.max(0, count - self.count))
    }
}

extension [UInt8] {
    fileprivate func chunks(of count: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}
