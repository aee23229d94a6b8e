import Testing

@testable import ActionExecutionServer

struct EditHistoryTests {
    private static let path = SystemPath("/a")

    private static func version(_ text: String, isVerbatim: Bool = false) -> EditHistory.Version {
        EditHistory.Version(bytes: Array(text.utf8), isVerbatim: isVerbatim)
    }

    @Test("Versions come back in reverse, as they were", arguments: 0..<20 as Range<UInt64>)
    func reverse(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var history = EditHistory()
        var versions: [EditHistory.Version] = []
        for _ in 0..<200 {
            if Bool.random(using: &random), !versions.isEmpty {
                history.removeLast(of: Self.path)
                versions.removeLast()
            } else {
                // Related to the last one or not at all.
                var bytes = Bool.random(using: &random) ? versions.last?.bytes ?? [] : []
                let place = Int.random(in: 0...bytes.count, using: &random)
                let end = Int.random(in: place...bytes.count, using: &random)
                bytes.replaceSubrange(
                    place..<end,
                    with: (0..<Int.random(in: 0..<5, using: &random)).map { _ in UInt8.random(in: 0...2, using: &random)
                    }
                )
                versions.append(EditHistory.Version(bytes: bytes, isVerbatim: Bool.random(using: &random)))
                history.add(versions[versions.count - 1], for: Self.path)
                if versions.count > EditHistory.versionLimit { versions.removeFirst() }
            }
            #expect(history.last(of: Self.path) == versions.last)
        }
    }

    @Test("Ten edits of a file are remembered, as in the reference")
    func versionLimit() {
        var history = EditHistory()
        for number in 0..<25 { history.add(Self.version("\(number)"), for: Self.path) }
        var found: [String] = []
        while let version = history.last(of: Self.path) {
            found.append(version.bytes.text)
            history.removeLast(of: Self.path)
        }
        #expect(found == (15..<25).reversed().map(String.init))
        history.removeLast(of: Self.path)
        #expect(history.byteCount == 0)
    }

    @Test("Small edits of a large file take little more than the file")
    func differences() {
        var history = EditHistory()
        var bytes = [UInt8](repeating: 0x61, count: 1 << 20)
        for place in 0..<10 {
            bytes[place * 1000] = 0x62
            history.add(EditHistory.Version(bytes: bytes), for: Self.path)
        }
        #expect(history.byteCount < 1 << 20 + 4096)
    }

    @Test("Beyond the limit the file edited longest ago is forgotten, its oldest version first")
    func byteLimit() {
        let limit = 100_000
        var history = EditHistory(byteLimit: limit)
        for file in 0..<50 {
            for version in 0..<3 {
                history.add(
                    EditHistory.Version(bytes: [UInt8](repeating: UInt8(version), count: 2000)),
                    for: SystemPath("/\(file)")
                )
                #expect(history.byteCount <= limit)
            }
        }
        #expect(history.last(of: SystemPath("/0")) == nil)
        #expect(history.last(of: SystemPath("/49"))?.bytes == [UInt8](repeating: 2, count: 2000))
        // What is larger than all that may be kept isn't.
        history.add(EditHistory.Version(bytes: [UInt8](repeating: 0, count: limit)), for: SystemPath("/0"))
        #expect(history.last(of: SystemPath("/0")) == nil)
        #expect(history.byteCount <= limit)
    }
}
