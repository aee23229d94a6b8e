import DockerEngine
import Foundation
import Testing

@Suite("The output of a container", .timeLimit(.minutes(2)))
struct LogTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func comesApartIntoItsTwoSources() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("for i in 1 2 3; do echo out $i; echo err $i >&2; done")
            _ = try await engine.waitContainer(id)
            let both = try await engine.containerLogs(id).collect(upTo: 1000)
            #expect(text(both.stdout) == "out 1\nout 2\nout 3\n")
            #expect(text(both.stderr) == "err 1\nerr 2\nerr 3\n")

            var options = LogOptions()
            options.stderr = false
            let one = try await engine.containerLogs(id, options: options).collect(upTo: 1000)
            #expect(text(one.stdout) == "out 1\nout 2\nout 3\n")
            #expect(one.stderr.isEmpty)
        }
    }

    @Test func isLimitedByLinesAndTime() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("seq 1 9")
            _ = try await engine.waitContainer(id)
            var options = LogOptions()
            options.tail = 2
            let tail = try await engine.containerLogs(id, options: options).collect(upTo: 1000)
            #expect(text(tail.stdout) == "8\n9\n")

            options.tail = 1
            options.hasTimestamps = true
            let stamped = text(try await engine.containerLogs(id, options: options).collect(upTo: 1000).stdout)
            let stamp = try #require(stamped.split(separator: " ").first)
            #expect(stamped == "\(stamp) 9\n")

            options = LogOptions()
            options.since = "\(Int(Date.now.timeIntervalSince1970) + 1000)"
            let future = try await engine.containerLogs(id, options: options).collect(upTo: 1000)
            #expect(future.stdout.isEmpty)
            options.since = nil
            options.until = "1000"
            let past = try await engine.containerLogs(id, options: options).collect(upTo: 1000)
            #expect(past.stdout.isEmpty)
        }
    }

    @Test func isFollowedWhileItComes() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.create(scope.request(try await scope.image(), "seq 1 20000; echo end"))
            try await engine.startContainer(id)
            var options = LogOptions()
            options.follows = true
            let followed = try await engine.containerLogs(id, options: options).collect(upTo: 1 << 20).stdout
            _ = try await engine.waitContainer(id)
            let all = try await engine.containerLogs(id).collect(upTo: 1 << 20).stdout
            #expect(text(all) == (1...20000).map { "\($0)\n" }.joined() + "end\n")
            // Docker 20.10 may end a followed log before its end when the container ends.
            #expect(!followed.isEmpty && all.starts(with: followed))
        }
    }

    @Test func ofATerminalIsOneRawStream() async throws {
        try await withEngine { engine, scope in
            var request = scope.request(try await scope.image(), "echo out; echo err >&2")
            request.configuration.tty = true
            let id = try await scope.create(request)
            try await engine.startContainer(id)
            _ = try await engine.waitContainer(id)
            let output = try await engine.containerLogs(id).collect(upTo: 1000)
            #expect(text(output.stdout) == "out\r\nerr\r\n")
            #expect(output.stderr.isEmpty)
        }
    }

    @Test func followingCanBeCancelled() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.run("echo one; sleep 600")
            let (lines, continuation) = AsyncStream<LogFrame>.makeStream()
            let task = Task {
                var options = LogOptions()
                options.follows = true
                for try await frame in try await engine.containerLogs(id, options: options) {
                    continuation.yield(frame)
                }
            }
            for await frame in lines {
                #expect(text(frame.bytes) == "one\n")
                break
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let state = try await engine.inspectContainer(id).state
            #expect(state.isRunning)
        }
    }

    @Test func ofAnUnknownContainerIsNotFound() async throws {
        try await withEngine { engine, scope in
            let error = try await engineError { try await engine.containerLogs(scope.name) }
            #expect(error?.isNotFound == true)
        }
    }
}

@Suite("The log demultiplexer")
struct LogDemultiplexerTests {
    static let stream: [UInt8] =
        [1, 0, 0, 0, 0, 0, 0, 3, 97, 98, 99] + [2, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 1, 100]
        + [0, 0, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 120, count: 256)

    /// Joins neighbours of one source, whose boundaries mean nothing.
    private func joined(_ frames: [LogFrame]) -> [LogFrame] {
        frames.reduce(into: []) { joined, frame in
            if joined.last?.source == frame.source {
                joined[joined.count - 1].bytes += frame.bytes
            } else {
                joined.append(frame)
            }
        }
    }

    static let frames = [
        LogFrame(source: .stdout, bytes: [97, 98, 99]), LogFrame(source: .stderr, bytes: [100]),
        LogFrame(source: .stdin, bytes: [UInt8](repeating: 120, count: 256)),
    ]

    @Test func readsTheSameHoweverTheStreamIsCut() throws {
        for split in 0...Self.stream.count {
            var demultiplexer = LogDemultiplexer()
            var frames = try demultiplexer.receive(Array(Self.stream[..<split]))
            frames += try demultiplexer.receive(Array(Self.stream[split...]))
            try demultiplexer.finish()
            #expect(joined(frames) == Self.frames)
        }
        var demultiplexer = LogDemultiplexer()
        var frames: [LogFrame] = []
        for byte in Self.stream { frames += try demultiplexer.receive([byte]) }
        try demultiplexer.finish()
        #expect(joined(frames) == Self.frames)
    }

    @Test func noticesWhenItIsCutOff() throws {
        let ends: Set = [0, 11, 19, 28, Self.stream.count]
        for count in 0...Self.stream.count where !ends.contains(count) {
            var demultiplexer = LogDemultiplexer()
            _ = try demultiplexer.receive(Array(Self.stream[..<count]))
            #expect(throws: LogDemultiplexer.Problem.truncated) { try demultiplexer.finish() }
        }
    }

    @Test(
        arguments: [[4, 0, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 1], [72, 84, 84, 80, 47, 49, 46, 49]] as [[UInt8]]
    )
    func refusesWhatIsNoHeader(bytes: [UInt8]) {
        var demultiplexer = LogDemultiplexer()
        #expect(throws: LogDemultiplexer.Problem.malformedHeader(bytes)) { try demultiplexer.receive(bytes) }
    }

    @Test func throwsTheEnginesOwnErrors() {
        var demultiplexer = LogDemultiplexer()
        #expect(throws: LogDemultiplexer.Problem.engine(message: "no")) {
            try demultiplexer.receive([3, 0, 0, 0, 0, 0, 0, 2, 110, 111])
        }
    }
}
