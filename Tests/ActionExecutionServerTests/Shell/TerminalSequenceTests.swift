import Foundation
import Testing

@testable import ActionExecutionServer

/// Compares with tmux what random output shows.
///
/// `TERMINAL_SEQUENCES` says how many new ones are made and rendered by tmux, from `TERMINAL_SEED` on; without it those are
/// compared that were kept (`TERMINAL_SEQUENCES_KEEP` is the file that the new ones are kept in).
struct TerminalSequenceTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test("Random output is shown as tmux shows it")
    func comparison() async throws {
        var compared = 0
        if let count = Self.environment["TERMINAL_SEQUENCES"].flatMap({ Int($0) }) {
            let seed = Self.environment["TERMINAL_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...1 << 32)
            var kept: [TerminalRendering] = []
            while compared < count {
                let batch = try await Self.rendered(from: seed + UInt64(compared), count: min(100, count - compared))
                for rendering in batch { Self.compare(rendering) }
                kept += batch
                compared += batch.count
            }
            if let path = Self.environment["TERMINAL_SEQUENCES_KEEP"] {
                let lines = try kept.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n" }
                try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
            }
        } else {
            let file = try TerminalRendering.fixtures("TerminalSequences").appendingPathComponent("sequences.jsonl")
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                Self.compare(try JSONDecoder().decode(TerminalRendering.self, from: Data(line.utf8)))
                compared += 1
            }
        }
        #expect(compared > 0)
    }

    private static func compare(_ rendering: TerminalRendering) {
        let shown = rendering.shown()
        #expect(
            rendering.isShown(shown),
            """
            seed \(rendering.name), \(rendering.columns)x\(rendering.rows): \
            \(String(decoding: rendering.written, as: UTF8.self).debugDescription)
            \(shown)
            --- tmux:
            \(rendering.seen)
            """
        )
    }

    /// Makes some and has tmux render them.
    private static func rendered(from seed: UInt64, count: Int) async throws -> [TerminalRendering] {
        let sizes = [(20, 6), (80, 24), (10, 4)]
        return try await withTemporaryDirectory { directory in
            var renderings: [TerminalRendering] = []
            for (index, size) in sizes.enumerated() {
                let seeds = (seed..<seed + UInt64(count)).filter { Int($0 % UInt64(sizes.count)) == index }
                guard !seeds.isEmpty else { continue }
                for seed in seeds {
                    var generator = TerminalSequenceGenerator(seed: seed, columns: size.0, rows: size.1)
                    try Data(generator.next()).write(to: URL(fileURLWithPath: "\(directory)/\(seed)"))
                }
                try await render(seeds.map { "\(directory)/\($0)" }, columns: size.0, rows: size.1)
                renderings += try seeds.map { seed in
                    TerminalRendering(
                        name: "\(seed)",
                        columns: size.0,
                        rows: size.1,
                        written: try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(seed)")),
                        seen: try String(contentsOfFile: "\(directory)/\(seed).txt", encoding: .utf8)
                    )
                }
            }
            return renderings
        }
    }

    private static func render(_ files: [String], columns: Int, rows: Int) async throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let script = root.appendingPathComponent("scripts/render-terminal")
        let status = try await Task.offloaded {
            let process = Process()
            process.executableURL = script
            process.arguments = ["\(columns)", "\(rows)"] + files
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        try #require(status == 0)
    }
}
