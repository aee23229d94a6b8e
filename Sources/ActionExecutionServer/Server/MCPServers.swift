import EventStream

/// `POST /update_mcp_server`: the MCP servers that the reference starts in the sandbox and makes available at `/mcp`.
///
/// None are started here. That there should be none is what a client says that uses none, and is answered as the reference does.
enum MCPServers {
    static func update(_ body: [UInt8]) -> HTTPResponse {
        let servers: JSONValue
        do {
            servers = try JSONValue(parsing: body)
        } catch {
            return HTTPResponse(detail: "The body is not JSON: \(error)", status: 422)
        }
        guard case .array(let servers) = servers else {
            return HTTPResponse(detail: "Request must be a list of MCP tools to sync", status: 400)
        }
        var names: [String] = []
        for server in servers {
            guard let name = server["name"]?.stringValue, server["command"]?.stringValue != nil else {
                return HTTPResponse(
                    detail: "An MCP server needs a \"name\" and a \"command\", not \(server)",
                    status: 422
                )
            }
            names.append(name)
        }
        guard names.isEmpty else {
            return HTTPResponse(
                detail:
                    "This server starts no MCP servers (asked for: \(names.joined(separator: ", "))). Run them outside"
                    + " the sandbox and name them by their addresses.",
                status: 501
            )
        }
        return HTTPResponse(json: ["detail": "MCP server updated successfully", "router_error_log": ""])
    }
}
