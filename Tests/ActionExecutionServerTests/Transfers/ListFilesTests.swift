import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

@Suite(.timeLimit(.minutes(5)))
struct ListFilesTests {
    private func list(_ client: TestClient, _ body: String) async throws -> [String] {
        let response = try await client.request("POST", "/list_files", body: body)
        #expect(response.status == 200)
        return try #require(try response.json.arrayValue).compactMap(\.stringValue)
    }

    @Test("Folders come first and with a slash, both without regard to case; links that lead nowhere don't come")
    func order() async throws {
        try await withServer { fixture in
            for name in ["b", "A", "ä", ".hidden", "Z2", "z1"] { try makeFile("\(fixture.directory)/\(name)") }
            for name in ["d", "C", ".git"] { try makeFile("\(fixture.directory)/\(name)/inside") }
            #expect(symlink("d", fixture.directory + "/link") == 0)
            #expect(symlink("b", fixture.directory + "/file-link") == 0)
            #expect(symlink("nowhere", fixture.directory + "/dangling") == 0)
            let client = try await fixture.connect()
            let expected = [".git/", "C/", "d/", "link/", ".hidden", "A", "b", "file-link", "z1", "Z2", "ä"]
            #expect(try await list(client, "{}") == expected)
            #expect(try await list(client, #"{"path": null}"#) == expected)
            #expect(try await list(client, "") == expected)
            #expect(try await list(client, #"{"path": "\#(fixture.directory)"}"#) == expected)
            #expect(try await list(client, #"{"path": "link"}"#) == ["inside"])
            #expect(try await list(client, #"{"path": "./d/../C/"}"#) == ["inside"])
        }
    }

    @Test("Where the shell went doesn't matter")
    func directory() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/here/file")
            let client = try await fixture.connect()
            #expect(try await client.run("cd here; pwd").hasSuffix("/here"))
            #expect(try await list(client, "{}") == ["here/"])
            #expect(try await list(client, #"{"path": "here"}"#) == ["file"])
        }
    }

    @Test("What isn't there or is no folder has nothing in it; a bad body is told")
    func failures() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/file")
            let client = try await fixture.connect()
            #expect(try await list(client, #"{"path": "missing"}"#) == [])
            #expect(try await list(client, #"{"path": "/missing/too"}"#) == [])
            #expect(try await list(client, #"{"path": "file"}"#) == [])
            for body in ["[]", "{", #"{"path": 1}"#] {
                let response = try await client.request("POST", "/list_files", body: body)
                #expect(response.status == 422)
                #expect(response.detail != nil)
            }
            let zero = try await client.request("POST", "/list_files", body: #"{"path": "/a\u0000b"}"#)
            #expect(zero.status == 400)
            let get = try await client.request("GET", "/list_files")
            #expect(get.status == 405)
            #expect(get.headers.single("allow") == "POST")
        }
    }

    @Test("Names that aren't UTF-8 come as Python writes them, and are understood in the same form")
    func anyBytes() async throws {
        try await withServer { fixture in
            let name: [UInt8] = [0x61, 0xff]
            #expect(mkdir(rawPath(fixture.directory, name), 0o755) == 0)
            let client = try await fixture.connect()
            let response = try await client.request("POST", "/list_files", body: "{}")
            #expect(response.body.text.lowercased() == #"["a\udcff/"]"#)
            let below = try await client.request("POST", "/list_files", body: #"{"path": "a\udcff/.."}"#)
            #expect(below.body == response.body)
        }
    }
}
