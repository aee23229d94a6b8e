import DockerEngine
import Foundation
import Testing

@testable import DockerRuntime

struct ContainerRecordTests {
    /// An event as the engine writes it.
    private func event(_ action: String, at time: Int, _ attributes: [String: String] = [:]) throws -> EngineEvent {
        let object: [String: Any] = [
            "Type": "container", "Action": action, "timeNano": time,
            "Actor": ["ID": "c", "Attributes": attributes] as [String: Any],
        ]
        return try JSONDecoder().decode(EngineEvent.self, from: JSONSerialization.data(withJSONObject: object))
    }

    @Test("Pausing, going on and want of memory are told once each, however often the stream is resumed")
    func changes() throws {
        let events = [
            try event("start", at: 1), try event("pause", at: 2), try event("unpause", at: 3), try event("oom", at: 3),
            try event("oom", at: 4), try event("exec_create: sh", at: 5), try event("pause", at: 6),
        ]
        let expected: [ContainerChange] = [.paused, .resumed, .outOfMemory, .outOfMemory, .paused]
        for cut in 0...events.count {
            var record = ContainerRecord()
            var told = events[..<cut].compactMap { record.receive($0) }
            // The engine begins with those of the moment that it is asked for.
            let again =
                cut == 0 ? events[...] : events.filter { $0.timeNanoseconds >= events[cut - 1].timeNanoseconds }[...]
            told += again.compactMap { record.receive($0) }
            #expect(told == expected, "cut after \(cut)")
            #expect(record.outOfMemoryCount == 2)
            #expect(record.isPaused)
            #expect(!record.hasEnded)
        }
    }

    @Test("The stream is resumed at the last event's nanosecond")
    func resumption() throws {
        var record = ContainerRecord()
        #expect(record.resumption == nil)
        _ = record.receive(try event("start", at: 1_764_000_000_000_000_042))
        #expect(record.resumption == "1764000000.000000042")
        // An older one doesn't count.
        _ = record.receive(try event("pause", at: 7))
        #expect(record.resumption == "1764000000.000000042")
        #expect(!record.isPaused)
    }

    @Test("How a container ended is told by what came before its end")
    func endings() throws {
        var killed = ContainerRecord()
        _ = killed.receive(try event("kill", at: 1, ["signal": "9"]))
        _ = killed.receive(try event("die", at: 2, ["exitCode": "137"]))
        #expect(killed.hasEnded)
        let ending = ContainerEnding(exitCode: 137, record: killed, words: "")
        #expect(ending.description == "ended with exit code 137 (somebody had the engine send it signal 9)")

        var starved = ContainerRecord()
        _ = starved.receive(try event("oom", at: 1))
        _ = starved.receive(try event("die", at: 2, ["exitCode": "137"]))
        let starving = ContainerEnding(exitCode: 137, record: starved, words: "")
        #expect(starving.description.contains("ran out of memory"))
        // It got over that, and ended of its own.
        #expect(ContainerEnding(exitCode: 0, record: starved, words: "").description == "ended with exit code 0")
        #expect(ContainerEnding(exitCode: nil, words: "Bye").description == "was removed: Bye")
    }
}
