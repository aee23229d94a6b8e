import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Cells whose observations were recorded from the reference; how, and with what differences, is in `record_cells.py`.
struct RecordedCellTests {
    private struct Cell: Decodable {
        var code: String
        var content: String
        var extra: Bool?
        var timeout: Double?
        /// Width and height of each.
        var images: [[Int]]
        /// This project's answer where it is another one on purpose.
        var ours: String?
    }

    @Test(
        "The recorded cells have the reference's observations, but for the differences that are listed",
        .timeLimit(.minutes(2))
    )
    func recorded() async throws {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        let lines = try Data(contentsOf: folder.appending(path: "openhands-0.62/cells.jsonl")).split(separator: 0x0a)
        #expect(lines.count > 40)
        try await withCells(.ipython) { fixture in
            let python = try TestPython.ipython.directory() + "/python3"
            for line in lines {
                let cell = try JSONDecoder().decode(Cell.self, from: line)
                let observation = try await fixture.run(cell.code, timeout: cell.timeout ?? 30) {
                    $0.includeExtra = cell.extra ?? false
                }
                let content = observation.content
                    .replacing(/<ipython-input-\d+-[0-9a-f]+>/, with: "CELL")
                    .replacingOccurrences(of: fixture.directory, with: "DIRECTORY")
                    .replacingOccurrences(of: python, with: "PYTHON")
                #expect(content == cell.ours ?? cell.content, "\(cell.code)")
                #expect(cell.ours != cell.content, "The difference is gone: \(cell.code)")
                let sizes = try (observation.imageURLs ?? []).map { try size(ofPNG: $0) }
                #expect(sizes == cell.images, "\(cell.code)")
            }
        }
    }
}

/// Width and height of a PNG image in a data URL.
func size(ofPNG url: String) throws -> [Int] {
    let prefix = "data:image/png;base64,"
    try #require(url.hasPrefix(prefix))
    let bytes = try #require(Data(base64Encoded: String(url.dropFirst(prefix.count))))
    try #require(bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    return [16, 20].map { start in bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) } }
}
