import EventStream
import Foundation

/// How long it takes to open a log of a gigabyte, and what memory opening, paging and tailing it take.
///
/// A process of its own does it, since the memory of this one tells of the other benchmarks too.
enum OpenBenchmark {
    /// The option that this program is started with by itself.
    static let option = "--open-log"
    private static let size = 1_000_000_000
    private static let referenceCount = 10_000

    /// What the other process found.
    struct Result: Codable {
        var milliseconds: [Double]
        var bareMilliseconds: [Double]
        var openMemory: Int
        var peakMemory: Int
        var pagedEvents: Int
        var pagingSeconds: Double
        var tailedEvents: Int
        var rebuildSeconds: Double
        var rebuildMemory: Int

        var json: String {
            get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
        }
    }

    static func run(_ options: Options) async throws -> [Figure] {
        try await withTemporaryDirectory { directory in
            let log = directory + "/log"
            let (events, time) = try await measure { try await writeLog(to: log) }
            let result = try await measureInOwnProcess(log)
            guard result.pagedEvents == events else {
                throw Failure(description: "paged \(result.pagedEvents) events of \(events)")
            }
            if options.reference != nil { try await writeReferenceSession(events: referenceCount, to: directory) }
            let opening = try await Comparison(
                name: "open_1gb_ms",
                value: median(result.milliseconds),
                unit: "ms",
                count: result.milliseconds.count,
                note: "a log of 1 GB with its index opened for writing, files in the system's cache; median",
                floor: (
                    median(result.bareMilliseconds),
                    "open, fstat and the last 32 bytes of each file, and all of the last index; median"
                ),
                reference: ("opening", [directory], "its session of \(referenceCount) events only")
            ).figures(options)
            return opening + [
                memory("open_1gb_rss_mb", result.openMemory, "resident memory after opening, of a process of its own"),
                memory(
                    "open_1gb_peak_mb",
                    result.peakMemory,
                    "highest resident memory, also paged backwards and tailed for \(result.tailedEvents) events"
                ),
                Figure(
                    name: "page_1gb_eps",
                    value: Double(events) / result.pagingSeconds,
                    unit: "events/s",
                    count: events,
                    note: "all of it in pages of 100, from the last event to the first"
                ),
                Figure(
                    name: "open_1gb_unindexed_s",
                    value: result.rebuildSeconds,
                    unit: "s",
                    count: events,
                    note: "the same log without its index, which is made again: every event is read"
                ),
                memory("open_1gb_unindexed_peak_mb", result.rebuildMemory, "highest resident memory after that"),
                Figure(
                    name: "write_1gb_s",
                    value: time / .seconds(1),
                    unit: "s",
                    count: events,
                    note: "making the log, published in batches of 10,000"
                ),
            ]
        }
    }

    private static func memory(_ name: String, _ bytes: Int, _ note: String) -> Figure {
        Figure(name: name, value: Double(bytes) / 1e6, unit: "MB", count: 1, note: note)
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }

    private static func writeLog(to directory: String) async throws -> Int {
        let stream = try EventStream(directory: directory)
        let drafts = SampleEvents.session(0..<SampleEvents.batch)
        var bytes = 0
        while bytes < size {
            for event in try await stream.publish(drafts).prefix(1000) { bytes += 10 * (event.jsonBytes().count + 1) }
        }
        try await stream.close()
        return stream.nextID
    }

    // MARK: The other process

    private static func measureInOwnProcess(_ log: String) async throws -> Result {
        let process = Process()
        let output = Pipe()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [option, log]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(option) \(log) ended with status \(process.terminationStatus)")
        }
        return try JSONDecoder().decode(Result.self, from: data)
    }

    /// Opens the log, pages it backwards and tails it.
    static func measureInThisProcess(_ log: String) async throws -> Result {
        var times: [Double] = []
        var bareTimes: [Double] = []
        for _ in 0..<9 {
            bareTimes.append(try await measure { try openBare(log) }.1 / .milliseconds(1))
            let (stream, time) = try await measure { try EventStream(directory: log) }
            times.append(time / .milliseconds(1))
            try await stream.close()
        }
        let stream = try EventStream(directory: log)
        let openMemory = ResidentMemory.peak
        let (paged, pagingTime) = try await measure { try page(stream) }
        let tailed = try await tail(stream, log)
        try await stream.close()
        let peakMemory = ResidentMemory.peak
        try removeIndexes(log)
        let (rebuilt, rebuildTime) = try await measure { try EventStream(directory: log) }
        try await rebuilt.close()
        return Result(
            milliseconds: times,
            bareMilliseconds: bareTimes,
            openMemory: openMemory,
            peakMemory: peakMemory,
            pagedEvents: paged,
            pagingSeconds: pagingTime / .seconds(1),
            tailedEvents: tailed,
            rebuildSeconds: rebuildTime / .seconds(1),
            rebuildMemory: ResidentMemory.peak
        )
    }

    private static func removeIndexes(_ log: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: log) where name.hasSuffix(".index") {
            try FileManager.default.removeItem(atPath: log + "/" + name)
        }
    }

    /// What a log takes to be opened when nothing but the system's calls cost.
    private static func openBare(_ log: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: log).sorted()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        for name in names {
            let file = try BareFile(reading: log + "/" + name)
            let size = try file.size
            guard name.hasSuffix(".index") else { continue }
            let isLast = name == names.last { $0.hasSuffix(".index") }
            var offset = isLast ? 0 : max(0, size - 32)
            while offset < size { offset += try file.read(into: buffer, at: offset) }
        }
    }

    private static func page(_ stream: EventStream) throws -> Int {
        var end = stream.nextID
        var count = 0
        while end > 0 {
            let page = try stream.events(in: 0..<end, reversed: true, limit: 100)
            guard let first = page.last?.id else { break }
            count += page.count
            end = first
        }
        return count
    }

    /// Follows the log as another process would, while events are published.
    private static func tail(_ stream: EventStream, _ log: String) async throws -> Int {
        let count = 100_000
        let followed = FollowedEvents(directory: log, from: stream.nextID)
        let follower = Task {
            var received = 0
            for try await _ in followed {
                received += 1
                if received == count { break }
            }
            return received
        }
        for _ in 0..<count { try await stream.publish(SampleEvents.action) }
        return try await follower.value
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }
}
