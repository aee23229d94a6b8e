import ActionExecutionClient
import ActionExecutionServer
import Archives
import CurlHTTP
import EventStream
import Foundation
import SocketTestServer
import TestSupport
import Testing

/// Copies between this machine and a server in this process.
@Suite(.timeLimit(.minutes(5)))
struct FileTransferTests {
    private struct Fixture {
        var client: ActionExecutionClient
        /// Of this machine.
        var host: URL
        /// Of the sandbox.
        var sandbox: URL
    }

    private func withServer(_ body: (Fixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let (host, sandbox) = (directory.appending(path: "host"), directory.appending(path: "sandbox"))
            try FileManager.default.createDirectory(at: host, withIntermediateDirectories: false)
            var configuration = ServerConfiguration(
                addresses: [.tcp(host: "127.0.0.1", port: 0)],
                workingDirectory: sandbox.path
            )
            configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere"]
            let server = try ActionExecutionServer(configuration)
            guard case .tcp(_, let port) = server.addresses[0] else { return }
            let running = Task.detached { await server.run() }
            let http = try HTTPClient()
            let client = ActionExecutionClient(endpoint: .init(url: "http://127.0.0.1:\(port)"), http: http)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(Fixture(client: client, host: host, sandbox: sandbox)))
            } catch {
                result = .failure(error)
            }
            http.shutdown()
            running.cancel()
            await running.value
            try result.get()
        }
    }

    private func expectFailure(
        _ words: String,
        _ location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("it went well", sourceLocation: location)
        } catch {
            #expect((error as? RuntimeError)?.description.contains(words) == true, "\(error)", sourceLocation: location)
        }
    }

    // MARK: Round trips

    @Test("A folder goes in and comes out as it was", arguments: [false, true])
    func folder(_ isCompressed: Bool) async throws {
        try await withServer { fixture in
            let source = fixture.host.appending(path: "my project ä")
            try makeFile(source.appending(path: "run.sh"), "#!/bin/sh\n", permissions: 0o755)
            try makeFile(source.appending(path: "d/e/large"), String(repeating: "0123456789", count: 200_000))
            try makeFile(source.appending(path: "d/empty"), "")
            try FileManager.default.createDirectory(
                at: source.appending(path: "nothing"),
                withIntermediateDirectories: false
            )
            #expect(symlink("../run.sh", source.appending(path: "d/link").path) == 0)
            try makeRawFile(source, [0x78, 0xff, 0x0a])

            let options = CopyOptions(isCompressed: isCompressed)
            let summary = try await fixture.client.copyIn(
                source.path,
                to: fixture.sandbox.path + "/work",
                options: options
            )
            #expect(summary.leftOut == [])
            let inside = fixture.sandbox.appending(path: "work/my project ä")
            #expect(try tree(inside) == (try tree(source)))
            #expect(try permissions(inside.appending(path: "run.sh")) == 0o755)

            let copy = fixture.host.appending(path: "made/for/it")
            #expect(try await fixture.client.copyOut(inside.path, to: copy.path, options: options).leftOut == [])
            #expect(try tree(copy.appending(path: "my project ä")) == (try tree(source)))
            #expect(try permissions(copy.appending(path: "my project ä/run.sh")) == 0o755)
        }
    }

    @Test("A file keeps its name, its mode, and its form: an archive isn't unpacked")
    func files() async throws {
        try await withServer { fixture in
            let names = ["plain", "a \"quoted\\ %22name%", "new\nline\r", "ä", "data.zip", "b;c=d"]
            for (index, name) in names.enumerated() {
                let source = fixture.host.appending(path: name)
                try makeFile(source, "content \(index)", permissions: 0o640)
                try await fixture.client.copyIn(source.path, to: fixture.sandbox.path + "/in")
                let inside = fixture.sandbox.appending(path: "in/" + name)
                #expect(try permissions(inside) == 0o640)
                try await fixture.client.copyOut(inside.path, to: fixture.host.appending(path: "out").path)
            }
            let contents = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, "content \($0)") })
            #expect(try tree(fixture.sandbox.appending(path: "in")) == contents)
            #expect(try tree(fixture.host.appending(path: "out")) == contents)
        }
    }

    @Test("With a slash at the end, what is in the folder is copied")
    func contentOnly() async throws {
        try await withServer { fixture in
            try makeFile(fixture.host.appending(path: "source/d/x"), "1")
            try await fixture.client.copyIn(fixture.host.path + "/source/", to: fixture.sandbox.path)
            #expect(try tree(fixture.sandbox) == ["d": "/", "d/x": "1"])
            try await fixture.client.copyOut(fixture.sandbox.path + "/", to: fixture.host.path + "/out")
            #expect(try tree(fixture.host.appending(path: "out")) == ["d": "/", "d/x": "1"])
            await expectFailure("it has no name; put a slash at its end") {
                try await fixture.client.copyIn(fixture.host.path + "/source/.", to: fixture.sandbox.path)
            }
            await expectFailure("it has no name") {
                try await fixture.client.copyOut(fixture.sandbox.path + "/..", to: fixture.host.path)
            }
        }
    }

    @Test("Names that a listing gives lead to the files, whatever bytes they have")
    func listing() async throws {
        try await withServer { fixture in
            try makeFile(fixture.sandbox.appending(path: "d/x"), "1")
            try makeRawFile(fixture.sandbox, [0x66, 0xff, 0xfe])
            let names = try await fixture.client.listFiles()
            #expect(names.count == 2)
            #expect(names.first == "d/")
            let odd = try #require(names.last)
            try await fixture.client.copyOut(fixture.sandbox.path + "/" + odd, to: fixture.host.path)
            #expect(try tree(fixture.host).count == 1)
            #expect(try await fixture.client.listFiles(in: "d") == ["x"])
            #expect(try await fixture.client.listFiles(in: "missing") == [])
        }
    }

    @Test("A raw archive streams")
    func rawArchive() async throws {
        try await withServer { fixture in
            try makeFile(fixture.sandbox.appending(path: "x"), String(repeating: "x", count: 1 << 20))
            let archive = try await fixture.client.archive(of: fixture.sandbox.path)
            #expect(archive.isFolder == true)
            var bytes: [UInt8] = []
            for try await piece in archive { bytes += piece }
            #expect(bytes.starts(with: Array("PK".utf8)))
            #expect(bytes.count > 1 << 20)
            let file = try await fixture.client.archive(of: fixture.sandbox.path + "/x", isCompressed: true)
            #expect(file.isFolder == false)
            #expect(try await file.reduce(0) { $0 + $1.count } < 1 << 16)
        }
    }

    @Test("What every server of the protocol does: REFERENCE_SERVER names another one on this machine by its URL")
    func anyServer() async throws {
        func check(_ client: ActionExecutionClient, _ host: URL, _ sandbox: URL) async throws {
            let source = host.appending(path: "p ä")
            try makeFile(source.appending(path: "d/large"), String(repeating: "0123456789", count: 500_000))
            try makeFile(source.appending(path: "x"), "1")
            try await client.copyIn(source.path, to: sandbox.path + "/a b")
            #expect(try tree(sandbox.appending(path: "a b/p ä")) == (try tree(source)))
            #expect(try await client.listFiles(in: sandbox.path + "/a b/p ä") == ["d/", "x"])
            try await client.copyOut(sandbox.path + "/a b/p ä", to: host.path + "/out")
            #expect(try tree(host.appending(path: "out/p ä")) == (try tree(source)))
            for name in ["plain", "quoted \"\\ä", "data.zip"] {
                try makeFile(host.appending(path: name), "content")
                try await client.copyIn(host.path + "/" + name, to: sandbox.path + "/files")
            }
            let files = try tree(sandbox.appending(path: "files"))
            #expect(files == ["plain": "content", "quoted \"\\ä": "content", "data.zip": "content"])
        }
        try await withServer { try await check($0.client, $0.host, $0.sandbox) }
        guard let url = ProcessInfo.processInfo.environment["REFERENCE_SERVER"] else { return }
        let http = try HTTPClient()
        defer { http.shutdown() }
        let client = ActionExecutionClient(endpoint: .init(url: url), http: http)
        try await withTemporaryDirectory { directory in
            let host = directory.appending(path: "host")
            try await check(client, host, directory.appending(path: "sandbox"))
            await expectFailure("the archive is empty") {
                try await client.copyOut(directory.path + "/sandbox/files/plain", to: host.path + "/out")
            }
        }
    }

    // MARK: Links and special files

    @Test("Links that lead out stop a copy in either direction, or are left out and told")
    func escapingLinks() async throws {
        try await withServer { fixture in
            for root in [fixture.host, fixture.sandbox] {
                try makeFile(root.appending(path: "p/x"), "1")
                #expect(symlink("/etc/passwd", root.appending(path: "p/out").path) == 0)
            }
            let (host, sandbox) = (fixture.host.path, fixture.sandbox.path)
            await expectFailure("out is a symbolic link that leads out of the folder, to /etc/passwd") {
                try await fixture.client.copyIn(host + "/p", to: sandbox + "/in")
            }
            await expectFailure("leads out of the folder, to /etc/passwd") {
                try await fixture.client.copyOut(sandbox + "/p", to: host + "/out")
            }
            // What the server had taken of the upload goes when it finds that no more comes.
            try await until { try tree(fixture.sandbox) == ["p": "/", "p/x": "1", "p/out": "-> /etc/passwd"] }
            #expect(try tree(fixture.host) == ["p": "/", "p/x": "1", "p/out": "-> /etc/passwd"])

            let options = CopyOptions(escapingLinks: .leaveOut)
            let told = ["out is a symbolic link that leads out of the folder, to /etc/passwd"]
            #expect(try await fixture.client.copyIn(host + "/p", to: sandbox + "/in", options: options).leftOut == told)
            #expect(
                try await fixture.client.copyOut(sandbox + "/p", to: host + "/out", options: options).leftOut == told
            )
            #expect(try tree(fixture.sandbox.appending(path: "in")) == ["p": "/", "p/x": "1"])
            #expect(try tree(fixture.host.appending(path: "out")) == ["p": "/", "p/x": "1"])
        }
    }

    @Test("Pipes are left out and told, in either direction")
    func specialFiles() async throws {
        try await withServer { fixture in
            for root in [fixture.host, fixture.sandbox] {
                try makeFile(root.appending(path: "p/x"), "1")
                #expect(mkfifo(root.appending(path: "p/pipe").path, 0o600) == 0)
            }
            let told = ["pipe is a named pipe, which can't be copied"]
            let (host, sandbox) = (fixture.host.path, fixture.sandbox.path)
            #expect(try await fixture.client.copyIn(host + "/p", to: sandbox + "/in").leftOut == told)
            #expect(try await fixture.client.copyOut(sandbox + "/p", to: host + "/out").leftOut == told)
            #expect(try tree(fixture.host.appending(path: "out")) == ["p": "/", "p/x": "1"])
            await expectFailure("neither a file nor a folder") {
                try await fixture.client.copyIn(host + "/p/pipe", to: sandbox)
            }
        }
    }

    // MARK: Failures

    @Test("What can't be copied is told, with what the server said")
    func failures() async throws {
        try await withServer { fixture in
            let (host, sandbox) = (fixture.host.path, fixture.sandbox.path)
            await expectFailure("No such file") { try await fixture.client.copyIn(host + "/missing", to: sandbox) }
            await expectFailure("(status 404): File not found") {
                try await fixture.client.copyOut(sandbox + "/missing", to: host)
            }
            await expectFailure("(status 400): Path must be an absolute path") {
                try await fixture.client.copyOut("relative", to: host)
            }
            // Refused long before all of it was sent.
            try makeFile(fixture.host.appending(path: "sparse"), "")
            #expect(truncate(host + "/sparse", 1 << 30) == 0)
            await expectFailure("(status 400): Destination must be an absolute path") {
                try await fixture.client.copyIn(host + "/sparse", to: "relative")
            }
            try makeFile(fixture.host.appending(path: "p/d"), "file")
            try makeFile(fixture.sandbox.appending(path: "p/d/x"), "mine")
            await expectFailure("(status 409)") { try await fixture.client.copyIn(host + "/p", to: sandbox) }
            await expectFailure("is there and no folder") {
                try await fixture.client.copyOut(sandbox + "/p/d", to: host + "/p")
            }
            #expect(try tree(fixture.sandbox) == ["p": "/", "p/d": "/", "p/d/x": "mine"])
        }
    }

    @Test("A cancelled copy leaves nothing on either side")
    func cancellation() async throws {
        try await withServer { fixture in
            let (host, sandbox) = (fixture.host, fixture.sandbox)
            for root in [host, sandbox] {
                try makeFile(root.appending(path: "large/sparse"), "")
                #expect(truncate(root.appending(path: "large/sparse").path, 1 << 40) == 0)
            }
            let client = fixture.client
            func names(_ url: URL) throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
            }

            let copyIn = Task { try await client.copyIn(host.path + "/large", to: sandbox.path + "/in") }
            try await until { try names(sandbox).contains("in") }
            copyIn.cancel()
            await #expect(throws: CancellationError.self) { try await copyIn.value }
            try await until { try names(sandbox) == ["large"] }

            let copyOut = Task { try await client.copyOut(sandbox.path + "/large", to: host.path + "/out") }
            try await until { try names(host).contains("out") }
            copyOut.cancel()
            await #expect(throws: CancellationError.self) { try await copyOut.value }
            try await until { try names(host) == ["large"] }
        }
    }

    // MARK: Sandboxes that can't be trusted

    /// Copies out of a server that answers with a certain archive, and checks that nothing but `out` appeared.
    private func copyOut(
        _ archive: [UInt8],
        from path: String = "/sandbox/folder",
        headers: String = "Path-Type: folder\r\n"
    ) async throws -> (error: RuntimeError?, tree: [String: String]) {
        let server = try TestServer { connection in
            guard connection.readHead() != nil else { return }
            connection.respond(headers: headers, body: archive)
            connection.waitForClose()
        }
        defer { server.stop() }
        let http = try HTTPClient()
        defer { http.shutdown() }
        let client = ActionExecutionClient(endpoint: .init(url: server.url), http: http)
        return try await withTemporaryDirectory { directory in
            try makeFile(directory.appending(path: "secret"), "untouched")
            do {
                _ = try await client.copyOut(path, to: directory.path + "/out")
                return (nil, try tree(directory))
            } catch let error as RuntimeError {
                return (error, try tree(directory))
            }
        }
    }

    private func archive(_ entries: [(name: String, kind: ZipWriter.Entry.Kind, content: String)]) throws -> [UInt8] {
        var writer = try ZipWriter(compression: .stored)
        for (name, kind, content) in entries {
            let entry = ZipWriter.Entry(name: Array(name.utf8), kind: kind, permissions: 0o755, modificationTime: 0)
            writer.add(entry, content: Array(content.utf8))
        }
        writer.finish()
        return writer.takeOutput()
    }

    @Test("Nothing that a sandbox sends gets out of the folder that was asked for")
    func hostileArchives() async throws {
        let hostile: [[(name: String, kind: ZipWriter.Entry.Kind, content: String)]] = [
            [("good", .file, ""), ("../secret", .file, "evil")], [("good", .file, ""), ("/etc/evil", .file, "evil")],
            [("l", .symbolicLink, ".."), ("l/secret", .file, "evil")],
            [("l", .symbolicLink, "d"), ("d", .folder, ""), ("l/x", .file, "evil")],
            [("d/a", .symbolicLink, "../d"), ("d/b", .symbolicLink, "../d/..")],
            [("x", .file, "1"), ("x", .file, "2")],
        ]
        for entries in hostile {
            let outcome = try await copyOut(try archive(entries))
            #expect(outcome.error?.description.contains("/sandbox/folder was not copied") == true, "\(entries)")
            #expect(outcome.tree == ["secret": "untouched"], "\(entries)")
        }
        // A name that begins with a slash would be a folder's own when it is asked for with one at its end.
        let content = try await copyOut(try archive([("../secret", .file, "evil")]), from: "/sandbox/folder/")
        #expect(content.error != nil)
        #expect(content.tree == ["secret": "untouched"])
    }

    @Test("A sandbox that is asked for a file can't send others, nor a folder")
    func unasked() async throws {
        let file = "Path-Type: file\r\n"
        for entries: [(name: String, kind: ZipWriter.Entry.Kind, content: String)] in [
            [("note", .file, "1"), (".bashrc", .file, "evil")], [(".bashrc", .file, "evil")], [("note", .folder, "")],
            [("note", .symbolicLink, "secret")], [("note/x", .file, "evil")], [],
        ] {
            let outcome = try await copyOut(try archive(entries), from: "/sandbox/note", headers: file)
            #expect(outcome.error != nil, "\(entries)")
            #expect(outcome.tree == ["secret": "untouched"], "\(entries)")
        }
        let outcome = try await copyOut(try archive([("note", .file, "1")]), from: "/sandbox/note", headers: file)
        #expect(outcome.tree == ["secret": "untouched", "out": "/", "out/note": "1"])
    }

    @Test("The reference's empty archive for a file is explained; its archives of folders are unpacked")
    func reference() async throws {
        let empty = try await copyOut(try archive([]), from: "/sandbox/note", headers: "")
        #expect(empty.error?.description.contains("the archive is empty") == true)
        #expect(empty.tree == ["secret": "untouched"])
        let folder = try await copyOut(try archive([("d/x", .file, "1")]), headers: "")
        #expect(
            folder.tree == [
                "secret": "untouched", "out": "/", "out/folder": "/", "out/folder/d": "/", "out/folder/d/x": "1",
            ]
        )
    }

    @Test("An archive that breaks off leaves nothing")
    func truncated() async throws {
        let whole = try archive([("x", .file, String(repeating: "x", count: 1000))])
        for count in [0, 1, 100, whole.count - 1] {
            let outcome = try await copyOut(Array(whole.prefix(count)))
            #expect(outcome.error != nil)
            #expect(outcome.tree == ["secret": "untouched"])
        }
        let server = try TestServer { connection in
            guard connection.readHead() != nil else { return }
            connection.send(
                "HTTP/1.1 200 OK\r\nPath-Type: folder\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nPK\u{3}\u{4}\r\n"
            )
        }
        defer { server.stop() }
        let http = try HTTPClient()
        defer { http.shutdown() }
        let client = ActionExecutionClient(endpoint: .init(url: server.url), http: http)
        try await withTemporaryDirectory { directory in
            await expectFailure("connection lost") { try await client.copyOut("/folder", to: directory.path + "/out") }
            let left = try tree(directory)
            #expect(left == [:])
        }
    }
}

// MARK: Files

private func makeFile(_ url: URL, _ content: String, permissions: Int = 0o644) throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    // Not as an atomic replacement, which percent-encoded names confuse.
    let descriptor = open(url.path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw SystemCallFailure(call: "open", number: errno) }
    defer { close(descriptor) }
    guard content.utf8.withContiguousStorageIfAvailable({ write(descriptor, $0.baseAddress, $0.count) }) ?? 0 >= 0,
        fchmod(descriptor, mode_t(permissions)) == 0
    else { throw SystemCallFailure(call: "write", number: errno) }
}

private func makeRawFile(_ folder: URL, _ name: [UInt8]) throws {
    let path = folder.path.utf8CString.dropLast() + [0x2f] + name.map(CChar.init(bitPattern:)) + [0]
    let descriptor = open(Array(path), O_CREAT | O_WRONLY, 0o644)
    guard descriptor >= 0 else { throw SystemCallFailure(call: "open", number: errno) }
    close(descriptor)
}

private func permissions(_ url: URL) throws -> Int {
    var status = stat()
    guard lstat(url.path, &status) == 0 else { throw SystemCallFailure(call: "lstat", number: errno) }
    return Int(status.st_mode) & 0o7777
}

/// What is below a folder, by path: the content of files, "/" for folders, "-> target" for links.
private func tree(_ root: URL) throws -> [String: String] {
    var found: [String: String] = [:]
    func visit(_ path: [CChar], _ prefix: String) throws {
        guard let stream = opendir(path + [0]) else { throw SystemCallFailure(call: "opendir", number: errno) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let shown = prefix + FileNameText.text(for: name)
            guard name != [0x2e], name != [0x2e, 0x2e] else { continue }
            let below = path + [0x2f] + name.map(CChar.init(bitPattern:))
            var status = stat()
            guard lstat(below + [0], &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                found[shown] = "/"
                try visit(below, shown + "/")
            case S_IFLNK:
                var target = [CChar](repeating: 0, count: 4096)
                let count = readlink(below + [0], &target, target.count)
                found[shown] =
                    "-> " + String(decoding: target.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
            case S_IFREG where status.st_size < 1 << 26:
                let descriptor = open(below + [0], O_RDONLY)
                defer { close(descriptor) }
                let content = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
                    count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
                }
                found[shown] = String(decoding: content, as: UTF8.self)
            default: found[shown] = "other"
            }
        }
    }
    try visit(Array(root.path.utf8CString.dropLast()), "")
    return found
}
