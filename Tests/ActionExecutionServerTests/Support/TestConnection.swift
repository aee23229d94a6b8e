import Testing

@testable import ActionExecutionServer

/// Serves one connection with a handler and limits of its own.
///
/// - Parameter isUnix: over a Unix socket instead of TCP.
func withConnection(
    isolation: isolated (any Actor)? = #isolation,
    _ handler: @escaping HTTPHandler,
    limits: HTTPLimits = HTTPLimits(),
    isUnix: Bool = false,
    _ body: (TestClient) async throws -> Void
) async throws {
    let loop = try EventLoop()
    try loop.runInBackground()
    defer { loop.stop() }
    try await withTemporaryDirectory { directory in
        let address = isUnix ? ServerAddress.unix(path: directory + "/s") : .tcp(host: "127.0.0.1", port: 0)
        let listener = try ListeningSocket(address)
        let client = try await TestClient(listener.address)
        #expect(await loop.wait(for: [.readable(listener.descriptor)]) == .ready)
        let connection = HTTPConnection(
            descriptor: try #require(try listener.accept()),
            loop: loop,
            limits: limits,
            check: { _ in nil },
            handler: handler
        )
        let serving = Task(executorPreference: loop) { await connection.run() }
        do {
            try await body(client)
        } catch {
            serving.cancel()
            await serving.value
            throw error
        }
        await client.close()
        await serving.value
    }
}
