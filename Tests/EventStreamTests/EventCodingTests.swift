import Testing

@testable import EventStream

@Suite("Fast coding of events")
struct EventCodingTests {
    static func kinds() throws -> [[UInt8]] {
        try Fixtures.bytes("kinds.jsonl").split(separator: UInt8(ascii: "\n")).map(Array.init) + Fixtures.eventFiles()
    }

    @Test("The fast encoder writes what the JSON of the event says")
    func encoder() throws {
        for line in try Self.kinds() {
            let event = try Event(json: JSONValue(parsing: line))
            #expect(String(decoding: event.jsonBytes(), as: UTF8.self) == event.json.description)
        }
    }

    @Test("The fast decoder takes every event that was written without an origin, and reads the same as by way of JSON")
    func decoder() throws {
        for line in try Self.kinds() {
            var event = try Event(json: JSONValue(parsing: line))
            let bytes = event.jsonBytes()
            let fast = bytes.withUnsafeBufferPointer { Event(canonical: $0) }
            if event.origin.object == nil {
                let fast = try #require(fast, "\(event.json)")
                #expect(fast == event)
                #expect(fast.jsonBytes() == bytes)
            } else {
                #expect(fast == nil || fast?.jsonBytes() == bytes)
            }
            event.extra["later"] = 1
            #expect(try Event(jsonBytes: event.jsonBytes()) == event)
        }
    }

    @Test("An observation's bytes say what its JSON does, and are read as the same observation")
    func observations() throws {
        var count = 0
        for line in try Self.kinds() {
            guard case .observation(let observation) = try Event(json: JSONValue(parsing: line)).payload else {
                continue
            }
            count += 1
            let bytes = observation.jsonBytes()
            #expect(String(decoding: bytes, as: UTF8.self) == JSONValue.object(observation.json).description)
            #expect(try Observation(jsonBytes: bytes) == observation)
            // In another layout, and with a member that is nobody's.
            var object = observation.json
            object["later"] = 1
            #expect(try Observation(jsonBytes: object.serialized(.python)) == observation)
        }
        #expect(count > 20)
    }

    @Test(
        "What is no observation is an error that says so",
        arguments: ["", "[]", "{}", #"{"message":"","observation":5}"#]
    )
    func noObservation(text: String) {
        #expect(throws: (any Error).self) { try Observation(jsonBytes: Array(text.utf8)) }
    }

    @Test("The fast decoder doesn't take text that it would write in another way")
    func notCanonical() throws {
        let good =
            #"{"id":7,"timestamp":"2026-11-22T19:54:37.5","source":"agent","message":"Reading file: a","action":"read","#
            + #""args":{"path":"a","start":0,"end":-1,"thought":"","security_risk":-1,"impl_source":"default","view_range":null},"timeout":5.0}"#
        func fast(_ text: String) -> Event? { Array(text.utf8).withUnsafeBufferPointer { Event(canonical: $0) } }
        let canonical = good.replacing("37.5", with: "37.500000")
        #expect(fast(canonical)?.jsonBytes() == Array(canonical.utf8))
        for (part, other) in [
            ("37.500000", "37.5"), ("37.500000", "37.000000"), ("37.500000", "37.500000Z"), ("11-22", "11-31"),
            ("11-22", "11-00"), ("11-22", "02-29"),
            ("5.0", "5"),
            ("5.0", "5.00"), ("5.0", "05.0"), ("5.0", "-0"), (": a\"", ": b\""), ("\"end\":-1", "\"end\":-01"),
            ("\"end\":-1", "\"end\":1.0"),
            ("\"id\":7", "\"id\":07"), ("\"id\":7", "\"id\": 7"), (",\"timeout\":5.0", ",\"timeout\":5.0,\"x\":1"),
            ("}", ""),
            ("\"view_range\":null", "\"view_range\":null,\"x\":1"), ("\"security_risk\":-1,", ""),
            ("{\"id\"", " {\"id\""),
        ] {
            let text = canonical.replacing(part, with: other)
            #expect(text != canonical)
            #expect(fast(text) == nil, "\(text)")
        }
    }

    @Test(
        "The fast decoder reads any damaged line as the slow one does, or leaves it to that",
        arguments: [1, 2] as [UInt64]
    )
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for line in try Self.kinds() {
            let bytes = try Event(jsonBytes: line).jsonBytes()
            for _ in 0..<200 {
                var damaged = bytes
                damaged[Int.random(in: bytes.indices, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
                guard let fast = damaged.withUnsafeBufferPointer({ Event(canonical: $0) }) else { continue }
                let slow = try Event(json: JSONValue(parsing: damaged))
                #expect(fast == slow)
                #expect(fast.jsonBytes() == slow.jsonBytes())
            }
        }
    }
}
