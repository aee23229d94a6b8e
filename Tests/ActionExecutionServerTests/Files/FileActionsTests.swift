import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

struct Base64Tests {
    @Test(
        "The vectors of RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    @Test("Bytes of every length and value encode as Foundation encodes them")
    func random() {
        var random = SeededGenerator(seed: 1)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
        }
    }
}

struct FileReadTests {
    private static func read(_ action: FileReadAction, in directory: String) -> (content: String, isError: Bool) {
        switch FileActions.read(action, in: directory) {
        case .read(let observation): (observation.content, false)
        case .error(let observation): (observation.content, true)
        case let other: ("\(other)", true)
        }
    }

    /// What the reference's `read_lines` gives for `start` and `end`, recorded from it.
    @Test(
        "Ranges of lines are those of the reference",
        arguments: [
            (5, 0, -1, "01234"), (5, 2, -1, "234"), (5, 9, -1, ""), (5, -3, -1, "01234"),
            (5, 0, 0, "0"), (5, 0, 1, "0"), (5, 0, 3, "012"), (5, 1, 3, "12"), (5, 2, 2, "2"), (5, 3, 1, "3"),
            (5, 4, 5, "34"),
            (5, 4, 4, "3"), (5, 9, 9, "34"), (5, 0, 99, "01234"), (5, -2, 2, "01"), (5, 1, -2, "1"),
            (2, 1, 2, "01"), (2, 0, 1, "0"), (1, 0, 1, "0"), (1, 1, 1, "0"), (1, 5, 9, "0"), (0, 0, 5, ""),
            (0, 3, -1, ""),
        ]
    )
    func ranges(count: Int, start: Int, end: Int, digits: String) throws {
        try withTemporaryDirectory { (directory) throws in
            let text = (0..<count).map { "\($0)\n" }.joined()
            try writeFile(directory + "/f", Array(text.utf8), mode: 0o600)
            let found = Self.read(FileReadAction(path: "f", start: start, end: end), in: directory)
            #expect(found.content == digits.map { "\($0)\n" }.joined())
            #expect(!found.isError)
        }
    }

    @Test("Text comes back as it is, with its line ends and without one at its end")
    func text() throws {
        try withTemporaryDirectory { (directory) throws in
            for text in ["", "a", "a\n", "a\r\nb\rc\n\n", "\u{feff}ü 日本 👩‍💻", "a\u{1}\u{1b}[31m"] {
                try writeFile(directory + "/f", Array(text.utf8), mode: 0o600)
                #expect(
                    Array(Self.read(FileReadAction(path: directory + "/f"), in: "/").content.utf8) == Array(text.utf8)
                )
            }
        }
    }

    @Test(
        "Images, documents and films come as data URLs",
        arguments: [
            ("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.b.jpeg", "image/jpeg"), ("a.bmp", "image/bmp"),
            ("a.gif", "image/gif"),
            ("a.pdf", "application/pdf"), ("a.mp4", "video/mp4"), ("a.webm", "video/webm"), ("a.ogg", "audio/ogg"),
        ]
    )
    func dataURLs(name: String, type: String) throws {
        try withTemporaryDirectory { (directory) throws in
            try writeFile("\(directory)/\(name)", [0x89, 0x00, 0xff], mode: 0o600)
            #expect(Self.read(FileReadAction(path: name), in: directory).content == "data:\(type);base64,iQD/")
        }
    }

    @Test("What can't be read is an error that says why")
    func failures() throws {
        try withTemporaryDirectory { (directory) throws in
            try writeFile(directory + "/binary", [0x61, 0x00, 0x62], mode: 0o600)
            try writeFile(directory + "/damaged", Array("日本語".utf8) + [0x80, 0x0a], mode: 0o600)
            try writeFile(directory + "/png", [0x61, 0x00], mode: 0o600)
            #expect(mkfifo(directory + "/pipe", 0o600) == 0)
            let cases = [
                ("missing", "File not found: \(directory)/missing. Your current working directory is \(directory)."),
                ("png/x", "File not found: \(directory)/png/x. Your current working directory is \(directory)."),
                (".", "Path is a directory: \(directory). You can only read files"),
                ("binary", "ERROR_BINARY_FILE"),
                ("png", "ERROR_BINARY_FILE"),
                ("damaged", "File could not be decoded as utf-8: \(directory)/damaged."),
                ("pipe", "Path is not a regular file: \(directory)/pipe. You can only read files"),
            ]
            for (path, message) in cases {
                let found = Self.read(FileReadAction(path: path), in: directory)
                #expect(found.isError)
                #expect(found.content == message)
            }
            #expect(Self.read(FileReadAction(path: "a\0b"), in: directory).content.contains("zero byte"))
        }
    }

    @Test("Files that say that they are empty are read all the same")
    func procFiles() {
        let found = Self.read(FileReadAction(path: "/proc/self/status"), in: "/")
        #expect(found.content.contains("Pid:"))
        #expect(Self.read(FileReadAction(path: "/dev/zero"), in: "/").isError)
    }
}

struct FileWriteTests {
    private static func write(_ action: FileWriteAction, in directory: String) -> String? {
        switch FileActions.write(action, in: directory) {
        case .write(let observation):
            #expect(observation.content == "")
            return nil
        case .error(let observation): return observation.content
        case let other: return "\(other)"
        }
    }

    private static func content(_ path: String) throws -> String {
        try FileAccess.read(path, limit: 1 << 20).text
    }

    @Test("A new file is made with the directories above it, readable as the reference makes it")
    func new() throws {
        try withTemporaryDirectory { (directory) throws in
            #expect(Self.write(FileWriteAction(path: "a/b/c.txt", content: "x"), in: directory) == nil)
            #expect(try Self.content(directory + "/a/b/c.txt") == "x\n")
            var status = stat()
            #expect(stat(directory + "/a/b/c.txt", &status) == 0 && status.st_mode & 0o7777 == 0o664)
            #expect(Self.write(FileWriteAction(path: "d", content: "x\n", start: 3, end: 5), in: directory) == nil)
            #expect(try Self.content(directory + "/d") == "x\n")
        }
    }

    @Test(
        "Lines are replaced from start up to end",
        arguments: [
            (0, -1, "new\n"), (0, 0, "new\n0\n1\n2\n"), (0, 1, "new\n1\n2\n"), (1, 2, "0\nnew\n2\n"),
            (2, -1, "0\n1\nnew\n"),
            (3, 3, "0\n1\n2\nnew\n"), (99, 99, "0\n1\n2\nnew\n"), (1, 1, "0\nnew\n1\n2\n"), (-1, 3, "0\n1\nnew\n"),
            (0, -2, "new\n1\n2\n"),
            (2, 1, "0\n1\nnew\n1\n2\n"),
        ]
    )
    func ranges(start: Int, end: Int, expected: String) throws {
        try withTemporaryDirectory { (directory) throws in
            try writeFile(directory + "/f", Array("0\n1\n2\n".utf8), mode: 0o600)
            #expect(
                Self.write(FileWriteAction(path: "f", content: "new", start: start, end: end), in: directory) == nil
            )
            #expect(try Self.content(directory + "/f") == expected)
        }
    }

    @Test("Mode and owner stay, and a symbolic link stays one")
    func kept() throws {
        try withTemporaryDirectory { (directory) throws in
            try writeFile(directory + "/script", Array("old\n".utf8), mode: 0o600)
            #expect(chmod(directory + "/script", 0o4751) == 0)
            #expect(symlink("script", directory + "/link") == 0)
            #expect(symlink(directory + "/link", directory + "/chain") == 0)
            #expect(symlink("sub/later", directory + "/dangling") == 0)
            #expect(Self.write(FileWriteAction(path: "chain", content: "new"), in: directory) == nil)
            #expect(try Self.content(directory + "/script") == "new\n")
            var status = stat()
            #expect(lstat(directory + "/chain", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
            #expect(lstat(directory + "/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
            #expect(lstat(directory + "/script", &status) == 0 && status.st_mode & 0o7777 == 0o4751)
            #expect(Self.write(FileWriteAction(path: "dangling", content: "new"), in: directory) == nil)
            #expect(try Self.content(directory + "/sub/later") == "new\n")
            #expect(lstat(directory + "/dangling", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        }
    }

    @Test("What can't be written is an error, and what was there stays")
    func failures() throws {
        try withTemporaryDirectory { (directory) throws in
            let binary = Array("日本語\n".utf8) + [0xff, 0x0a]
            try writeFile(directory + "/binary", binary, mode: 0o600)
            try writeFile(directory + "/file", Array("x".utf8), mode: 0o600)
            #expect(mkfifo(directory + "/pipe", 0o600) == 0)
            #expect(
                Self.write(FileWriteAction(path: ".", content: ""), in: directory)?.hasPrefix("Path is a directory")
                    == true
            )
            #expect(
                Self.write(FileWriteAction(path: "file/x", content: ""), in: directory)
                    == "File not found: \(directory)/file/x"
            )
            #expect(
                Self.write(FileWriteAction(path: "pipe", content: ""), in: directory)?.hasPrefix(
                    "Path is not a regular"
                ) == true
            )
            #expect(Self.write(FileWriteAction(path: "/proc/new", content: ""), in: directory) != nil)
            let undecodable = Self.write(FileWriteAction(path: "binary", content: "1", start: 0, end: 1), in: directory)
            #expect(undecodable == "File could not be decoded as utf-8: \(directory)/binary")
            #expect(try FileAccess.read(directory + "/binary", limit: 99) == binary)
            #expect(
                Self.write(FileWriteAction(path: "a\0b", content: ""), in: directory)?.contains("zero byte") == true
            )
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["binary", "file", "pipe"]
            )
        }
    }

    @Test("A reader sees the old or the new content, never a part", .timeLimit(.minutes(1)))
    func atomic() async throws {
        try await withTemporaryDirectory { directory in
            let contents = ["a", "b"].map { String(repeating: $0, count: 200_000) + "\n" }
            #expect(Self.write(FileWriteAction(path: "f", content: contents[0]), in: directory) == nil)
            async let written: Void = Task.offloaded {
                for round in 1...100 {
                    if let failure = Self.write(FileWriteAction(path: "f", content: contents[round % 2]), in: directory)
                    {
                        Issue.record("\(failure)")
                    }
                }
                _ = Self.write(FileWriteAction(path: "end", content: ""), in: directory)
            }
            while access(directory + "/end", F_OK) != 0 {
                let content = try Self.content(directory + "/f")
                guard contents.contains(content) else {
                    Issue.record("a part of \(content.utf8.count) bytes")
                    break
                }
            }
            try await written
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["end", "f"])
        }
    }

    #if os(Linux)
    @Test("A file that is a mount of its own, as /etc/hosts is in a container, is written where it is")
    func mounts() async throws {
        try await withTemporaryDirectory { directory in
            try writeFile(directory + "/source", Array("old\n".utf8), mode: 0o644)
            try writeFile(directory + "/target", [], mode: 0o644)
            try await withServerProcess(
                ["--unix-socket", directory + "/socket", "--working-dir", directory],
                wrapper: [
                    "unshare", "-rm", "sh", "-c",
                    "mount --bind \(directory)/source \(directory)/target && exec \"$0\" \"$@\"",
                ]
            ) { process in
                #expect(try process.firstLine() == "listening on \(directory)/socket")
                let client = try await TestClient(.unix(path: directory + "/socket"))
                let body = #"{"action":{"action":"write","args":{"path":"target","content":"new"}}}"#
                let response = try await client.request("POST", "/execute_action", body: body)
                #expect(try response.json["observation"]?.stringValue == "write")
                #expect(try Self.content(directory + "/source") == "new\n")
            }
        }
    }
    #endif
}
