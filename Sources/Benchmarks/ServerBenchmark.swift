import ActionExecutionClient
import EventStream
import Foundation

/// What the server weighs: its file, and its memory after a thousand commands.
enum ServerBenchmark {
    static func run(_ options: Options) async throws -> [Figure] {
        let binary = try ServerBinary.find(for: .container)
        let size = try FileManager.default.attributesOfItem(atPath: binary)[.size] as? Int ?? 0
        let resident = try await withSandbox(image: options.image) { _, runtime in
            for _ in 0..<1000 { _ = try await runtime.execute(.run(CommandAction(command: "echo hi"))) }
            // The server is process 1 of its container.
            return try await residentKibibytes(runtime)
        }
        return [
            Figure(
                name: "server_binary_mb",
                value: Double(size) / 1e6,
                unit: "MB",
                count: 1,
                note: "static executable, stripped"
            ),
            Figure(
                name: "server_rss_mb",
                value: Double(resident) * 1024 / 1e6,
                unit: "MB",
                count: 1,
                note: "resident memory after 1,000 commands, in a container"
            ),
        ]
    }

    private static func residentKibibytes(_ runtime: any Runtime) async throws -> Int {
        let command =
            "while read -r key value unit; do [ \"$key\" = VmRSS: ] && echo \"$value\"; done < /proc/1/status; true"
        guard case .run(let result) = try await runtime.execute(.run(CommandAction(command: command))),
            let value = Int(result.content)
        else { throw CocoaError(.fileReadUnknown) }
        return value
    }
}
