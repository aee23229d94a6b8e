import Foundation
import Testing

@testable import Archives

/// What archives may and may not make where they are unpacked.
@Suite(.timeLimit(.minutes(5)))
struct UnpackingTests {
    typealias Entry = HandMadeArchive.Entry

    /// Unpacks entries that must be refused, and checks that nothing appeared anywhere.
    private func expectRefusal(
        _ words: String,
        _ entries: [Entry],
        options: UnpackingOptions = UnpackingOptions(),
        prepare: (Fixture) throws -> Void = { _ in },
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await withFixture { fixture in
            try prepare(fixture)
            let before = try fixture.contents("")
            let error = await #expect(throws: ArchiveError.self, sourceLocation: location) {
                try await fixture.unpack(HandMadeArchive(entries).bytes, options: options)
            }
            #expect(
                "\(String(describing: error))".contains(words) || "\(error?.description ?? "")".contains(words),
                "\(error?.description ?? "nothing")",
                sourceLocation: location
            )
            #expect(try fixture.contents("") == before, sourceLocation: location)
        }
    }

    @Test(
        "Names that lead out are refused, and nothing of the archive is written",
        arguments: [
            ("../x", "climbs out"), ("a/../../x", "climbs out"), ("a/..", "climbs out"), ("..", "climbs out"),
            ("/etc/x", "absolute"), ("//x", "absolute"), ("a\0b", "zero byte"), ("", "no name"), (".", "no name"),
            ("./.", "no name"),
        ]
    )
    func hostileNames(_ name: String, _ words: String) async throws {
        try await expectRefusal(words, [Entry("good", "good"), Entry(name, "evil")])
        try await expectRefusal(words == "no name" ? "" : words, [Entry("good/"), Entry(name, "evil"), Entry("x", "")])
    }

    @Test("Backslashes and drive letters are refused from systems where they mean something, and are names from others")
    func windowsNames() async throws {
        for name in ["..\\x", "a\\b", "C:x", "c:\\x"] {
            var entry = Entry(name, "text")
            for system in [0, 10, 11, 14] as [UInt16] {
                entry.madeBy = system << 8
                try await expectRefusal("its path", [entry])
            }
            try await withFixture { fixture in
                try await fixture.unpack(HandMadeArchive([Entry(name, "text")]).bytes)
                #expect(try fixture.contents("target") == [name: "text"])
            }
        }
    }

    @Test("Nothing goes through a link, whether the archive made it or it was there, whatever it leads to")
    func throughLinks() async throws {
        try await expectRefusal("leads through the symbolic link", [.link("l", to: "d"), Entry("l/x", "evil")])
        try await expectRefusal(
            "leads through the symbolic link",
            [Entry("d/", mode: 0o040755), .link("d/l", to: "../d"), Entry("d/l/x", "evil")]
        )
        for target in ["../outside", "folder"] {
            try await expectRefusal("is a symbolic link", [Entry("good"), Entry("l/secret", "evil")]) { fixture in
                try fixture.write("target/folder/secret", "mine")
                try fixture.link("target/l", to: target)
            }
        }
    }

    @Test("A link in the place of a file is replaced, and what it led to stays")
    func replacedLink() async throws {
        try await withFixture { fixture in
            try fixture.link("target/l", to: "../outside/secret")
            try await fixture.unpack(HandMadeArchive([Entry("l", "new")]).bytes)
            #expect(try fixture.contents("target") == ["l": "new"])
            #expect(try fixture.text("outside/secret") == "untouched")
        }
    }

    @Test(
        "Links that lead out are refused",
        arguments: [
            ("l", "/etc/passwd"), ("l", ".."), ("l", "../x"), ("d/l", "../../x"), ("l", "d/../.."), ("d/l", "x/.."),
            ("l", ""), ("l", "./.."),
        ]
    )
    func escapingLinks(_ name: String, _ target: String) async throws {
        try await expectRefusal("leads out of the folder", [Entry("good"), .link(name, to: target)])
        try await withFixture { fixture in
            var options = UnpackingOptions()
            options.links = .leaveOutEscaping
            let summary = try await fixture.unpack(
                HandMadeArchive([Entry("good"), .link(name, to: target)]).bytes,
                options: options
            )
            #expect(try fixture.contents("target")["good"] == "")
            #expect(try fixture.contents("target")[name] == nil)
            #expect(summary.leftOut == ["\(name) is a symbolic link that leads out of the folder, to \(target)"])
        }
    }

    @Test("Links that stay inside are made")
    func innerLinks() async throws {
        try await withFixture { fixture in
            let links: [Entry] = [
                .link("a", to: "d/x"), .link("d/b", to: "x"), .link("d/c", to: "../e/./y"), .link("dangling", to: "no"),
            ]
            try await fixture.unpack(HandMadeArchive(links + [Entry("d/x", "1"), Entry("e/y", "2")]).bytes)
            #expect(
                try fixture.contents("target") == [
                    "a": "-> d/x", "d": "/", "d/b": "-> x", "d/c": "-> ../e/./y", "dangling": "-> no", "d/x": "1",
                    "e": "/", "e/y": "2",
                ]
            )
        }
    }

    @Test("A name that appears twice, or is both a file and a folder, is refused in every order")
    func doubles() async throws {
        try await expectRefusal("appears twice", [Entry("x", "1"), Entry("x", "2")])
        try await expectRefusal("appears twice", [Entry("d/./x", "1"), Entry("d//x", "2")])
        try await expectRefusal("appears twice", [.link("x", to: "y"), .link("x", to: "z")])
        try await expectRefusal("appears twice", [.link("x", to: "y"), Entry("x", "evil")])
        try await expectRefusal("appears twice", [Entry("d/", mode: 0o040755), Entry("d/", mode: 0o040700)])
        try await expectRefusal("both", [Entry("x", "1"), Entry("x/y", "2")])
        try await expectRefusal("both", [Entry("x/y", "1"), Entry("x", "2")])
        try await expectRefusal("both", [Entry("x", "1"), Entry("x/", mode: 0o040755)])
        try await expectRefusal("both", [Entry("x/", mode: 0o040755), Entry("x", "1")])
    }

    @Test("Devices, pipes and sockets are refused", arguments: [0o010644, 0o020644, 0o060644, 0o140644] as [UInt16])
    func specialFiles(_ mode: UInt16) async throws {
        try await expectRefusal("a device, a pipe or a socket", [Entry("x", "", mode: mode)])
    }

    @Test("An archive that turns out damaged at its end leaves nothing of its beginning, nor folders made for it")
    func atomicity() async throws {
        var bad = Entry("z", "text")
        bad.checksum ^= 1
        bad.localChecksum = bad.checksum
        try await expectRefusal("checksum", [Entry("a/b/c", "good"), bad])
        try await expectRefusal("checksum", [Entry("a/b/c", "good"), bad]) { fixture in
            try fixture.write("target/a/b/c", "old")
        }
        try await withFixture { fixture in
            let deep = Fixture(root: fixture.root.appending(path: "made/for/it"))
            await #expect(throws: ArchiveError.self) { try await deep.unpack([1, 2, 3]) }
            let left = try fixture.contents("")
            #expect(left == ["outside": "/", "outside/secret": "untouched"])
        }
    }

    @Test(
        "Content is merged into what is there; files replace files, and what is in the way is named before anything moves"
    )
    func merging() async throws {
        let archive = HandMadeArchive([Entry("a/new", "1"), Entry("a/old", "2"), Entry("b", "3")]).bytes
        try await withFixture { fixture in
            try fixture.write("target/a/old", "0", permissions: 0o600)
            try fixture.write("target/a/other", "kept")
            let summary = try await fixture.unpack(archive)
            #expect(summary == ArchiveReceiver.Summary(entryCount: 3, size: 3, leftOut: []))
            #expect(
                try fixture.contents("target") == ["a": "/", "a/new": "1", "a/old": "2", "a/other": "kept", "b": "3"]
            )
        }
        try await expectRefusal("b is a folder", [Entry("a/new", "1"), Entry("b", "3")]) { fixture in
            try fixture.write("target/b/x", "mine")
        }
        try await expectRefusal("a is there and no folder", [Entry("0"), Entry("a/new", "1")]) { fixture in
            try fixture.write("target/a", "mine")
        }
    }

    @Test("Modes are kept as far as they harm nobody, and times in UTC")
    func attributes() async throws {
        var dated = Entry("dated", "x", mode: 0o100444)
        dated.extra.append(little: UInt16(0x5455))
        dated.extra.append(little: UInt16(5))
        dated.extra.append(1)
        dated.extra.append(little: Int32(1_000_000_000))
        var fromWindows = Entry("windows", "x", mode: 0)
        fromWindows.madeBy = 0
        let archive = HandMadeArchive([
            Entry("program", "x", mode: 0o104777), Entry("private", "x", mode: 0o100600), dated, fromWindows,
            Entry("d/", mode: 0o040500), Entry("open/", mode: 0o041777), Entry("implied/x", "x"),
        ])
        try await withFixture { fixture in
            try await fixture.unpack(archive.bytes)
            func mode(_ name: String) throws -> String { String(try fixture.permissions("target/" + name), radix: 8) }
            #expect(try mode("program") == "755")
            #expect(try mode("private") == "600")
            #expect(try mode("dated") == "444")
            #expect(try mode("windows") == "644")
            #expect(try mode("d") == "700")
            #expect(try mode("open") == "755")
            #expect(try mode("implied") == "755")
            let file = try Folder(path: Array(fixture.target.path.utf8)).file(Array("dated".utf8))
            #expect(try file.status().modificationTime == 1_000_000_000)
        }
    }

    @Test("With a prefix all goes into one folder, which links don't lead out of")
    func prefix() async throws {
        var options = UnpackingOptions()
        options.prefix = Array("copy".utf8)
        try await withFixture { fixture in
            try await fixture.unpack(
                HandMadeArchive([Entry("d/x", "1"), .link("d/l", to: "../d")]).bytes,
                options: options
            )
            #expect(
                try fixture.contents("target") == ["copy": "/", "copy/d": "/", "copy/d/x": "1", "copy/d/l": "-> ../d"]
            )
        }
        try await expectRefusal("leads out", [.link("l", to: "../x")], options: options)
        options.prefix = Array("../outside".utf8)
        try await expectRefusal("", [Entry("secret", "evil")], options: options)
    }

    #if os(Linux)
    @Test("What can't be moved across file systems is copied")
    func acrossFileSystems() async throws {
        try await withFixture { fixture in
            let other = "/dev/shm/archives-tests-\(UInt64.random(in: .min ... .max))"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: other) }
            try fixture.write("target/d/file", "new", permissions: 0o751)
            try fixture.link("target/d/link", to: "file")
            try fixture.write("target/top", "new")
            try Data("old".utf8).write(to: URL(fileURLWithPath: other + "/top"))
            let (source, destination) = (
                try Folder(path: Array(fixture.target.path.utf8)), try Folder(path: Array(other.utf8))
            )
            try Placement().move(source, to: destination)
            let copied = Fixture(root: URL(fileURLWithPath: other))
            #expect(try copied.contents("") == ["d": "/", "d/file": "new", "d/link": "-> file", "top": "new"])
            #expect(try copied.permissions("d/file") == 0o751)
        }
    }
    #endif
}

/// Single files that arrive.
@Suite(.timeLimit(.minutes(5)))
struct FileReceiverTests {
    private func receiver(
        _ fixture: Fixture,
        _ name: String = "file",
        permissions: UInt16? = nil
    ) throws -> FileReceiver {
        let folder = Array(fixture.target.appending(path: "new/folder").path.utf8)
        return try FileReceiver(folder: folder, name: Array(name.utf8), permissions: permissions, owner: nil)
    }

    @Test("A file appears when it is complete; until then nothing has its name")
    func file() async throws {
        try await withFixture { fixture in
            let receiver = try receiver(fixture)
            try await receiver.append(Array("some".utf8))
            #expect(try fixture.contents("target")["new/folder/file"] == nil)
            try await receiver.append(Array("thing".utf8))
            try await receiver.finish()
            #expect(try fixture.text("target/new/folder/file") == "something")
            #expect(try fixture.permissions("target/new/folder/file") == 0o644)
        }
    }

    @Test("A file that replaces one has its mode, unless it comes with one")
    func replaced() async throws {
        try await withFixture { fixture in
            try fixture.write("target/new/folder/file", "old", permissions: 0o750)
            try await receiver(fixture).finish()
            #expect(try fixture.permissions("target/new/folder/file") == 0o750)
            try await receiver(fixture, permissions: 0o700).finish()
            #expect(try fixture.permissions("target/new/folder/file") == 0o700)
        }
    }

    @Test("A file that never becomes complete leaves nothing, nor the folders that were made for it")
    func abandoned() async throws {
        try await withFixture { fixture in
            var receiver: FileReceiver? = try receiver(fixture)
            try await receiver?.append(Array("some".utf8))
            receiver = nil
            #expect(try fixture.contents("") == ["outside": "/", "outside/secret": "untouched"])
        }
    }

    @Test("A folder isn't replaced by a file, and a name is no path", arguments: ["", ".", "..", "a/b", "/a", "a/"])
    func refused(_ name: String) async throws {
        try await withFixture { fixture in
            try fixture.write("target/new/folder/file/x", "mine")
            let receiver = try receiver(fixture)
            await #expect(throws: ArchiveError.self) { try await receiver.finish() }
            #expect(throws: ArchiveError.self) { try self.receiver(fixture, name) }
            #expect(try fixture.text("target/new/folder/file/x") == "mine")
        }
    }
}
