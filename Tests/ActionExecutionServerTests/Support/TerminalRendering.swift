import Foundation

@testable import ActionExecutionServer

/// What a terminal was written, and what tmux shows of it: see `scripts/render-terminal`.
struct TerminalRendering: Codable, Sendable {
    var name: String
    var columns: Int
    var rows: Int
    var written: Data
    var seen: String

    /// What ours shows of it, when it is written in pieces of these sizes, and then the rest.
    func shown(pieces: some Sequence<Int> = []) -> String {
        var screen = TerminalScreen(size: TerminalSize(columns: columns, rows: rows))
        written.withUnsafeBytes { bytes in
            var rest = bytes[...]
            for size in pieces where !rest.isEmpty {
                screen.feed(UnsafeRawBufferPointer(rebasing: rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            screen.feed(UnsafeRawBufferPointer(rebasing: rest))
        }
        return normalized(screen.takeText().text)
    }

    /// Whether ours shows the same.
    ///
    /// While a program shows the alternate screen, tmux has only that; ours has what was there before it too.
    func isShown(_ shown: String) -> Bool {
        let seen = normalized(seen)
        return shown == seen || shown.hasSuffix("\n" + seen) || (seen.isEmpty && endsOnAlternateScreen)
    }

    private var endsOnAlternateScreen: Bool {
        let modes = String(decoding: written, as: UTF8.self).matches(of: #/\u{1b}\[\?(?:1049|1047|47)([hl])|\u{1b}c/#)
        return modes.last?.1 == "h"
    }

    /// Takes away what differs only in what nobody sees.
    ///
    /// Tabs are spaces, there are none at the ends of lines, and no empty lines at the end. A joiner without a second
    /// character to join joins nothing.
    private func normalized(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { expanded($0) }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private func expanded(_ line: Substring) -> String {
        var scalars = String.UnicodeScalarView()
        var column = 0
        for scalar in line.unicodeScalars where scalar != "\u{200d}" {
            if scalar == "\t" {
                guard column < columns - 1 else { continue }
                let stop = min((column / 8 + 1) * 8, columns - 1)
                scalars.append(contentsOf: repeatElement(" ", count: stop - column))
                column = stop
            } else {
                let width = scalar.terminalWidth
                if column + width > columns { column = 0 }
                column += width
                scalars.append(scalar)
            }
        }
        while scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    /// A folder of the fixtures.
    static func fixtures(_ name: String) throws -> URL {
        guard let url = Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures") else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: name])
        }
        return url
    }

    /// The recordings of real programs: `NAME.COLUMNSxROWS.raw` beside their renderings.
    static func recordings() throws -> [TerminalRendering] {
        let folder = try fixtures("Terminal")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".raw") }
        return try names.sorted().map { name in
            guard let match = name.firstMatch(of: #/^(.+)\.(\d+)x(\d+)\.raw$/#), let columns = Int(match.2),
                let rows = Int(match.3)
            else { throw CocoaError(.fileReadInvalidFileName) }
            return TerminalRendering(
                name: String(match.1),
                columns: columns,
                rows: rows,
                written: try Data(contentsOf: folder.appendingPathComponent(name)),
                seen: try String(contentsOf: folder.appendingPathComponent(name + ".txt"), encoding: .utf8)
            )
        }
    }
}
