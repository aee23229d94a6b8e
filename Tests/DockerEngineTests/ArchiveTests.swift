import CurlHTTP
import DockerEngine
import Foundation
import Testing

@Suite("Files of a container", .timeLimit(.minutes(2)))
struct ContainerArchiveTests {
    @Test func goInAndComeOut() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            let id = try await scope.create(
                scope.request(
                    image,
                    """
                    stat -c '%n %a %u %g %F' d d/f d/link 'd/ü ö'; cat d/f d/link; sha256sum < d/large; wc -c < d/large
                    cat d/*/*/*; stat -c %Y d/f
                    """
                )
            )
            let deep = (0..<3).map { String(repeating: "\($0)", count: 60) }.joined(separator: "/")
            let file = try TemporaryFile(size: 3_000_001)
            var archive = TarArchive()
            archive.addDirectory("/d", mode: 0o750, userID: 7, groupID: 8)
            archive.addFile(
                "d/f",
                bytes: Array("content\n".utf8),
                mode: 0o640,
                userID: 7,
                groupID: 8,
                modificationTime: 1_234_567_890
            )
            archive.addSymbolicLink("d/link", to: "f")
            archive.addFile("d/ü ö", bytes: [])
            archive.addFile("d/large", from: file.path)
            archive.addFile("d/\(deep)", bytes: Array("deep\n".utf8))
            try await engine.putArchive(archive.body, into: "/", of: id, keepsOwners: true)

            let status = try await engine.pathStatus(of: "/d/f", in: id)
            #expect(status.name == "f")
            #expect(status.size == 8)
            #expect(status.permissions == 0o640)
            #expect(!status.isDirectory)
            let folder = try await engine.pathStatus(of: "/d", in: id)
            #expect(folder.isDirectory)
            let link = try await engine.pathStatus(of: "/d/link", in: id)
            #expect(link.linkTarget == "/d/f")

            try await engine.startContainer(id)
            _ = try await engine.waitContainer(id)
            let output = try await engine.containerLogs(id).collect(upTo: 10_000)
            #expect(
                String(decoding: output.stdout, as: UTF8.self) == """
                    d 750 7 8 directory
                    d/f 640 7 8 regular file
                    d/link 777 0 0 symbolic link
                    d/ü ö 644 0 0 regular empty file
                    content
                    content
                    \(try file.sha256())  -
                    3000001
                    deep
                    1234567890

                    """
            )

            let (out, body) = try await engine.getArchive(of: "/d/f", in: id)
            #expect(out.name == "f")
            let taken = try await body.collect(upTo: 1 << 20)
            #expect(taken.starts(with: "f\0".utf8))
            #expect(taken[512..<520].elementsEqual("content\n".utf8))
        }
    }

    @Test func thatAreNotThereAreNotFound() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.create(scope.request(try await scope.image(), "true"))
            let read = try await engineError { try await engine.getArchive(of: "/none", in: id) }
            #expect(read?.isNotFound == true)
            let status = try await engineError { try await engine.pathStatus(of: "/none", in: id) }
            #expect(status?.isNotFound == true)
            let write = try await engineError { try await engine.putArchive(TarArchive().body, into: "/none", of: id) }
            #expect(write?.isNotFound == true)
        }
    }

    @Test func thatCannotBeReadFailWithTheirName() async throws {
        try await withEngine { engine, scope in
            let id = try await scope.create(scope.request(try await scope.image(), "true"))
            var archive = TarArchive()
            archive.addFile("f", from: "/nonexistent/file")
            await #expect(throws: TarArchive.Problem.unreadable(path: "/nonexistent/file", systemErrorNumber: 2)) {
                try await engine.putArchive(archive.body, into: "/", of: id)
            }
        }
    }
}

@Suite("A tar archive")
struct TarArchiveTests {
    /// Unpacks with the system's tar and returns its listing.
    private func unpack(_ archive: TarArchive, into folder: String) async throws -> String {
        var bytes: [UInt8] = []
        for try await chunk in archive.chunks { bytes += chunk }
        #expect(bytes.count % 512 == 0)
        try Data(bytes).write(to: URL(filePath: folder + ".tar"))
        defer { try? FileManager.default.removeItem(atPath: folder + ".tar") }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try run("tar", "-xpvf", folder + ".tar", "-C", folder)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tar-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    @Test func isWhatTarUnpacks() async throws {
        try await withFolder { folder in
            let long = String(repeating: "n", count: 200)
            let file = try TemporaryFile(size: 600_000, permissions: 0o754)
            var archive = TarArchive()
            archive.addDirectory("a")
            archive.addFile("a/exactly-\(String(repeating: "x", count: 90))", bytes: [1])
            archive.addFile("a/\(long)", bytes: [2])
            archive.addFile("a/ü", bytes: [3], mode: 0o600)
            archive.addSymbolicLink("a/link", to: long)
            archive.addHardLink("a/hard", to: "a/ü")
            archive.addFile("a/file", from: file.path)
            archive.addFile("a/block", bytes: [UInt8](repeating: 4, count: 512))
            archive.addFile("a/empty", from: "/dev/null/..", mode: 0o644)
            await #expect(throws: TarArchive.Problem.self) { for try await _ in archive.chunks {} }

            archive = TarArchive()
            archive.addDirectory("a")
            archive.addFile("a/exactly-\(String(repeating: "x", count: 90))", bytes: [1])
            archive.addFile("a/\(long)", bytes: [2])
            archive.addFile("a/ü", bytes: [3], mode: 0o600)
            archive.addSymbolicLink("a/link", to: long)
            archive.addHardLink("a/hard", to: "a/ü")
            archive.addFile("a/file", from: file.path)
            archive.addFile("a/block", bytes: [UInt8](repeating: 4, count: 512))
            _ = try await unpack(archive, into: folder)

            let manager = FileManager.default
            let names = try manager.contentsOfDirectory(atPath: folder + "/a").sorted()
            #expect(
                names
                    == ["block", "exactly-" + String(repeating: "x", count: 90), "file", "hard", "link", long, "ü"]
                    .sorted()
            )
            #expect(manager.contents(atPath: "\(folder)/a/\(long)") == Data([2]))
            #expect(manager.contents(atPath: "\(folder)/a/hard") == Data([3]))
            #expect(manager.contents(atPath: "\(folder)/a/file") == manager.contents(atPath: file.path))
            #expect(manager.contents(atPath: "\(folder)/a/block") == Data(repeating: 4, count: 512))
            let target = try manager.destinationOfSymbolicLink(atPath: "\(folder)/a/link")
            #expect(target == long)
            for (name, mode) in [("ü", 0o600), ("file", 0o754)] {
                let attributes = try manager.attributesOfItem(atPath: "\(folder)/a/\(name)")
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
        }
    }

    /// Numbers that don't fit the fixed fields go into an extended header.
    @Test func listsLargeNumbers() async throws {
        try await withFolder { folder in
            var archive = TarArchive()
            archive.addFile("f", bytes: [], userID: 3_000_000, groupID: 4_000_000, modificationTime: -1000)
            var bytes: [UInt8] = []
            for try await chunk in archive.chunks { bytes += chunk }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: folder + "/a.tar"))
            let listing = try run("tar", "--numeric-owner", "-tvf", folder + "/a.tar")
            #expect(listing.contains("3000000/4000000") || listing.contains("3000000 4000000"))
            #expect(listing.contains("1969"))
        }
    }

    @Test func comesInChunksHoweverLargeItsFiles() async throws {
        let file = try TemporaryFile(size: 5_000_000)
        var archive = TarArchive()
        archive.addFile("f", from: file.path)
        var (total, largest) = (0, 0)
        for try await chunk in archive.chunks {
            total += chunk.count
            largest = max(largest, chunk.count)
        }
        #expect(largest <= 300_000)
        #expect(total == 512 + 5_000_192 + 1024)
    }

    @Test func withoutEntriesIsItsTrailer() async throws {
        var bytes: [UInt8] = []
        for try await chunk in TarArchive().chunks { bytes += chunk }
        #expect(bytes == [UInt8](repeating: 0, count: 1024))
    }

    @Test func refusesFoldersAsFiles() async throws {
        var archive = TarArchive()
        archive.addFile("f", from: "/tmp")
        await #expect(throws: TarArchive.Problem.notAFile(path: "/tmp")) { for try await _ in archive.chunks {} }
    }
}

/// A file of arbitrary bytes that goes when it is let go.
final class TemporaryFile: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "file-\(UUID())").path

    init(size: Int, permissions: Int = 0o644) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        try Data(bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func sha256() throws -> String {
        String(try run("sha256sum", path).prefix(64))
    }
}

/// Runs a program of the host to its end and returns its output.
func run(_ arguments: String...) throws -> String {
    struct Failure: Error { var text: String }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(text: text) }
    return text
}
