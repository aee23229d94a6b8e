import EventStream
import Testing

@testable import ActionExecutionServer

@Suite("POST /update_mcp_server")
struct MCPServersTests {
    @Test(
        "No servers are fine, all else is refused and says why",
        arguments: [
            ("[]", 200, "MCP server updated successfully"),
            ("{}", 400, "Request must be a list of MCP tools to sync"),
            ("[", 422, "The body is not JSON"),
            ("", 422, "The body is not JSON"),
            (#"["fetch"]"#, 422, #"needs a "name" and a "command", not "fetch""#),
            (
                #"[{"name": "fetch", "command": "uvx"}, {"name": "other", "command": "x"}]"#, 501,
                "asked for: fetch, other"
            ),
        ]
    )
    func update(body: String, status: Int, detail: String) async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let response = try await client.request("POST", "/update_mcp_server", body: body)
            #expect(response.status == status)
            #expect(response.detail?.contains(detail) == true, "\(response.body.text)")
        }
    }
}
