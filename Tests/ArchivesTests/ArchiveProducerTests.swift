import Foundation
import Testing

@testable import Archives

/// What becomes of a folder in an archive.
@Suite(.timeLimit(.minutes(5)))
struct ArchiveProducerTests {
    @Test("A folder comes back as it was", arguments: [ZipWriter.Compression.stored, .deflated])
    func roundTrip(_ compression: ZipWriter.Compression) async throws {
        try await withFixture { fixture in
            try fixture.write("source/a", "1", permissions: 0o755)
            try fixture.write("source/d/e/f", String(repeating: "deep ", count: 200_000), permissions: 0o600)
            try fixture.write("source/d/none")
            try FileManager.default.createDirectory(
                at: fixture.root.appending(path: "source/empty"),
                withIntermediateDirectories: false
            )
            try fixture.link("source/d/link", to: "e/f")
            let archive = try await fixture.pack("source", .init(compression: compression))
            try await fixture.unpack(archive)
            #expect(try fixture.contents("target") == (try fixture.contents("source")))
            #expect(try fixture.permissions("target/a") == 0o755)
            #expect(try fixture.permissions("target/d/e/f") == 0o600)
            #expect(try await fixture.pack("source", .init(compression: compression)) == archive)
        }
    }

    @Test("A file is the only entry of its archive, also through a link; pipes and what isn't there are refused")
    func roots() async throws {
        try await withFixture { fixture in
            try fixture.write("file", "content")
            try fixture.link("link", to: "file")
            #expect(try await entries(try await fixture.pack("file")).map(\.0.name) == [Array("file".utf8)])
            let linked = try await entries(try await fixture.pack("link"))
            #expect(linked.map(\.1) == [Array("content".utf8)])
            #expect(mkfifo(fixture.root.appending(path: "pipe").path, 0o600) == 0)
            await #expect(throws: ArchiveError.self) { _ = try await fixture.pack("pipe") }
            let missing = await #expect(throws: ArchiveError.self) { _ = try await fixture.pack("missing") }
            #expect(missing?.isMissing == true)
        }
    }

    @Test("What can't be packed is left out and told, or fails when that is asked for")
    func problems() async throws {
        try await withFixture { fixture in
            try fixture.write("source/a", "1")
            try fixture.write("source/z", "2")
            #expect(mkfifo(fixture.root.appending(path: "source/pipe").path, 0o600) == 0)
            let deep = (0..<300).map { _ in "d" }.joined(separator: "/")
            try fixture.write("source/\(deep)/x", "3")
            let archive = try await fixture.pack("source", .init(problems: .leaveOut))
            let names = try await entries(archive).map { printable($0.0.name) }
            #expect(names.first == "a" && names.last == "z" && !names.contains("pipe"))
            let notes = try await withReader(archive) { ArchiveNotes.notes(in: $0.comment) }
            #expect(notes.count == 2)
            #expect(notes.contains("pipe is a named pipe, which can't be copied"))
            #expect(notes.contains { $0.hasPrefix("d/d/") && $0.contains("more than 256 folders deep") })
            let failure = await #expect(throws: ArchiveError.self) { _ = try await fixture.pack("source") }
            #expect(failure?.description.contains("256 folders deep") == true)
        }
    }

    @Test("Links that lead out are packed, refused or left out, as is asked for")
    func links() async throws {
        try await withFixture { fixture in
            try fixture.write("source/a", "1")
            try fixture.link("source/in", to: "a")
            try fixture.link("source/out", to: "/etc/passwd")
            func names(_ links: ArchiveProducer.LinkPolicy) async throws -> [String] {
                try await entries(try await fixture.pack("source", .init(links: links))).map { printable($0.0.name) }
            }
            #expect(try await names(.keepAll) == ["a", "in", "out"])
            #expect(try await names(.leaveOutEscaping) == ["a", "in"])
            let failure = await #expect(throws: ArchiveError.self) { _ = try await names(.refuseEscaping) }
            #expect(failure?.description == "out is a symbolic link that leads out of the folder, to /etc/passwd")
        }
    }

    @Test(
        "A file that grows is packed as long as it was, one that shrinks as far as it is there, one that goes is left out"
    )
    func changes() async throws {
        try await withFixture { fixture in
            let size = 3 << 20
            let text = String(repeating: "x", count: size)
            for name in ["a", "b", "c", "d"] { try fixture.write("source/\(name)", text) }
            let path = fixture.root.appending(path: "source").path
            let producer = try ArchiveProducer(packing: Array(path.utf8), options: .init())
            // With the first piece, "a" is open and nothing else.
            var archive = try #require(try await producer.next())
            let growing = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/a"))
            try growing.seekToEnd()
            try growing.write(contentsOf: Data(text.utf8))
            try FileManager.default.removeItem(atPath: path + "/c")
            try FileManager.default.removeItem(atPath: path + "/d")
            try FileManager.default.createDirectory(atPath: path + "/d", withIntermediateDirectories: false)
            while let piece = try await producer.next() {
                archive += piece
                // When "b" has begun, all but its beginning goes.
                if archive.count > size + size / 2 { #expect(truncate(path + "/b", 16) == 0) }
            }
            let packed = try await entries(archive)
            #expect(packed.map { printable($0.0.name) } == ["a", "b", "d/"])
            #expect(packed[0].1.count == size)
            #expect((16..<size).contains(packed[1].1.count))
        }
    }

    @Test("Packing and unpacking hold a few pieces of a file in memory, however large it is")
    func memory() async throws {
        try await withFixture { fixture in
            // 200 MB that take no place on the disk; more when asked for.
            let megabytes = ProcessInfo.processInfo.environment["LARGE_FILE_MB"].flatMap { Int($0) } ?? 200
            try fixture.write("source/sparse")
            #expect(truncate(fixture.root.appending(path: "source/sparse").path, off_t(megabytes) << 20) == 0)
            let producer = try ArchiveProducer(
                packing: Array(fixture.root.appending(path: "source").path.utf8),
                options: .init()
            )
            let receiver = try ArchiveReceiver(folder: Array(fixture.target.path.utf8), options: .init())
            var largest = 0
            while let piece = try await producer.next() {
                largest = max(largest, piece.count)
                try await receiver.append(piece)
            }
            #expect(try await receiver.finish()?.size == UInt64(megabytes) << 20)
            #expect(largest < 1 << 20)
            let file = try Folder(path: Array(fixture.target.path.utf8)).file(Array("sparse".utf8))
            #expect(try file.status().size == UInt64(megabytes) << 20)
        }
    }
}
