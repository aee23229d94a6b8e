import CurlHTTP
import SocketTestServer

/// Runs a client against a server and ends both, whatever happens between.
func withServer<Result>(
    _ transport: TestServer.Transport = .tcp,
    configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    script: @escaping TestServer.Script,
    _ body: (HTTPClient, TestServer) async throws -> Result
) async throws -> Result {
    let server = try TestServer(transport, script: script)
    defer { server.stop() }
    let client = try HTTPClient(configuration: configuration)
    defer { client.shutdown() }
    return try await body(client, server)
}

extension TestServer {
    func request(_ method: String = "GET", _ path: String = "/", body: HTTPRequest.Body = .none) -> HTTPRequest {
        HTTPRequest(method: method, url: url + path, body: body, unixSocketPath: unixSocketPath)
    }
}

extension Connection {
    /// Answers each request with what `answer` makes of it, until the client goes.
    func serve(_ answer: (Request, [UInt8]) -> [UInt8] = { _, body in body }) {
        while let request = readHead(), let body = readBody(of: request) {
            respond(body: answer(request, body))
        }
    }
}

/// The error that an operation throws, if it is an `HTTPError`.
func httpError<Result>(from operation: () async throws -> Result) async throws -> HTTPError? {
    do {
        _ = try await operation()
        return nil
    } catch let error as HTTPError {
        return error
    }
}

func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
}
