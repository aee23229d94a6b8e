import CPlatform
import Foundation

/// How long a command's output takes to become an observation.
enum OutputBenchmark {
    private static let command = "seq 1 200000"
    private static let count = 15
    private static let referenceCount = 3
    private static let bulkSize = 100_000_000

    static func run(_ options: Options) async throws -> [Figure] {
        try await withTemporaryDirectory { directory in
            let server = try BenchmarkedServer.start(in: directory)
            defer { server.stop() }
            let connection = try server.connect()
            var (ours, bare) = (Samples(), Samples())
            // In turns, since the machine's speed changes. Once before, so that everything is in memory.
            try connection.run(command)
            for _ in 0..<count {
                bare.append(try readBare(["seq", "1", "200000"], expecting: 1_488_895))
                let (answer, time) = try await measure { try connection.run(command) }
                guard answer.contains("199999\\n200000"), answer.contains("output is in") else {
                    throw BenchmarkedServer.Failure(description: "the output isn't complete: \(answer.suffix(300))")
                }
                ours.append(time)
            }
            let ratio = ours.percentile(0.5) / bare.percentile(0.5)
            var figures = [
                Figure(
                    name: "output_ratio",
                    value: ratio,
                    unit: "ratio",
                    count: count,
                    note: "\(command) to a complete observation ÷ reading it from a bare pseudo-terminal; medians"
                ),
                Figure(
                    name: "output_ms",
                    value: ours.percentile(0.5) * 1000,
                    unit: "ms",
                    count: count,
                    note: "the same: 1.3 MB, of which the observation has both ends and a file has all; median"
                ),
                Figure(
                    name: "bare_output_ms",
                    value: bare.percentile(0.5) * 1000,
                    unit: "ms",
                    count: count,
                    note: "the program's start, and its output read from a pseudo-terminal; median"
                ),
            ]
            figures += try await bulk(server, connection)
            if let reference = options.reference {
                figures += try await referenceFigures(reference.python, directory, bare.percentile(0.5))
            }
            return figures
        }
    }

    private static func bulk(_ server: BenchmarkedServer, _ connection: BareConnection) async throws -> [Figure] {
        let line = String(repeating: "x", count: 79)
        let arguments = ["sh", "-c", "yes \(line) | head -c \(bulkSize)"]
        let bare = try readBare(arguments, expecting: bulkSize + bulkSize / 80)
        let (answer, time) = try await measure { try connection.run("yes \(line) | head -c \(bulkSize)") }
        // The line feed at the end isn't shown, and is one of those at the end.
        guard answer.contains("\(bulkSize - 30_000) characters left out, the whole output is in") else {
            throw BenchmarkedServer.Failure(description: "the output isn't cut: \(answer.suffix(300))")
        }
        return [
            Figure(
                name: "output_100mb_s",
                value: time / .seconds(1),
                unit: "s",
                count: 1,
                note: "100 MB in lines of 80 to a complete observation"
            ),
            Figure(
                name: "bare_output_100mb_s",
                value: bare / .seconds(1),
                unit: "s",
                count: 1,
                note: "the same, read from a bare pseudo-terminal"
            ),
            Figure(
                name: "output_100mb_peak_mb",
                value: Double(try server.status("VmHWM")) * 1024 / 1e6,
                unit: "MB",
                count: 1,
                note: "the server's highest resident memory after that"
            ),
        ]
    }

    private static func referenceFigures(_ python: String, _ directory: String, _ bare: Double) async throws -> [Figure]
    {
        let server = try BenchmarkedServer.startReference(python: python, in: directory)
        defer { server.stop() }
        let connection = try server.connect()
        var samples = Samples()
        var shown = 0
        for _ in 0..<referenceCount {
            let (answer, time) = try await measure { try connection.run(command) }
            shown = answer.utf8.count
            samples.append(time)
        }
        return [
            Figure(
                name: "reference_output_ratio",
                value: samples.percentile(0.5) / bare,
                unit: "ratio",
                count: referenceCount,
                note: "its observation has \(shown) bytes, and nothing has the rest; median"
            )
        ]
    }

    /// Runs a program on a pseudo-terminal and reads what it writes.
    private static func readBare(_ arguments: [String], expecting expected: Int) throws -> Duration {
        let start = ContinuousClock.now
        var opened = platform_pseudo_terminal()
        guard platform_open_pseudo_terminal(1000, 1000, &opened) == 0 else { throw POSIXError(.ENXIO) }
        defer { _ = close(opened.controller) }
        _ = platform_reset_terminal_modes(opened.terminal, 0)
        var step = platform_spawn_step_fork
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let path = "/usr/bin/" + arguments[0]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { free(environment[0]) }
        let process = pointers.withUnsafeMutableBufferPointer { arguments in
            environment.withUnsafeMutableBufferPointer { environment in
                path.withCString { path in
                    var request = platform_spawn_request()
                    request.path = path
                    request.arguments = UnsafePointer(arguments.baseAddress)
                    request.environment = UnsafePointer(environment.baseAddress)
                    request.terminal = opened.terminal
                    return platform_spawn(&request, &step)
                }
            }
        }
        _ = close(opened.terminal)
        _ = close(opened.monitor)
        guard process > 0 else { throw BenchmarkedServer.Failure(description: "\(arguments[0]) can't be started") }
        let count = readToEnd(opened.controller)
        let time = ContinuousClock.now - start
        waitpid(process, nil, 0)
        guard count == expected else {
            throw BenchmarkedServer.Failure(description: "a bare pseudo-terminal gave \(count) bytes, not \(expected)")
        }
        return time
    }

    private static func readToEnd(_ descriptor: Int32) -> Int {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            var total = 0
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    total += count
                } else if count < 0, errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&waiting, 1, -1)
                } else {
                    return total
                }
            }
        }
    }
}
