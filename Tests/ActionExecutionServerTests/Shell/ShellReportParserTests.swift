import Testing

@testable import ActionExecutionServer

struct ShellReportParserTests {
    private static func bytes(_ fields: String...) -> [UInt8] {
        fields.flatMap { Array($0.utf8) + [0] }
    }

    private static let one = bytes("2", "130", "4711", "/work dir\n", "/bin:/usr/bin", "himBHx", ".")
    private static let other = bytes("3", "0", "", "/", "", "", ".")
    private static let reports = [
        ShellReport(
            sequence: 2,
            exitCode: 130,
            lastBackgroundProcess: 4711,
            directory: "/work dir\n",
            searchPath: "/bin:/usr/bin",
            options: "himBHx"
        ),
        ShellReport(sequence: 3, exitCode: 0, lastBackgroundProcess: -1, directory: "/", searchPath: "", options: ""),
    ]

    @Test("Reports are found at every split of their bytes")
    func splits() {
        let bytes = Self.one + Self.other
        for split in 0...bytes.count {
            var parser = ShellReportParser()
            #expect(parser.consume(bytes[..<split]) + parser.consume(bytes[split...]) == Self.reports)
        }
        var parser = ShellReportParser()
        #expect(bytes.flatMap { parser.consume([$0]) } == Self.reports)
    }

    @Test(
        "What somebody else wrote into the pipe is passed over",
        arguments: [
            Array("garbage\u{0}".utf8), Array("a\u{0}b\u{0}.\u{0}".utf8), Array(".\u{0}.\u{0}.\u{0}".utf8),
            bytes("x", "1", "", "/", "", "", "."), bytes("1", "x", "", "/", "", "", "."),
            bytes("1", "99999999999", "", "/", "", "", "."),
        ]
    )
    func garbage(_ garbage: [UInt8]) {
        var parser = ShellReportParser()
        #expect(parser.consume(garbage + Self.one + Self.other) == Self.reports)
    }

    @Test("A search path, options or a directory that is a full stop doesn't end a report early")
    func fullStops() {
        var parser = ShellReportParser()
        let found = parser.consume(
            Self.bytes("2", "0", "", "/", ".", "", ".") + Self.bytes("3", "0", "", ".", ".", ".", ".")
        )
        #expect(found.map(\.sequence) == [2, 3])
        #expect(found.map(\.searchPath) == [".", "."])
        #expect(found.map(\.directory) == ["/", "."])
    }

    @Test("Endless garbage takes no more memory than its limit, and a report after it is found")
    func flood() {
        var parser = ShellReportParser()
        for _ in 0..<40 { #expect(parser.consume([UInt8](repeating: 0x61, count: 100_000)).isEmpty) }
        #expect(parser.consume([0] + Self.other) == [Self.reports[1]])
    }
}
