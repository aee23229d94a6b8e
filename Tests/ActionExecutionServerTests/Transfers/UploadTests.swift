import Archives
import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

@Suite(.timeLimit(.minutes(5)))
struct UploadTests {
    /// An archive of a folder, as the package's client makes it.
    private func archive(_ path: String, prefix: String? = nil) async throws -> [UInt8] {
        let options = ArchiveProducer.Options(prefix: prefix.map { Array($0.utf8) })
        let producer = try ArchiveProducer(packing: Array(path.utf8), options: options)
        var bytes: [UInt8] = []
        while let piece = try await producer.next() { bytes += piece }
        return bytes
    }

    @Test("A file goes into the folder that is named, which is made, and the answer is the reference's")
    func file() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let target = fixture.directory + "/new/folder"
            let response = try await client.upload(
                Form.file("note.txt", "text\r\n--\(Form.boundary.dropLast())"),
                "destination=\(target)&recursive=false"
            )
            #expect(response.status == 200, "\(response.body.text)")
            #expect(
                try response.json == [
                    "filename": "note.txt", "destination": .string(target), "recursive": false,
                ]
            )
            #expect(try tree(target) == ["note.txt": "text\r\n--\(Form.boundary.dropLast())"])
            #expect(try permissions(target + "/note.txt") == "644")

            let program = try await client.upload(Form.file("note.txt", "2"), "destination=\(target)&mode=750")
            #expect(program.status == 200)
            #expect(try tree(target) == ["note.txt": "2"])
            #expect(try permissions(target + "/note.txt") == "750")
        }
    }

    @Test("An archive is unpacked into the folder, asked for or by its name")
    func archives() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let source = fixture.directory + "/source"
            try makeFile(source + "/d/file", "1")
            try makeFile(source + "/program", "2")
            #expect(chmod(source + "/program", 0o755) == 0)
            #expect(symlink("d/file", source + "/link") == 0)
            let packed = try await archive(source, prefix: "copy")
            for query in ["recursive=true", "recursive=True", "recursive=1", "recursive=false", "x=y"] {
                let target = fixture.directory + "/target"
                try makeFile(target + "/copy/other", "kept")
                let response = try await client.upload(
                    Form.file(Array("any.zip".utf8), packed),
                    "destination=\(target)&\(query)"
                )
                #expect(response.status == 200, "\(response.body.text)")
                #expect(
                    try tree(target) == [
                        "copy": "/", "copy/d": "/", "copy/d/file": "1", "copy/program": "2", "copy/link": "-> d/file",
                        "copy/other": "kept",
                    ]
                )
                #expect(try permissions(target + "/copy/program") == "755")
                try FileManager.default.removeItem(atPath: target)
            }
        }
    }

    @Test("What is wrong is told with the right status, and nothing is left of it")
    func refusals() async throws {
        try await withServer { fixture in
            try makeFile(fixture.directory + "/file", "mine")
            try makeFile(fixture.directory + "/full/x/y", "mine")
            let before = try tree(fixture.directory)
            let client = try await fixture.connect()
            let file = Form.file("x", "evil")
            let target = "destination=\(fixture.directory)"
            func refuse(
                _ form: [UInt8],
                _ query: String,
                _ status: Int,
                _ words: String,
                contentType: String = Form.contentType,
                _ location: SourceLocation = #_sourceLocation
            ) async throws {
                let response = try await client.upload(form, query, contentType: contentType)
                #expect(response.status == status, "\(response.body.text)", sourceLocation: location)
                #expect(response.detail?.contains(words) == true, "\(response.body.text)", sourceLocation: location)
                #expect(try tree(fixture.directory) == before, sourceLocation: location)
            }
            try await refuse(file, "destination=relative", 400, "Destination must be an absolute path")
            try await refuse(file, "\(target)&recursive=true", 400, "Recursive uploads must be zip files")
            try await refuse(file, "\(target)&recursive=maybe", 422, "recursive must be true or false")
            try await refuse(file, "\(target)&mode=888", 422, "mode must be octal digits")
            try await refuse(file, "\(target)&mode=4755", 422, "mode must be octal digits")
            try await refuse(file, target, 415, "multipart/form-data", contentType: "application/zip")
            try await refuse(Form.file("x", "1", field: "other"), target, 422, "no part named file")
            try await refuse(Form.file("", "1"), target, 422, "has no name")
            try await refuse(Array(file.dropLast(10)), target, 400, "cut off")
            try await refuse(Form.head(Array("x".utf8)) + [0x0d, 0x0a] + file, target, 422, "two files")
            for name in ["../x", "/x", "a/b", "..", "."] {
                try await refuse(Form.file(name, "evil"), target, 400, "no name for a file")
            }
            try await refuse(Form.file("x.zip", "no archive"), target, 400, "not a readable zip archive")
            try await refuse(file, "destination=\(fixture.directory)/full", 409, "is a folder")
            try await refuse(file, "destination=\(fixture.directory)/file", 400, "Not a directory")
            try await refuse(file, "destination=\(fixture.directory)/file/deeper", 400, "Not a directory")
            #if os(Linux)
            try await refuse(file, "destination=/proc/nothing", 404, "No such file")
            #endif
        }
    }

    @Test("An archive that climbs out is refused, and nothing of it is written")
    func hostileArchive() async throws {
        try await withServer { fixture in
            // Names of the same length, so that the archive stays whole.
            try makeFile(fixture.directory + "/source/aa", "good")
            try makeFile(fixture.directory + "/source/bbbb", "evil")
            var packed = try await archive(fixture.directory + "/source")
            while let range = packed.firstRange(of: Array("bbbb".utf8)) {
                packed.replaceSubrange(range, with: "../b".utf8)
            }
            let client = try await fixture.connect()
            let response = try await client.upload(
                Form.file(Array("x.zip".utf8), packed),
                "destination=\(fixture.directory)/target"
            )
            #expect(response.status == 400)
            #expect(response.detail?.contains("climbs out") == true)
            #expect(try tree(fixture.directory) == ["source": "/", "source/aa": "good", "source/bbbb": "evil"])
        }
    }

    @Test("Limits on what comes out of an archive are the configuration's")
    func limits() async throws {
        try await withServer {
            $0.transfers.entryLimit = 2
        } _: { fixture in
            for index in 0..<3 { try makeFile("\(fixture.directory)/source/\(index)") }
            let packed = try await archive(fixture.directory + "/source")
            let client = try await fixture.connect()
            let response = try await client.upload(
                Form.file(Array("x.zip".utf8), packed),
                "destination=\(fixture.directory)/target"
            )
            #expect(response.status == 413)
            #expect(try tree(fixture.directory)["target"] == nil)
        }
    }

    @Test("A file's name can have any bytes")
    func anyBytes() async throws {
        try await withServer { fixture in
            let client = try await fixture.connect()
            let names: [[UInt8]] = (1...255).filter { ![0x22, 0x0a, 0x0d, 0x2e, 0x2f].contains($0) }.map {
                [0x61, UInt8($0)]
            }
            for name in names {
                let response = try await client.upload(Form.file(name, [0x31]), "destination=\(fixture.directory)")
                #expect(response.status == 200, "\(name)")
                #expect(try FileNameText.bytes(of: #require(response.json["filename"]?.stringValue)) == name)
            }
            let listed = try await client.request("POST", "/list_files", body: "{}")
            let found = try #require(try listed.json.arrayValue).compactMap { $0.stringValue.map(FileNameText.bytes) }
            #expect(Set(found) == Set(names))
        }
    }

    @Test("A client that goes away in the middle leaves nothing, and neither does the end of the server")
    func disconnection() async throws {
        try await withTemporaryDirectory { target in
            var waiting: TestClient?
            try await withServer { fixture in
                let form = Form.file("x", String(repeating: "x", count: 1 << 20))
                func begin() async throws -> TestClient {
                    let client = try await fixture.connect()
                    try await client.send(
                        "POST /upload_file?destination=\(target)/made HTTP/1.1\r\nHost: localhost\r\n"
                            + "Content-Type: \(Form.contentType)\r\nContent-Length: \(form.count)\r\n\r\n"
                    )
                    try await client.send(Array(form.prefix(1 << 19)))
                    try await eventually { try !tree(target).isEmpty }
                    return client
                }
                let client = try await begin()
                await client.close()
                try await eventually { try tree(target).isEmpty }
                waiting = try await begin()
            }
            let left = try tree(target)
            #expect(left.isEmpty)
            await waiting?.close()
        }
    }

    @Test("Uploads at the same time don't mix, and of those to one name one wins whole")
    func concurrency() async throws {
        try await withServer { fixture in
            let size = 300_000
            try await withThrowingTaskGroup { group in
                for index in 0..<8 {
                    group.addTask {
                        let letter = String(UnicodeScalar(UInt8(0x61 + index)))
                        let content = String(repeating: letter, count: size)
                        let client = try await fixture.connect()
                        for name in ["same", letter] {
                            let response = try await client.upload(
                                Form.file(name, content),
                                "destination=\(fixture.directory)"
                            )
                            #expect(response.status == 200)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try tree(fixture.directory)
            #expect(found.count == 9)
            for (name, content) in found {
                #expect(content.utf8.count == size)
                #expect(Set(content).count == 1)
                #expect(name == "same" || content.first == name.first)
            }
        }
    }

    #if os(Linux)
    @Test("What is uploaded belongs to the owner that the configuration names")
    func owner() async throws {
        // Only root can give files away; for others their own number is the one that works.
        let (user, group) = getuid() == 0 ? (4711, 4712) : (Int(getuid()), Int(getgid()))
        try await withServer {
            $0.transfers.owner = .init(user: UInt32(user), group: UInt32(group))
        } _: { fixture in
            try makeFile(fixture.directory + "/source/d/file", "1")
            #expect(symlink("d", fixture.directory + "/source/link") == 0)
            let packed = try await archive(fixture.directory + "/source")
            let client = try await fixture.connect()
            let query = "destination=\(fixture.directory)/made/target"
            #expect(try await client.upload(Form.file(Array("x.zip".utf8), packed), query).status == 200)
            #expect(try await client.upload(Form.file("single", ""), query).status == 200)
            for name in [
                "made", "made/target", "made/target/d", "made/target/d/file", "made/target/link", "made/target/single",
            ] {
                var status = stat()
                #expect(lstat("\(fixture.directory)/\(name)", &status) == 0)
                #expect(Int(status.st_uid) == user && Int(status.st_gid) == group, "\(name)")
            }
        }
    }
    #endif
}
