import Archives
import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

@Suite(.timeLimit(.minutes(5)))
struct DownloadTests {
    /// Unpacks an archive into a new folder and gives what is in it.
    private func unpack(_ archive: [UInt8]) async throws -> (tree: [String: String], leftOut: [String]) {
        try await withTemporaryDirectory { root in
            var options = UnpackingOptions()
            options.links = .leaveOutEscaping
            let receiver = try ArchiveReceiver(folder: Array("\(root)/unpacked".utf8), options: options)
            try await receiver.append(archive)
            let summary = try #require(try await receiver.finish())
            return (try tree("\(root)/unpacked"), summary.leftOut)
        }
    }

    @Test(
        "A folder comes as an archive of what is in it",
        arguments: ["", "&compression=stored", "&compression=deflated"]
    )
    func folder(_ query: String) async throws {
        try await withServer { fixture in
            let root = fixture.directory + "/täst dir"
            try makeFile(root + "/a", String(repeating: "text ", count: 100_000))
            try makeFile(root + "/d/e/f", "deep")
            try FileManager.default.createDirectory(atPath: root + "/empty", withIntermediateDirectories: false)
            #expect(symlink("d/e", root + "/link") == 0)
            let client = try await fixture.connect()
            let path = PercentCoding.encode(root.utf8)
            let response = try await client.request("GET", "/download_files?path=\(path)\(query)")
            #expect(response.status == 200)
            #expect(response.headers.single("content-type") == "application/zip")
            #expect(response.headers.single("transfer-encoding") == "chunked")
            #expect(response.headers.single("path-type") == "folder")
            #expect(
                response.headers.single("content-disposition")
                    == "attachment; filename*=utf-8''t%C3%A4st%20dir.zip"
            )
            #expect(try await unpack(response.body).tree == (try tree(root)))
            #expect((response.body.count > 500_000) == !query.hasSuffix("deflated"))
            #expect(try await client.request("HEAD", "/download_files?path=\(path)").status == 200)
            #expect(try await client.request("GET", "/alive").status == 200)
        }
    }

    @Test("A file comes as an archive of it alone")
    func file() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/note.txt", "text")
            try makeFile(fixture.directory + "/other")
            let client = try await fixture.connect()
            let response = try await client.request("GET", "/download_files?path=\(fixture.directory)/note.txt")
            #expect(response.headers.single("path-type") == "file")
            #expect(response.headers.single("content-disposition") == "attachment; filename=\"note.txt.zip\"")
            #expect(try await unpack(response.body).tree == ["note.txt": "text"])
        }
    }

    @Test("What can't be downloaded is told with the right status")
    func failures() async throws {
        try await withServer { fixture in
            #expect(mkfifo(fixture.directory + "/pipe", 0o600) == 0)
            let client = try await fixture.connect()
            let expected: [(query: String, status: Int, words: String)] = [
                ("", 422, "must name a path"), ("?path=relative", 400, "Path must be an absolute path"),
                ("?path=/missing", 404, "File not found"), ("?path=\(fixture.directory)/pipe", 409, "a named pipe"),
                ("?path=/a%00b", 400, "Invalid argument"), ("?path=/&compression=best", 422, "stored or deflated"),
            ]
            for (query, status, words) in expected {
                let response = try await client.request("GET", "/download_files\(query)")
                #expect(response.status == status, "\(query)")
                #expect(response.detail?.contains(words) == true, "\(response.body.text)")
            }
            #expect(try await client.request("POST", "/download_files?path=/", body: "").status == 405)
        }
    }

    @Test("Names can have any bytes, in the archive and in the query")
    func anyBytes() async throws {
        try await withServer { fixture in
            let name: [UInt8] = (1...255).filter { $0 != 0x2f }.map { UInt8($0) }
            let folder: [UInt8] = [0xff, 0x0a]
            #expect(mkdir(rawPath(fixture.directory, folder), 0o755) == 0)
            let descriptor = open(rawPath(fixture.directory, folder + [0x2f] + name), O_CREAT | O_WRONLY, 0o644)
            try #require(descriptor >= 0)
            _ = Foundation.close(descriptor)
            let client = try await fixture.connect()
            let response = try await client.request("GET", "/download_files?path=\(fixture.directory)/%FF%0A")
            #expect(response.headers.single("content-disposition") == "attachment; filename*=utf-8''%FF%0A.zip")
            let unpacked = fixture.directory + "/unpacked"
            let receiver = try ArchiveReceiver(folder: Array(unpacked.utf8), options: UnpackingOptions())
            try await receiver.append(response.body)
            #expect(try await receiver.finish()?.entryCount == 1)
            let listed = try await client.request("POST", "/list_files", body: #"{"path": "unpacked"}"#)
            let names = try #require(try listed.json.arrayValue).compactMap { $0.stringValue.map(FileNameText.bytes) }
            #expect(names == [name])
        }
    }

    @Test("What can't be packed is left out, and the archive's comment says so")
    func leftOut() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/a", "1")
            try makeFile(fixture.directory + "/z", "2")
            #expect(mkfifo(fixture.directory + "/pipe", 0o600) == 0)
            let client = try await fixture.connect()
            let response = try await client.request("GET", "/download_files?path=\(fixture.directory)")
            let unpacked = try await unpack(response.body)
            #expect(unpacked.tree == ["a": "1", "z": "2"])
            #expect(unpacked.leftOut == ["pipe is a named pipe, which can't be copied"])
        }
    }

    #if os(Linux)
    @Test("A client that goes away in the middle leaves no open file")
    func disconnection() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/sparse")
            #expect(truncate(fixture.directory + "/sparse", 1 << 32) == 0)
            func isOpen() throws -> Bool {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").contains {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))
                        == fixture.directory + "/sparse"
                }
            }
            let client = try await fixture.connect()
            try await client.send("GET /download_files?path=\(fixture.directory) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await client.receiveHead().status == 200)
            #expect(try await client.receiveChunk()?.isEmpty == false)
            #expect(try isOpen())
            await client.close()
            try await eventually { try !isOpen() }
        }
    }

    @Test("A large file goes in and out through a server that holds a few pieces of it in memory")
    func memory() async throws {
        let size = (ProcessInfo.processInfo.environment["LARGE_FILE_MB"].flatMap { Int($0) } ?? 200) << 20
        try await withTemporaryDirectory { root in
            try makeFile(root + "/sparse")
            #expect(truncate(root + "/sparse", off_t(size)) == 0)
            try await withServerProcess(["--unix-socket", root + "/socket", "--working-dir", root]) { process in
                _ = try process.firstLine()
                let client = try await TestClient(.unix(path: root + "/socket"))
                #expect(try await client.request("GET", "/alive").status == 200)
                let before = try peakMemory(of: process.process.processIdentifier)

                try await client.send("GET /download_files?path=\(root)/sparse HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(try await client.receiveHead().status == 200)
                var received = 0
                while let chunk = try await client.receiveChunk() { received += chunk.count }
                #expect(received > size)

                let (head, tail) = (Form.head(Array("copy".utf8)), Array("\r\n--\(Form.boundary)--\r\n".utf8))
                try await client.send(
                    "POST /upload_file?destination=\(root) HTTP/1.1\r\nHost: localhost\r\n"
                        + "Content-Type: \(Form.contentType)\r\nContent-Length: \(head.count + size + tail.count)\r\n\r\n"
                )
                try await client.send(head)
                let piece = [UInt8](repeating: 0x78, count: 1 << 20)
                for _ in 0..<size >> 20 { try await client.send(piece) }
                try await client.send(tail)
                #expect(try await client.receive().status == 200)
                var status = stat()
                #expect(stat(root + "/copy", &status) == 0 && Int(status.st_size) == size)

                let grown = try peakMemory(of: process.process.processIdentifier) - before
                #expect(grown < 40 << 20, "\(grown)")
            }
        }
    }

    /// `VmHWM` of a process, in bytes.
    private func peakMemory(of process: pid_t) throws -> Int {
        let text = try FileAccess.read("/proc/\(process)/status", limit: 1 << 16).text
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
    #endif

    @Test("Ten thousand small files go out and in again")
    func manyFiles() async throws {
        try await withServer { fixture in
            for index in 0..<10_000 { try writeSmallFile(fixture.directory, index) }
            let client = try await fixture.connect()
            let response = try await client.request("GET", "/download_files?path=\(fixture.directory)")
            try await withTemporaryDirectory { target in
                let uploaded = try await client.upload(
                    Form.file(Array("x.zip".utf8), response.body),
                    "destination=\(target)/copy"
                )
                #expect(uploaded.status == 200)
                #expect(try tree(target + "/copy") == (try tree(fixture.directory)))
            }
        }
    }

    private func writeSmallFile(_ root: String, _ index: Int) throws {
        let folder = "\(root)/\(index / 100)"
        if index.isMultiple(of: 100) {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try writeFile("\(folder)/\(index)", Array("content \(index)".utf8), mode: 0o644)
    }
}
