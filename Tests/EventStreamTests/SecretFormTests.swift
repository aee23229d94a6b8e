import EventStream
import Foundation
import Testing

@Suite("Forms of secrets", .timeLimit(.minutes(2)))
struct SecretFormTests {
    private static let hidden = EventStream.secretPlaceholder

    /// Secrets of which each is awkward in one way.
    private static let secrets = [
        "hunter2-hunter2", "p\"q\\r/s\nt\tu", "pässwörd€-😀-geheim", "'single' & <tag>", "AAAAAAAAAAAA",
        "\\\\n\\u0041xyz",
        "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75kuTzmXl+FSPkEe/GQKqQUkSyvPvFzOPGS\nZGhBaGRv\n-----END KEY-----\n",
    ]

    private static func masked(_ text: String, _ secrets: [String]) async throws -> String {
        let stream = EventStream()
        stream.setSecrets(Dictionary(uniqueKeysWithValues: secrets.enumerated().map { ("\($0)", $1) }))
        let event = try await stream.publish(.null(NullObservation(content: text)), source: .agent)
        guard case .null(let observation)? = event.observation else { throw CocoaError(.coderInvalidValue) }
        return observation.content
    }

    /// How serialisers write a string: what must be escaped, and maybe more than that.
    private static func escaped(_ text: String, slashes: Bool, all: Bool, upper: Bool) -> String {
        text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": return all ? "\\u0022" : "\\\""
            case "\\": return "\\\\"
            case "\n": return all ? "\\u000a" : "\\n"
            case "\t": return "\\t"
            case "/": return slashes ? "\\/" : "/"
            case _ where scalar.value >= 0x7F || all || scalar == "<" && upper:
                return String(scalar).utf16.map { unit in
                    let digits = String(unit, radix: 16, uppercase: upper)
                    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }.joined()
            default: return String(scalar)
            }
        }.joined()
    }

    @Test("A secret is found however a serialiser escapes it", arguments: secrets)
    func escapes(secret: String) async throws {
        for choice in 0..<8 {
            let text = Self.escaped(secret, slashes: choice & 1 > 0, all: choice & 2 > 0, upper: choice & 4 > 0)
            // The text is what it should be: JSON of the secret.
            #expect(try JSONValue(parsing: "\"\(text)\"").stringValue == secret)
            let document = "{\"a\": \"x\(text)y\", \"b\": [\"\(text)\"]}"
            #expect(
                try await Self.masked(document, [secret])
                    == "{\"a\": \"x\(Self.hidden)y\", \"b\": [\"\(Self.hidden)\"]}"
            )
        }
        let foundation = String(decoding: try JSONEncoder().encode([secret]), as: UTF8.self)
        #expect(try await Self.masked(foundation, [secret]) == "[\"\(Self.hidden)\"]")
    }

    @Test("What is nearly a secret is left as it is", arguments: secrets)
    func nearMisses(secret: String) async throws {
        for index in secret.indices {
            for text in [secret.replacingCharacters(in: index...index, with: "~"), String(secret[..<index])] {
                #expect(try await Self.masked(text, [secret]) == text)
            }
        }
    }

    @Test(
        "A secret is found in base64 at each alignment, in either alphabet, in one line and in many",
        arguments: secrets,
        [0, 1, 2, 3, 4, 5]
    )
    func base64(secret: String, before: Int) async throws {
        for after in 0..<4 {
            let plain = Data(repeating: 0xFB, count: before) + Data(secret.utf8) + Data(repeating: 0x3F, count: after)
            let standard = plain.base64EncodedString()
            let url = standard.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            let wrapped = [
                plain.base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed]),
                plain.base64EncodedString(options: [
                    .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
                ]),
            ]
            // As of `fold`, and inside of a JSON string.
            let narrow = standard.enumerated().map { $0 % 5 == 4 ? "\($1)\n" : "\($1)" }.joined()
            for text in [standard, url, narrow, narrow.replacing("\n", with: "\\n")] + wrapped {
                let result = try await Self.masked("token: \(text) end", [secret])
                #expect(result.hasPrefix("token: ") && result.hasSuffix(" end"))
                #expect(result.components(separatedBy: Self.hidden).count == 2, "\(result)")
                // What is left of the secret is less than a character at each end.
                let left = result.dropFirst(7).dropLast(4).replacing(Self.hidden, with: "").filter { !$0.isWhitespace }
                let outside = (before * 8 + 5) / 6 + (after * 8 + 5) / 6 + 2
                #expect(left.replacing("\\n", with: "").replacing("=", with: "").count <= outside, "\(result)")
            }
        }
    }

    @Test(
        "Secrets that are updated are masked from then on, with those they replace; those that are set anew replace all"
    )
    func updates() async throws {
        let stream = EventStream()
        func publish(_ text: String) async throws -> String? { try await stream.publish(.message(text)).text }
        stream.setSecrets(["a": "first-a", "b": "first-b"])
        stream.updateSecrets(["a": "second-a", "c": "first-c", "empty": ""])
        #expect(
            try await publish("first-a second-a first-b first-c")
                == Array(repeating: Self.hidden, count: 4).joined(separator: " ")
        )
        stream.setSecrets(["a": "third-a"])
        #expect(try await publish("first-a second-a third-a") == "first-a second-a \(Self.hidden)")
        #expect(try stream.event(0).text?.contains("first") == false)
        stream.setSecrets([:])
        stream.updateSecrets([:])
        #expect(try await publish("third-a") == "third-a")
    }

    @Test("Secrets that are set while others publish are in no event that is published after")
    func concurrentUpdates() async throws {
        let stream = EventStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<4 {
                group.addTask {
                    for index in 0..<25 {
                        let secret = "secret-\(publisher)-\(index)!"
                        stream.updateSecrets([secret: secret])
                        let event = try await stream.publish(.message("it is \(secret)"))
                        #expect(event.text == "it is \(Self.hidden)")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try stream.events().allSatisfy { $0.text == "it is \(Self.hidden)" })
    }

    @Test("Ids, times, sources, causes and kinds stay, whatever is a secret")
    func systemFields() async throws {
        let stream = EventStream()
        let words = ["0", "1", "2", "run", "agent", "environment", "timestamp", "observation", "-", ":", "T", "."]
        stream.setSecrets(Dictionary(uniqueKeysWithValues: words.map { ($0, $0) }))
        let action = try await stream.publish(.run(CommandAction(command: "run 1")))
        let observation = try await stream.publish(
            .run(CommandObservation(content: "0", command: "run 1")),
            source: .environment,
            cause: action.id
        )
        for event in [action, observation] {
            let again = try Event(jsonBytes: event.jsonBytes())
            #expect(again == event)
            #expect(again.timestamp == event.timestamp && again.id == event.id && again.kind == "run")
        }
        #expect(observation.cause == 0 && observation.source == .environment && action.source == .agent)
        guard case .action(.run(let command)) = action.payload else { throw CocoaError(.coderInvalidValue) }
        #expect(command.command == "\(Self.hidden) \(Self.hidden)")
    }
}

@Suite("Secrets in text that arrives in pieces", .timeLimit(.minutes(2)))
struct StreamedSecretTests {
    private static let secrets = [
        "abc", "abcdef", "bcdx", "s3cr3t \"token\"\n/é😀", "aaaa", "long-" + String(repeating: "y", count: 100),
    ]

    private static func stream() -> EventStream {
        let stream = EventStream()
        stream.setSecrets(Dictionary(uniqueKeysWithValues: secrets.map { ($0, $0) }))
        return stream
    }

    /// The text as it is in an event.
    private static func whole(_ text: String) async throws -> String? {
        try await stream().publish(.message(text)).text
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static let texts =
        ["", "a", "ab", "abc", "abcd", "abcdef", "abcdabcdefabc", "aaaaaaa", "aabcdxabcdx", "s3cr3t", "\\", "x\\"]
        + secrets.flatMap { secret in
            [
                "x\(secret)y", JSONValue.string(secret).description,
                JSONValue.string(JSONValue.string(secret).description).description,
                String(decoding: JSONValue.string(secret).serialized(.python), as: UTF8.self), base64(secret),
                "a" + base64("12" + secret + "3") + "é",
                base64("1" + secret).enumerated().map { $0 % 7 == 0 ? "\n\($1)" : "\($1)" }.joined(),
            ]
        }

    @Test("It comes out as if it was masked at once, wherever it is cut in two", arguments: texts)
    func twoPieces(text: String) async throws {
        let expected = try await Self.whole(text)
        let scalars = Array(text.unicodeScalars)
        for cut in 0...scalars.count {
            var masker = Self.stream().outputMasker()
            var all = ""
            masker.mask(String(String.UnicodeScalarView(scalars[..<cut]))).apply(to: &all)
            masker.mask(String(String.UnicodeScalarView(scalars[cut...]))).apply(to: &all)
            masker.finish().apply(to: &all)
            #expect(Array(all.utf8) == expected.map { Array($0.utf8) })
            #expect(masker.finish().isEmpty)
        }
    }

    @Test("It comes out as if it was masked at once, in pieces of any size", arguments: 1...8 as ClosedRange<UInt64>)
    func manyPieces(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let text = (0..<Int.random(in: 1..<12, using: &generator)).map { _ in
                let part = Self.texts[Int.random(in: Self.texts.indices, using: &generator)]
                return Bool.random(using: &generator)
                    ? part : String(part.prefix(Int.random(in: 0..<12, using: &generator)))
            }.joined()
            let stream = Self.stream()
            var masker = stream.outputMasker()
            var rest = Array(text.unicodeScalars)[...]
            var result = ""
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1..<20, using: &generator))
                masker.mask(String(String.UnicodeScalarView(rest.prefix(count)))).apply(to: &result)
                rest = rest.dropFirst(count)
                for secret in Self.secrets { #expect(!result.contains(secret)) }
            }
            masker.finish().apply(to: &result)
            #expect(try await Array(result.utf8) == Self.whole(text).map { Array($0.utf8) }, "\(text)")
        }
    }

    @Test("What can't be the beginning of a secret comes out at once, and secrets that are set meanwhile are masked")
    func promptness() {
        let stream = EventStream()
        var masker = stream.outputMasker()
        #expect(masker.mask("token-1 ") == OutputUpdate(text: "token-1 "))
        stream.setSecrets(["a": "token-1"])
        #expect(masker.mask("building… ok\n") == OutputUpdate(text: "building… ok\n"))
        #expect(masker.mask("it is token") == OutputUpdate(text: "it is "))
        #expect(masker.mask("-2, token-") == OutputUpdate(text: "token-2, "))
        #expect(masker.mask("1") == OutputUpdate(text: EventStream.secretPlaceholder))
        #expect(masker.mask(".") == OutputUpdate(text: "."))
        #expect(masker.mask("tok").isEmpty)
        #expect(masker.finish() == OutputUpdate(text: "tok"))
    }

    @Test("What is drawn anew is masked as it stands at last", arguments: 1...8 as ClosedRange<UInt64>)
    func redrawn(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let stream = Self.stream()
            var masker = stream.outputMasker()
            var (real, result) = ("", "")
            for _ in 0..<30 {
                let part = Self.texts[Int.random(in: Self.texts.indices, using: &generator)]
                let update = OutputUpdate(
                    removedCount: Int.random(in: 0...min(30, real.unicodeScalars.count), using: &generator),
                    text: String(part.prefix(Int.random(in: 0..<20, using: &generator)))
                )
                update.apply(to: &real)
                masker.mask(update).apply(to: &result)
                for secret in Self.secrets { #expect(!result.contains(secret)) }
            }
            masker.finish().apply(to: &result)
            #expect(try await Array(result.utf8) == Self.whole(real).map { Array($0.utf8) }, "\(real)")
        }
    }

    @Test("A long output is masked and can be changed far up, and what was left out is told in its place")
    func longOutput() {
        let stream = Self.stream()
        let placeholder = EventStream.secretPlaceholder
        var masker = stream.outputMasker()
        var (real, result) = ("", "")
        func show(_ update: OutputUpdate) {
            update.apply(to: &real)
            masker.mask(update).apply(to: &result)
        }
        for number in 0..<60 {
            show(OutputUpdate(text: "\(number) \(Self.secrets[0])\n" + String(repeating: "é", count: 10_000 + number)))
        }
        #expect(result == real.replacing(Self.secrets[0], with: placeholder))
        show(OutputUpdate(removedCount: 300_000, text: "-\(Self.secrets[0])."))
        #expect(result == real.replacing(Self.secrets[0], with: placeholder))
        #expect(masker.mask(OutputUpdate(omittedCount: 7, text: "ö")) == OutputUpdate(omittedCount: 7, text: "ö"))
    }
}

extension OutputMasker {
    fileprivate mutating func mask(_ text: String) -> OutputUpdate {
        mask(OutputUpdate(text: text))
    }
}
