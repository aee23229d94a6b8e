import Testing

@testable import ActionExecutionServer

struct KernelMessageParserTests {
    private static let bytes = Array("ready 8\n/usr/binimage 3\na\nbdone 0\ndone 1\n/".utf8)
    private static let messages: [KernelMessage] = [
        .ready(interpreter: "/usr/bin"), .image(url: "a\nb"), .done(directory: ""), .done(directory: "/"),
    ]

    @Test("Messages are found wherever the stream is split")
    func splits() throws {
        for split in 0...Self.bytes.count {
            var parser = KernelMessageParser()
            let found = try parser.consume(Self.bytes[..<split]) + parser.consume(Self.bytes[split...])
            #expect(found == Self.messages)
        }
        var parser = KernelMessageParser()
        #expect(try Self.bytes.flatMap { try parser.consume([$0]) } == Self.messages)
    }

    @Test(
        "What a kernel doesn't send is noticed",
        arguments: [
            "\n", "done\n", "done x\n", "done -1\n", "done 1 1\n", "other 0\n", "done 99999999999\n",
            String(repeating: "x", count: 100),
        ]
    )
    func garbage(text: String) {
        var parser = KernelMessageParser()
        #expect(throws: KernelMessageParser.Malformed.self) { try parser.consume(Array(text.utf8)) }
    }

    @Test("Random bytes are refused or wait for more, and never trap")
    func randomBytes() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            var parser = KernelMessageParser()
            let prefix = Self.bytes.prefix(Int.random(in: 0...Self.bytes.count, using: &generator))
            let noise = (0..<100).map { _ in UInt8.random(in: 0...127, using: &generator) }
            let found = try? parser.consume(Array(prefix) + noise)
            #expect(found.map { Array($0.prefix(4)) == Array(Self.messages.prefix($0.count)) } ?? true)
        }
    }
}
