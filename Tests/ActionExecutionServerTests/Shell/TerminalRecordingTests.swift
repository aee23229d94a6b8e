import Foundation
import Testing

@testable import ActionExecutionServer

/// Compares with tmux what real programs wrote: `scripts/record-terminal` made the recordings.
struct TerminalRecordingTests {
    static let names = [
        "apt", "bars", "bars-wide", "bash", "cargo", "clear", "curl", "dialog", "git-clone", "htop", "htop-running",
        "less",
        "less-running", "ls", "man", "pip", "python", "reset", "top", "top-running", "vim", "vim-large", "vim-running",
        "watch", "wget", "wide",
    ]

    private static func recording(_ name: String) throws -> TerminalRendering {
        try #require(TerminalRendering.recordings().first { $0.name == name })
    }

    @Test("All recordings are compared")
    func completeness() throws {
        #expect(try TerminalRendering.recordings().map(\.name).sorted() == Self.names.sorted())
    }

    @Test("What a program wrote is shown as tmux shows it, in pieces of any size", arguments: names)
    func pieces(_ name: String) throws {
        let recording = try Self.recording(name)
        let whole = recording.shown()
        #expect(recording.isShown(whole), "\(whole)\n--- tmux:\n\(recording.seen)")
        let count = recording.written.count
        #expect(recording.shown(pieces: repeatElement(1, count: count)) == whole)
        var random = SeededGenerator(seed: UInt64(count))
        for longest in [30, 5000] {
            let sizes = (0..<count).lazy.map { _ in Int.random(in: 1...longest, using: &random) }
            #expect(recording.shown(pieces: Array(sizes)) == whole)
        }
    }

    @Test(
        "A short recording is shown the same wherever it is split in two",
        arguments: ["apt", "bash", "clear", "cargo", "pip", "python", "reset", "wget", "wide", "less-running"]
    )
    func splits(_ name: String) throws {
        let recording = try Self.recording(name)
        let whole = recording.shown()
        for split in stride(from: 1, to: recording.written.count, by: recording.written.count < 1000 ? 1 : 7) {
            #expect(recording.shown(pieces: [split]) == whole)
        }
    }

    @Test(
        "A program that runs on is seen in full each time it is looked at",
        arguments: ["vim-running", "less-running"]
    )
    func lookingAgain(_ name: String) throws {
        let recording = try Self.recording(name)
        let whole = recording.shown()
        var screen = TerminalScreen(size: TerminalSize(columns: recording.columns, rows: recording.rows))
        var last = ""
        recording.written.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 500) {
                screen.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 500, bytes.count)]))
                last = screen.takeText().text
            }
        }
        let seen = last.split(separator: "\n").map { $0.trimmingTrailingSpaces }
        #expect(seen == whole.split(separator: "\n").suffix(seen.count).map { $0.trimmingTrailingSpaces })
        #expect(seen.count >= 20)
    }
}

extension Substring {
    fileprivate var trimmingTrailingSpaces: Substring {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
