import Foundation
import TestSupport
import Testing

@testable import Archives

/// A folder to unpack into, beside one that nothing may change.
struct Fixture {
    let root: URL

    var target: URL { root.appending(path: "target") }
    var outside: URL { root.appending(path: "outside") }

    /// Unpacks an archive into the target.
    @discardableResult
    func unpack(
        _ archive: [UInt8],
        options: UnpackingOptions = UnpackingOptions()
    ) async throws -> ArchiveReceiver.Summary {
        let receiver = try ArchiveReceiver(folder: Array(target.path.utf8), options: options)
        try await receiver.append(archive)
        return try #require(try await receiver.finish())
    }

    /// Packs what is at a path below the root.
    func pack(
        _ path: String,
        _ options: ArchiveProducer.Options = ArchiveProducer.Options()
    ) async throws -> [UInt8] {
        let producer = try ArchiveProducer(packing: Array(root.appending(path: path).path.utf8), options: options)
        var archive: [UInt8] = []
        while let piece = try await producer.next() { archive += piece }
        return archive
    }

    /// Makes a file, and the folders above it.
    func write(_ path: String, _ content: String = "", permissions: Int = 0o644) throws {
        let url = root.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content.utf8).write(to: url)
        guard chmod(url.path, mode_t(permissions)) == 0 else { throw POSIXError(.EIO) }
    }

    func link(_ path: String, to target: String) throws {
        let url = root.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        guard symlink(target, url.path) == 0 else { throw POSIXError(.EIO) }
    }

    func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    func permissions(_ path: String) throws -> Int {
        var status = stat()
        guard lstat(root.appending(path: path).path, &status) == 0 else { throw POSIXError(.ENOENT) }
        return Int(status.st_mode) & 0o7777
    }

    /// All that is below a path, by its path: the content of files, "/" for folders, "-> target" for links.
    func contents(_ path: String) throws -> [String: String] {
        guard let root = try? Folder(path: Array(self.root.appending(path: path).path.utf8)) else { return [:] }
        var found: [String: String] = [:]
        func visit(_ folder: Folder, _ prefix: String) throws {
            for name in try folder.names() {
                let path = prefix + printable(name)
                switch try folder.status(of: name)?.kind {
                case .folder:
                    found[path] = "/"
                    try visit(try folder.folder(name), path + "/")
                case .symbolicLink: found[path] = "-> " + String(decoding: try folder.linkTarget(name), as: UTF8.self)
                default: found[path] = String(decoding: try folder.file(name).read(atMost: 1 << 20), as: UTF8.self)
                }
            }
        }
        try visit(root, "")
        return found
    }
}

func withFixture(_ body: (Fixture) async throws -> Void) async throws {
    try await withTemporaryDirectory { root in
        let fixture = Fixture(root: root)
        try fixture.write("outside/secret", "untouched")
        try await body(fixture)
    }
}

/// An archive as a file that a reader can be made of.
func withReader<Result>(
    _ archive: [UInt8],
    limits: ArchiveLimits = ArchiveLimits(),
    _ body: (ZipReader) throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { root in
        let file = try Folder(path: Array(root.path.utf8)).makeFile(Array("archive".utf8))
        try file.write(archive)
        return try body(try ZipReader(file, limits: limits))
    }
}

/// The entries of an archive with their content, all of it read.
func entries(_ archive: [UInt8], limits: ArchiveLimits = ArchiveLimits()) async throws -> [(ZipEntry, [UInt8])] {
    try await withReader(archive, limits: limits) { reader in
        var found: [(ZipEntry, [UInt8])] = []
        try reader.forEachEntry { entry throws(ArchiveError) in
            var content: [UInt8] = []
            try reader.read(entry) { piece throws(ArchiveError) in content += piece }
            found.append((entry, content))
        }
        return found
    }
}

/// Random numbers that are the same in every run: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
