import EventStream
import Foundation

/// How many events a second are read back from a log as typed events.
enum ReplayBenchmark {
    private static let count = 200_000
    /// The reference keeps a file per event, so its session is a smaller one.
    private static let referenceCount = 10_000

    static func run(_ options: Options) async throws -> [Figure] {
        try await withTemporaryDirectory { directory in
            let log = directory + "/log"
            try await SampleEvents.writeSession(count: count, to: log)
            let bytes = try logBytes(log)
            var best = Best()
            var floor = Best()
            for _ in 0..<3 {
                try await floor.measure(count) { try expectAll(LineEnds.count(in: bytes)) }
                try await best.measure(count) { try expectAll(try await replay(log)) }
            }
            if options.reference != nil {
                try await writeReferenceSession(events: referenceCount, to: directory)
            }
            return try await Comparison(
                name: "replay_eps",
                value: best.rate,
                unit: "events/s",
                count: count,
                note:
                    "a subscriber reads a log of \(bytes.count / count)-byte events, each decoded; best of 3",
                floor: (floor.rate, "finding the line ends of the same log in memory, with memchr(3)"),
                reference: (
                    "replay", [directory],
                    "search_events over the first \(referenceCount) of the same events, from its cache pages"
                )
            ).figures(options)
        }
    }

    private static func replay(_ log: String) async throws -> Int {
        let stream = EventStream(store: try JSONLinesEventStore(reading: log))
        try await stream.close()
        var read = 0
        for try await _ in stream.subscribe(from: 0) { read += 1 }
        return read
    }

    private static func expectAll(_ read: Int) throws {
        guard read == count else { throw MissingEvents(read: read) }
    }

    private struct MissingEvents: Error {
        var read: Int
    }
}

/// All bytes of a log's files.
func logBytes(_ directory: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted() where name.hasSuffix(".jsonl") {
        bytes += try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
    }
    return bytes
}

/// Writes the same session as the reference keeps it, into `sessions/benchmark`.
func writeReferenceSession(events count: Int, to directory: String) async throws {
    let stream = EventStream()
    let session = RecordedSession(events: try await stream.publish(SampleEvents.session(0..<count)))
    try session.writeReferenceSession(to: directory + "/sessions/benchmark")
}

/// The ends of lines, found with the C library alone.
enum LineEnds {
    static func count(in bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { buffer in
            guard var position = buffer.baseAddress else { return 0 }
            let end = position + buffer.count
            var count = 0
            while position < end, let found = memchr(position, 0x0A, end - position) {
                count += 1
                position = UnsafeRawPointer(found) + 1
            }
            return count
        }
    }
}
