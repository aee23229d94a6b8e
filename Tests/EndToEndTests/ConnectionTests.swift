import ActionExecutionClient
import CurlHTTP
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    @Test(
        "P7: a command in a container runs once though its connection is cut in every way, and its observation arrives"
    )
    func cutConnections() async throws {
        try await withSession { session in
            var configuration = try session.configuration()
            configuration.transport = .tcp
            let start = SandboxStart(
                configuration: configuration,
                sessionID: session.id,
                status: RuntimeStatusHub()
            )
            let sandbox = try await start.run()
            let result: Result<Void, any Error>
            do {
                result = .success(try await expectOneRunEach(sandbox))
            } catch {
                result = .failure(error)
            }
            try await sandbox.remove()
            try result.get()
        }
    }

    private func expectOneRunEach(_ sandbox: Sandbox) async throws {
        let port = try #require(sandbox.client.endpoint.url.split(separator: ":").last.flatMap { Int($0) })
        for cut in CuttingProxy.Cut.allCases {
            let proxy = try CuttingProxy(to: port, cuts: [cut])
            defer { proxy.stop() }
            let http = try HTTPClient()
            defer { http.shutdown() }
            var endpoint = sandbox.client.endpoint
            endpoint.url = "http://127.0.0.1:\(proxy.port)"
            let client = ActionExecutionClient(endpoint: endpoint, http: http)
            // Long enough to be caught at it.
            let command = "echo run >> \(cut); sleep 0.1; echo \(cut) done"
            guard
                case .run(let result) = try await client.execute(
                    ActionInvocation(.run(CommandAction(command: command)))
                )
            else {
                Issue.record("\(cut): not a command's observation")
                continue
            }
            #expect(result.content == "\(cut) done")
            #expect(proxy.requestCount == (cut == .afterResponse ? 1 : 2))
            let count = ActionInvocation(.run(CommandAction(command: "grep -c run \(cut)")))
            guard case .run(let counted) = try await sandbox.client.execute(count) else { continue }
            #expect(counted.content == "1", "\(cut)")
        }
    }
}
