import EventStream
import Testing

@Suite("Events as the reference writes them")
struct EventRoundTripTests {
    @Test("Every recorded event is written back byte for byte")
    func recordedEvents() throws {
        for bytes in try Fixtures.eventFiles() {
            let event = try Event(jsonBytes: bytes)
            #expect(String(decoding: event.jsonBytes(.python), as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("Every event of a recorded cache page is written back byte for byte", arguments: ["0-25", "25-50"])
    func recordedPages(name: String) throws {
        let bytes = try Fixtures.bytes("sessions/fixture/event_cache/\(name).json")
        let events = try #require(try JSONValue(parsing: bytes).arrayValue).map { try Event(json: $0) }
        let written = JSONValue.array(events.map(\.json)).serialized(.python)
        #expect(written == bytes)
    }

    @Test("The recorded trajectory is written back byte for byte")
    func recordedTrajectory() throws {
        let bytes = try Fixtures.bytes("trajectory.json")
        let events = try #require(try JSONValue(parsing: bytes).arrayValue).map { try Event(json: $0) }
        let written = JSONValue.array(events.map(\.json)).serialized(JSONLayout(isSpaced: true, indentation: 1))
        #expect(written == bytes)
    }

    @Test("An event made from the recorded fields alone has the recorded JSON, message and success included")
    func derivedMembers() throws {
        for bytes in try Fixtures.eventFiles() {
            let recorded = try Event(jsonBytes: bytes)
            // Recorded with the reference's fault that the message shows a masked secret.
            if [53, 54].contains(recorded.id) { continue }
            let payload: Event.Payload
            switch recorded.payload {
            case .action(let action): payload = .action(try Action(json: action.json))
            case .observation(let observation): payload = .observation(try Observation(json: observation.json))
            }
            let made = Event(
                id: recorded.id,
                timestamp: recorded.timestamp,
                source: recorded.source,
                cause: recorded.cause,
                timeout: recorded.timeout,
                payload: payload
            )
            #expect(made == recorded)
            #expect(made.jsonBytes(.python) == bytes)
        }
    }

    @Test("Requests and responses on the wire are written back as they were, without what belongs to the stream")
    func wire() throws {
        for line in try Fixtures.bytes("http.jsonl").split(separator: UInt8(ascii: "\n")) {
            let exchange = try JSONValue(parsing: Array(line))
            let request = try #require(exchange["request"]?["body"]?["action"]?.objectValue)
            let action = try Action(json: request)
            for key in ["action", "args"] { #expect(action.json[key] == request[key]) }
            let response = try #require(exchange["response"]?["body"]?.objectValue)
            let observation = try Observation(json: response)
            #expect(JSONValue.object(observation.json).serialized() == JSONValue.object(response).serialized())
        }
    }
}
