import Foundation

/// Calls a function with the path of a new directory, and takes that away after.
///
/// - Parameter isInMemory: Whether to make it on a file system in memory, where there is one: for tests that lay out the files of a crash
///   themselves, thousands of times, and needn't wait for a disk.
@discardableResult
func withTemporaryDirectory<Result>(
    inMemory isInMemory: Bool = false,
    _ body: (String) async throws -> Result
) async throws -> Result {
    let memory = URL(filePath: "/dev/shm")
    let parent =
        isInMemory && FileManager.default.isWritableFile(atPath: memory.path)
        ? memory : FileManager.default.temporaryDirectory
    let url = parent.appending(path: "event-stream-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}

/// The files of a directory.
struct DirectoryContents: Equatable {
    var files: [String: [UInt8]]

    init(_ path: String) throws {
        files = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            files[name] = try [UInt8](Data(contentsOf: URL(filePath: path).appending(path: name)))
        }
    }

    /// Makes a directory have these files and no others.
    func write(to path: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.removeItem(atPath: path + "/" + name)
        }
        for (name, bytes) in files {
            try Data(bytes).write(to: URL(filePath: path).appending(path: name))
        }
    }
}
