import ActionExecutionClient
import Foundation

/// What the server weighs, how soon it is there, and whether it stays as it was.
enum ServerBenchmark {
    private static let startCount = 31
    private static let commandCount = 1000
    private static let idleTime = 12

    static func run(_ options: Options) async throws -> [Figure] {
        let size = try FileManager.default.attributesOfItem(atPath: ServerBinary.find(for: .container))[.size] as? Int
        return try await withTemporaryDirectory { directory in
            var figures = [
                Figure(
                    name: "server_binary_mb",
                    value: Double(size ?? 0) / 1e6,
                    unit: "MB",
                    count: 1,
                    note: "static executable, stripped"
                )
            ]
            var starts = Samples()
            for _ in 0..<startCount {
                let server = try BenchmarkedServer.start(in: directory)
                starts.append(server.startTime)
                server.stop()
            }
            figures.append(start("server_start_ms", starts, "in a child process, over a Unix socket; median"))
            figures += try await measure(try BenchmarkedServer.start(in: directory), prefix: "")
            if let reference = options.reference {
                let server = try BenchmarkedServer.startReference(python: reference.python, in: directory)
                var samples = Samples()
                samples.append(server.startTime)
                figures.append(start("reference_server_start_ms", samples, "over TCP"))
                figures += try await measure(server, prefix: "reference_", commandCount: 100)
            }
            return figures
        }
    }

    private static func start(_ name: String, _ samples: Samples, _ note: String) -> Figure {
        Figure(
            name: name,
            value: samples.percentile(0.5) * 1000,
            unit: "ms",
            count: samples.count,
            note: "start of the program to the first answer that it is alive, \(note)"
        )
    }

    /// Memory after some commands, and what it does while nobody asks.
    private static func measure(
        _ server: BenchmarkedServer,
        prefix: String,
        commandCount: Int = commandCount
    ) async throws -> [Figure] {
        defer { server.stop() }
        // It stays open while the server is idle.
        let connection = try server.connect()
        for _ in 0..<commandCount { try connection.run("echo hi") }
        let resident = try server.status("VmRSS")
        try await Task.sleep(for: .seconds(1))
        let before = try server.voluntarySwitches()
        try await Task.sleep(for: .seconds(idleTime))
        let switches = try server.voluntarySwitches() - before
        return [
            Figure(
                name: prefix + "server_rss_mb",
                value: Double(resident) * 1024 / 1e6,
                unit: "MB",
                count: 1,
                note: "resident memory of the server's own process after \(commandCount) commands"
            ),
            Figure(
                name: prefix + "idle_wakeups_s",
                value: Double(switches) / Double(idleTime),
                unit: "1/s",
                count: idleTime,
                note: "in \(idleTime) s with an open connection and the shell at its prompt"
            ),
        ]
    }
}

/// Ten thousand commands in a row.
enum EnduranceBenchmark {
    private static let count = 10_000

    static func run(_ options: Options) async throws -> [Figure] {
        try await withTemporaryDirectory { directory in
            let server = try BenchmarkedServer.start(in: directory)
            defer { server.stop() }
            let connection = try server.connect()
            var samples = Samples()
            var (memory, descriptors) = (0, 0)
            for index in 0..<count {
                samples.append(try await measure { try connection.run("echo hi") }.1)
                if index == 999 { (memory, descriptors) = (try server.status("VmRSS"), try server.descriptorCount) }
            }
            let grown = Double(try server.status("VmRSS") - memory) * 1024 / 1e6
            return [
                Figure(
                    name: "endurance_p50_ms",
                    value: samples.percentile(0.5) * 1000,
                    unit: "ms",
                    count: count,
                    note: "echo hi to its observation, from a client that does nothing else, over a Unix socket"
                ),
                Figure(
                    name: "endurance_flatness",
                    value: samples.median(of: count - 1000..<count) / samples.median(of: 0..<1000),
                    unit: "ratio",
                    count: 2000,
                    note: "median of the last thousand ÷ median of the first thousand"
                ),
                Figure(
                    name: "endurance_rss_growth_mb",
                    value: grown,
                    unit: "MB",
                    count: 1,
                    note: "resident memory after \(count) commands less that after 1,000"
                ),
                Figure(
                    name: "endurance_descriptor_growth",
                    value: Double(try server.descriptorCount - descriptors),
                    unit: "",
                    count: 1,
                    note: "descriptors after \(count) commands less those after 1,000"
                ),
            ]
        }
    }
}
