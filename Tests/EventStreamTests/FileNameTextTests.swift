import EventStream
import Testing

struct FileNameTextTests {
    @Test("Names of any bytes survive as text, and as JSON, where they look as Python writes them")
    func names() throws {
        var names: [[UInt8]] = (1...255).map { [UInt8($0)] }
        names += ["plain", "ä日😀", "\u{10F7FF}", "\u{10FC80}", "a\u{10F7FF}\u{10FCFF}"].map { Array($0.utf8) }
        names += [
            [0xc3], [0xe6, 0x97], [0x61, 0xff, 0xfe, 0x62], [0xed, 0xb2, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf],
        ]
        for name in names {
            let text = FileNameText.text(for: name)
            #expect(FileNameText.bytes(of: text) == name)
            let json = JSONValue.string(text).serialized()
            let parsed = try JSONValue(parsing: json)
            #expect(FileNameText.bytes(of: try #require(parsed.stringValue)) == name, "\(name)")
        }
        #expect(JSONValue.string(FileNameText.text(for: [0x61, 0xff])).description.lowercased() == #""a\udcff""#)
    }
}
