import Foundation
import Testing

@testable import ActionExecutionServer

/// The parser's properties under generated input.
///
/// `FUZZ_SECONDS` makes it run for that long, with other seeds in each run; what it finds it writes beside the fixtures.
struct ParserFuzzTests {
    @Test("Requests read the same when they are cut at any place, and at any two near each other")
    func splits() {
        for seed in RequestMutator.seeds {
            let whole = ParserProperties.parse([seed[...]])
            #expect(ParserProperties.violation(seed) == nil)
            for first in 0...seed.count {
                for second in first...min(seed.count, first + 4) {
                    let split = ParserProperties.parse([seed[..<first], seed[first..<second], seed[second...]])
                    #expect(split == whole, "\(seed.text.debugDescription) at \(first) and \(second)")
                }
            }
        }
    }

    @Test("What once broke the parser doesn't any more")
    func crashes() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: #require(Bundle.module.resourceURL).appending(path: "Fixtures/http-parser"),
            includingPropertiesForKeys: nil
        )
        #expect(!files.isEmpty)
        for file in files {
            let bytes = Array(try Data(contentsOf: file))
            #expect(ParserProperties.violation(bytes) == nil, "\(file.lastPathComponent)")
        }
    }

    @Test("Random bytes and damaged requests end in requests or in one error, however they are cut", arguments: 0..<4)
    func garbage(seed: UInt64) {
        var mutator = RequestMutator(random: SeededGenerator(seed: seed))
        for _ in 0..<300 {
            let bytes = mutator.next()
            #expect(ParserProperties.violation(bytes) == nil, "\(bytes.text.debugDescription)")
        }
    }

    @Test("Nothing is found in as many seconds as FUZZ_SECONDS says")
    func fuzz() throws {
        guard let seconds = ProcessInfo.processInfo.environment["FUZZ_SECONDS"].flatMap(Double.init) else { return }
        // Kept up to date, so that the input is there when the process crashes.
        let path = FileManager.default.temporaryDirectory.appending(path: "http-parser-input").path
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var mutator = RequestMutator(random: SeededGenerator(seed: .random(in: .min ... .max)))
        let end = ContinuousClock.now + .seconds(seconds)
        var count = 0
        while ContinuousClock.now < end {
            let bytes = mutator.next()
            count += 1
            _ = pwrite(descriptor, bytes, bytes.count, 0)
            _ = ftruncate(descriptor, off_t(bytes.count))
            if let violation = ParserProperties.violation(bytes) {
                Issue.record("\(violation) for what is in \(path)")
                return
            }
        }
        print("\(count) inputs")
    }
}
