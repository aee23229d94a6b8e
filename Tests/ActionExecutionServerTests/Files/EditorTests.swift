import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// An editor on a loop of its own, in a directory of its own.
private struct EditorFixture {
    let editor: FileEditor
    let directory: String

    func edit(_ name: String, _ command: String, _ change: (inout FileEditAction) -> Void = { _ in }) async -> String {
        var action = FileEditAction(path: "\(directory)/\(name)", command: command)
        change(&action)
        guard case .edit(let observation) = await editor.edit(action) else { return "no edit" }
        return observation.content
    }

    func replace(_ name: String, _ old: String, _ new: String) async -> String {
        await edit(name, "str_replace") { ($0.oldString, $0.newString) = (old, new) }
    }

    func insert(_ name: String, _ line: Int, _ new: String) async -> String {
        await edit(name, "insert") { ($0.insertLine, $0.newString) = (line, new) }
    }

    func view(_ name: String, _ range: [Int]? = nil) async -> String {
        let action = FileReadAction(path: "\(directory)/\(name)", implementation: .editor, viewRange: range)
        return await editor.view(action).content
    }

    func put(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws {
        try writeFile("\(directory)/\(name)", bytes, mode: mode)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try FileAccess.read("\(directory)/\(name)", limit: 1 << 26)
    }

    func text(_ name: String) throws -> String { try bytes(name).text }

    func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat("\(directory)/\(name)", &status) == 0)
        return status
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
    }
}

private func withEditor(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (EditorFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let loop = try EventLoop()
        try loop.runInBackground()
        defer { loop.stop() }
        try await body(EditorFixture(editor: FileEditor(workspace: directory, loop: loop), directory: directory))
    }
}

@Suite(.timeLimit(.minutes(2)))
struct EditorTests {
    @Test("Edits keep the encoding, the mark and the ends of lines, and undoing brings back every byte")
    func encodings() async throws {
        let text = "one\r\nzwei ä\nthree\r\n"
        let changed = "one\r\nzwei ö\nnew\nthree\r\n"
        let latin: (String) -> [UInt8] = { $0.unicodeScalars.map { UInt8($0.value) } }
        let encoders: [(name: String, encode: (String) -> [UInt8])] = [
            ("utf8", { Array($0.utf8) }), ("mark", { [0xEF, 0xBB, 0xBF] + Array($0.utf8) }),
            ("little", { TextEncodingTests.utf16($0, isBigEndian: false) }),
            ("big", { TextEncodingTests.utf16($0, isBigEndian: true) }), ("latin1", latin),
        ]
        try await withEditor { fixture in
            for (name, encode) in encoders {
                try fixture.put(name, encode(text))
                #expect(await fixture.view(name).hasSuffix(":\n     1\tone\n     2\tzwei ä\n     3\tthree\n     4\t\n"))
                #expect(await fixture.replace(name, "ä", "ö").hasPrefix("The file"))
                #expect(await fixture.insert(name, 2, "new").hasPrefix("The file"))
                // An inserted line ends as the one that it is put before.
                let inserted = changed.replacing("new\n", with: "new\r\n")
                #expect(try fixture.bytes(name) == encode(inserted), "\(name)")
                #expect(await fixture.edit(name, "undo_edit").hasPrefix("Last edit"))
                #expect(await fixture.edit(name, "undo_edit").hasPrefix("Last edit"))
                #expect(try fixture.bytes(name) == encode(text), "\(name)")
            }
        }
    }

    @Test("What the encoding doesn't have, or isn't text, is refused and nothing is lost")
    func refused() async throws {
        try await withEditor { fixture in
            let latin: [UInt8] = Array("caf".utf8) + [0xE9, 0x0A]
            let damaged = Array("日本語\n".utf8) + [0xFF, 0x0A]
            let hiragana: [UInt8] = [0x82, 0xB1, 0x82, 0xF1, 0x82, 0xC9, 0x0A]
            try fixture.put("latin1", latin)
            try fixture.put("damaged", [0x61, 0x0A] + damaged.filter { $0 != 0xFF } + [0x80])
            try fixture.put("shiftjis", hiragana)
            try fixture.put("binary", [0x61, 0, 0x62])
            #expect(
                await fixture.replace("latin1", "caf", "日本")
                    == "ERROR:\nRan into the character U+65E5, which the file's encoding (Windows-1252) does not have, while"
                    + " trying to write to \(fixture.directory)/latin1"
            )
            #expect(try fixture.bytes("latin1") == latin)
            #expect(await fixture.view("damaged").contains("It is UTF-8 up to byte 13, which is not valid there."))
            #expect(await fixture.view("shiftjis").contains("Its text is neither UTF-8, nor UTF-16 with a mark, nor"))
            #expect(await fixture.replace("shiftjis", "a", "b").hasPrefix("ERROR:\nFile validation failed for "))
            #expect(try fixture.bytes("shiftjis") == hiragana)
            #expect(await fixture.view("binary") == "ERROR_BINARY_FILE")
            #expect(
                await fixture.edit("binary", "view")
                    == "ERROR:\nFile validation failed for \(fixture.directory)/binary: File appears to be binary and this file"
                    + " type cannot be read or edited by this tool."
            )
            let surrogate = try #require(JSONValue(parsing: Array(#""a\ud800""#.utf8)).stringValue)
            #expect(await fixture.edit("new", "create") { $0.fileText = surrogate }.contains("the character U+D800"))
            #expect(try fixture.names == ["binary", "damaged", "latin1", "shiftjis"])
        }
    }

    @Test("Lines are put behind a last line that has no end, not into it")
    func unendedLine() async throws {
        try await withEditor { fixture in
            try fixture.put("f", Array("a\nb".utf8))
            #expect(await fixture.insert("f", 2, "c").contains("     1\ta\n     2\tb\n     3\tc\n     4\t\n"))
            #expect(try fixture.text("f") == "a\nb\nc\n")
            try fixture.put("g", Array("a\nb".utf8))
            #expect(await fixture.insert("g", 1, "x").hasPrefix("The file"))
            #expect(try fixture.text("g") == "a\nx\nb")
        }
    }

    @Test("A line that a model wrote as a string is taken, and written back as it was")
    func lineAsString() async throws {
        try await withEditor { fixture in
            try fixture.put("f", Array("a\nb\n".utf8))
            let args = #"{"path":"\#(fixture.directory)/f","command":"insert","insert_line":"1","new_str":"x"}"#
            let json = try JSONValue(parsing: Array(#"{"action":"edit","args":\#(args)}"#.utf8))
            let action = try Action(json: try #require(json.objectValue))
            #expect(action.json["args"]?.description == args)
            guard case .edit(let edit) = action else {
                Issue.record("\(action)")
                return
            }
            #expect(await fixture.editor.edit(edit).content.hasPrefix("The file"))
            #expect(try fixture.text("f") == "a\nx\nb\n")
        }
    }

    @Test("Mode and owner stay, links stay links, and other names of a file see the edit")
    func kept() async throws {
        try await withEditor { fixture in
            try fixture.put("script", Array("old\n".utf8))
            #expect(chmod("\(fixture.directory)/script", 0o4751) == 0)
            #expect(symlink("script", "\(fixture.directory)/link") == 0)
            #expect(symlink("later", "\(fixture.directory)/dangling") == 0)
            let node = try fixture.status("script").st_ino
            #expect(await fixture.insert("link", 1, "new").hasPrefix("The file"))
            #expect(try fixture.text("script") == "old\nnew\n")
            #expect(try fixture.status("script").st_mode & 0o7777 == 0o4751)
            #expect(try fixture.status("script").st_ino != node)
            #expect(try fixture.status("link").st_mode & S_IFMT == S_IFLNK)
            #expect(await fixture.edit("dangling", "create") { $0.fileText = "x" }.hasPrefix("File created"))
            #expect(try fixture.text("later") == "x")
            #expect(try fixture.status("dangling").st_mode & S_IFMT == S_IFLNK)
            let mask = umask(0)
            _ = umask(mask)
            #expect(try fixture.status("later").st_mode & 0o7777 == 0o666 & ~mask)

            #expect(Foundation.link("\(fixture.directory)/later", "\(fixture.directory)/other") == 0)
            for text in ["much longer than before", "y"] {
                let old = try fixture.text("other")
                #expect(await fixture.replace("later", old, text).hasPrefix("The file"))
                #expect(try fixture.text("other") == text)
            }
            #expect(try fixture.status("other").st_nlink == 2)
            #expect(try fixture.names == ["dangling", "later", "link", "other", "script"])
        }
    }

    #if os(Linux)
    @Test("Attributes of a file stay")
    func attributes() async throws {
        // Swift's module of the C library has them not.
        typealias SetAttribute =
            @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32) -> Int32
        typealias GetAttribute =
            @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int) -> Int
        let set = unsafeBitCast(try #require(dlsym(nil, "setxattr")), to: SetAttribute.self)
        let get = unsafeBitCast(try #require(dlsym(nil, "getxattr")), to: GetAttribute.self)
        try await withEditor { fixture in
            try fixture.put("f", Array("old\n".utf8))
            let path = "\(fixture.directory)/f"
            guard set(path, "user.note", "kept", 4, 0) == 0 else {
                // Not every file system has them; then there is nothing to keep.
                #expect(errno == ENOTSUP)
                return
            }
            #expect(await fixture.replace("f", "old", "new").hasPrefix("The file"))
            var value = [UInt8](repeating: 0, count: 4)
            #expect(get(path, "user.note", &value, 4) == 4 && value.text == "kept")
            #expect(try fixture.text("f") == "new\n")
        }
    }
    #endif

    @Test("Pipes, sockets and devices are refused without waiting for them")
    func specialFiles() async throws {
        try await withEditor { fixture in
            #expect(mkfifo("\(fixture.directory)/pipe", 0o600) == 0)
            #expect(symlink("/dev/zero", "\(fixture.directory)/zero") == 0)
            #expect(symlink("/dev/tty", "\(fixture.directory)/tty") == 0)
            let socket = try ListeningSocket(.unix(path: "\(fixture.directory)/socket"))
            for name in ["pipe", "zero", "tty", "socket"] {
                #expect(await fixture.view(name).contains("It is not a regular file"))
                #expect(await fixture.insert(name, 0, "x").contains("It is not a regular file"))
                #expect(await fixture.replace(name, "a", "x").contains("It is not a regular file"))
                #expect(await fixture.edit(name, "undo_edit").contains("It is not a regular file"))
                #expect(await fixture.edit(name, "create") { $0.fileText = "x" }.contains("File already exists"))
            }
            _ = socket
        }
    }

    @Test("Of a file beyond the limit, lines are shown, and only they are held")
    func large() async throws {
        try await withEditor { fixture in
            let path = "\(fixture.directory)/large"
            // Lines at both ends, and a gigabyte that takes no room between them.
            try fixture.put("large", Array("first\r\nsecond\r\n".utf8))
            let descriptor = open(path, O_WRONLY)
            defer { close(descriptor) }
            let end = Array("\nbefore last\nlast".utf8)
            #expect(pwrite(descriptor, end, end.count, 1 << 30) == end.count)
            #expect(await fixture.view("large") == "ERROR_BINARY_FILE")
            // The zeros of the gap are not text, but what is looked at is the beginning.
            let padding = [UInt8](repeating: 0x20, count: 2048) + [0x0A]
            #expect(pwrite(descriptor, padding, padding.count, 15) == padding.count)
            let size = (1 << 30) + end.count
            #expect(
                await fixture.view("large")
                    == "ERROR:\nFile validation failed for \(path): File is too large (1024.0MB). Maximum allowed size is 10MB."
            )
            #expect(size > Editor.sizeLimit)
            let before = residentMemory()
            #expect(
                await fixture.view("large", [1, 2])
                    == "Here's the result of running `cat -n` on \(path):\n     1\tfirst\n     2\tsecond\n"
            )
            #expect(
                await fixture.view("large", [5, -1])
                    == "Here's the result of running `cat -n` on \(path):\n     5\tbefore last\n     6\tlast\n"
            )
            #expect(await fixture.view("large", [4, 5]).contains("<response clipped><NOTE>Due to the max"))
            #expect(
                await fixture.view("large", [7, 8])
                    == "ERROR:\nInvalid `view_range` parameter: [7, 8]. Its first element `7` should be within the range of"
                    + " lines of the file: [1, 6]."
            )
            #expect(residentMemory() - before < 64 << 20)
            #expect(await fixture.insert("large", 0, "x").contains("File is too large (1024.0MB)"))
            let found = FileActions.read(FileReadAction(path: path, start: 4, end: 6), in: "/")
            #expect(found.content == "before last\nlast")
            let all = FileActions.read(FileReadAction(path: path), in: "/")
            #expect(all.content == "File is larger than \(FileActions.sizeLimit) bytes: \(path)")
        }
    }

    private func residentMemory() -> Int {
        let fields = (try? FileAccess.read("/proc/self/statm", limit: 4096).text)?.split(separator: " ") ?? []
        return fields.dropFirst().first.flatMap { Int($0) }.map { $0 * Int(getpagesize()) } ?? 0
    }

    @Test("Names of any bytes are shown and edited")
    func names() async throws {
        try await withEditor { fixture in
            let name = SystemPath(bytes: Array("\(fixture.directory)/\u{1}a b\"'$`".utf8) + [0xFF, 0xC3]).description
            let created = await fixture.editor.edit(FileEditAction(path: name, command: "create", fileText: "x"))
            #expect(created.content == "File created successfully at: \(name)")
            #expect(await fixture.view("").contains("\n\(name)"))
            let json = try JSONValue(parsing: created.jsonBytes())
            #expect(json["extras"]?["path"]?.stringValue == name)
            #expect(String(decoding: created.jsonBytes(), as: UTF8.self).contains(#"\udcff\udcc3"#))
            let action = FileEditAction(path: name, command: "str_replace", oldString: "x", newString: "y")
            #expect(await fixture.editor.edit(action).content.hasPrefix("The file \(name) has been edited."))
            #expect(FileActions.read(FileReadAction(path: name), in: "/").content == "y")
        }
    }

    @Test("A directory with links back to itself, and one that is full, are listed")
    func directories() async throws {
        try await withEditor { fixture in
            #expect(mkdir("\(fixture.directory)/sub dir", 0o700) == 0)
            #expect(symlink("..", "\(fixture.directory)/sub dir/up") == 0)
            #expect(symlink(".", "\(fixture.directory)/self") == 0)
            #expect(symlink("gone", "\(fixture.directory)/broken") == 0)
            try fixture.put(".hidden", [])
            let root = fixture.directory
            let head = "Here's the files and directories up to 2 levels deep in \(root), excluding hidden items:\n"
            let tail =
                "\n\n1 hidden files/directories in this directory are excluded. You can use 'ls -la \(root)' to see them."
            let lines = ["", "/broken", "/self/", "/sub dir/", "/sub dir/up/"].map { root + $0 }
            #expect(await fixture.view("") == head + root + "/" + lines.dropFirst().map { "\n" + $0 }.joined() + tail)
            for number in 0..<40_000 { #expect(symlink("gone", "\(root)/\(number)") == 0) }
            let listing = await fixture.view("")
            #expect(listing.contains("<response clipped><NOTE>Due to the max output limit, only part of this dir"))
            #expect(listing.contains("\n\(root)/0\n\(root)/1\n\(root)/10\n\(root)/100\n\(root)/1000\n"))
            #expect(listing.unicodeScalars.count < 17_000)
        }
    }

    @Test("Edits of one file at the same time wait for each other, and none is lost")
    func concurrent() async throws {
        try await withEditor { fixture in
            try fixture.put("f", Array("0\n".utf8))
            #expect(symlink("f", "\(fixture.directory)/link") == 0)
            await withTaskGroup { group in
                for number in 1...60 {
                    group.addTask {
                        // Whichever way it is done, and under whichever name.
                        switch number % 3 {
                        case 0: _ = await fixture.insert("f", 0, "\(number)")
                        case 1: _ = await fixture.insert("link", 1, "\(number)")
                        default:
                            let action = FileWriteAction(path: "f", content: "\(number)", start: 0, end: 0)
                            _ = await fixture.editor.write(action, in: fixture.directory)
                        }
                    }
                }
            }
            let lines = try fixture.text("f").split(separator: "\n").compactMap { Int($0) }
            #expect(lines.sorted() == Array(0...60))
        }
    }

    @Test("A diff that would take too long is one change, and right")
    func hardDiff() {
        let (old, new): ([Int32], [Int32]) = ([0, 1, 2, 3], [0, 2, 1, 3])
        var matcher = SequenceMatcher(old: old, new: new, elementCount: 4, stepLimit: 3)
        #expect(matcher.changes() == nil)
        matcher = SequenceMatcher(old: old, new: new, elementCount: 4)
        #expect(matcher.changes() == [.init(old: 1..<1, new: 1..<2), .init(old: 2..<3, new: 3..<3)])
        let change = UnifiedDiff.singleChange(from: old, to: new)
        #expect(change == SequenceMatcher.Change(old: 1..<3, new: 1..<3))
    }

    @Test("Other editors than this one are refused clearly")
    func otherEditor() async throws {
        try await withEditor { fixture in
            let action = FileEditAction(path: "/x", implementation: .languageModel)
            guard case .error(let observation) = await fixture.editor.edit(action) else {
                Issue.record("no error")
                return
            }
            #expect(observation.content.contains("llm_based_edit"))
        }
    }
}

#if os(Linux)
@Suite(.timeLimit(.minutes(2)))
struct EditorFaultTests {
    /// A server whose directory `disk` is a small file system of its own, with the files `f` (short) and `g` (filling it nearly).
    private func withSmallDisk(
        _ setup: String = "true",
        _ body: (TestClient, String) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let disk = directory + "/disk"
            #expect(mkdir(disk, 0o755) == 0)
            let script = """
                mount -t tmpfs -o size=256k tmpfs \(disk) && cd \(disk) && echo old > f && ln f hard \
                && head -c 200000 /dev/zero | tr '\\0' x > g && \(setup) && exec "$0" "$@"
                """
            try await withServerProcess(
                ["--unix-socket", directory + "/socket", "--working-dir", directory],
                wrapper: ["unshare", "-rm", "sh", "-c", script]
            ) { process in
                #expect(try process.firstLine() == "listening on \(directory)/socket")
                try await body(try await TestClient(.unix(path: directory + "/socket")), disk)
            }
        }
    }

    private func perform(_ client: TestClient, _ kind: String, _ arguments: JSONObject) async throws -> String {
        let action: JSONObject = ["action": .string(kind), "args": .object(arguments)]
        let body = JSONValue.object(["action": .object(action)]).description
        let response = try await client.request("POST", "/execute_action", body: body)
        #expect(response.status == 200)
        return try #require(try response.json["content"]?.stringValue)
    }

    private func edit(_ client: TestClient, _ path: String, _ old: String, _ new: String) async throws -> String {
        try await perform(
            client,
            "edit",
            ["path": .string(path), "command": "str_replace", "old_str": .string(old), "new_str": .string(new)]
        )
    }

    @Test("On a full disk an edit is an error, and the file is what it was")
    func fullDisk() async throws {
        try await withSmallDisk { client, disk in
            let large = String(repeating: "y", count: 100_000)
            // A new file doesn't fit, nor does a file that has another name, and is written where it is.
            for path in [disk + "/g", disk + "/f", disk + "/hard"] {
                let before = try await perform(client, "read", ["path": .string(path)])
                let old = path.hasSuffix("g") ? String(repeating: "x", count: 200_000) : "old"
                let failure = try await edit(client, path, old, old + large)
                #expect(failure.hasPrefix("ERROR:\nRan into [Errno 28] No space left on device: '\(path)' while"))
                #expect(try await perform(client, "read", ["path": .string(path)]) == before)
            }
            #expect(
                try await perform(client, "write", ["path": .string(disk + "/new"), "content": .string(large)])
                    .contains("No space left")
            )
            let listing = try await client.run("ls -A1 \(disk)")
            #expect(listing == "f\ng\nhard")
            #expect(try await edit(client, disk + "/f", "old", "new").hasPrefix("The file"))
            #expect(try await client.run("cat \(disk)/hard") == "new")
        }
    }

    @Test("On a file system that can't be written to, an edit is an error that says so")
    func readOnly() async throws {
        try await withSmallDisk("mount -o remount,ro \"$PWD\"") { client, disk in
            let failure = try await edit(client, disk + "/f", "old", "new")
            #expect(
                failure
                    == "ERROR:\nRan into [Errno 30] Read-only file system: '\(disk)/f' while trying to write to \(disk)/f"
            )
            let created = try await perform(
                client,
                "edit",
                ["path": .string(disk + "/new"), "command": "create", "file_text": "x"]
            )
            #expect(created.hasPrefix("ERROR:\nRan into [Errno 30] Read-only file system: '\(disk)/new'"))
            #expect(try await client.run("cat \(disk)/f") == "old")
        }
    }
}
#endif
