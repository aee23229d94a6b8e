import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// The table in `docs/configuration.md` names tests that there are.
@Suite
struct ConfigurationDocumentTests {
    /// A row of the table: what it says, and the tests that it names.
    private struct Row {
        var text: String
        var tests: [(suite: String, function: String)]
    }

    private func rows() throws -> [Row] {
        let document = try String(contentsOf: Repository.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let section = try #require(document.components(separatedBy: "## What stands for what").last)
        return section.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            let cells = line.split(separator: "|").map(String.init)
            let names = cells.last?.split(separator: "`").filter { $0.contains(".") } ?? []
            let tests = names.map { name in
                let parts = name.split(separator: ".").map(String.init)
                return (parts[0], parts.dropFirst().joined(separator: "."))
            }
            return Row(text: String(line), tests: tests)
        }
    }

    /// The text of each suite of the repository, by its name.
    private func suites() throws -> [String: String] {
        let tests = Repository.root.appending(path: "Tests")
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        var suites: [String: String] = [:]
        for case let file as URL in files where file.lastPathComponent.hasSuffix("Tests.swift") {
            let text = try String(contentsOf: file, encoding: .utf8)
            for piece in text.components(separatedBy: "\nstruct ").dropFirst() {
                suites[String(piece.prefix { $0.isLetter || $0.isNumber })] = piece
            }
        }
        return suites
    }

    @Test("Every row names a test, and every test that is named is there")
    func namesExist() throws {
        let (rows, suites) = (try rows(), try suites())
        #expect(rows.count > 30)
        for row in rows {
            #expect(!row.tests.isEmpty, "\(row.text)")
            for (suite, function) in row.tests {
                let text = try #require(suites[suite], "no suite \(suite)")
                // The attribute comes before the function, with at most its arguments between them.
                let isTest = text.components(separatedBy: "@Test").dropFirst().contains { piece in
                    piece.firstRange(of: "func ").map { piece[$0.upperBound...].hasPrefix("\(function)(") } ?? false
                }
                #expect(isTest, "no test \(suite).\(function)")
            }
        }
    }

    @Test("Every setting that is read has its row")
    func settingsAreNamed() throws {
        let text = try rows().map(\.text).joined(separator: "\n")
        for name in SettingNames.read {
            #expect(text.contains("`sandbox.\(name)`") || text.contains("`\(name)`"), "\(name)")
        }
    }
}
