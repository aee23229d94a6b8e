#if os(Linux)
import Foundation
import Testing

/// A file system in memory of a chosen size, which really fills up and really can't be written to.
///
/// It is mounted by a process in a mount namespace of its own, which needs no rights where users may have namespaces, and is reached through
/// that process's root. Nothing is left when the process ends, which is when this one does at the latest.
struct SmallFileSystem {
    /// Its directory.
    let path: String
    private let process: Process
    private let input: FileHandle
    private let output: FileHandle

    /// Commands come line by line, and each is answered with how it ended.
    private static let script = """
        mount -t tmpfs -o "$2" tmpfs "$1" || exit
        echo mounted
        while read -r options; do
            mount -o "remount,$options" "$1" && echo remounted || echo refused
        done
        """

    fileprivate init(at mountPoint: String, options: String) throws {
        process = Process()
        let (stdin, stdout) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        let namespaces = geteuid() == 0 ? ["--mount"] : ["--mount", "--user", "--map-root-user"]
        process.arguments = ["unshare"] + namespaces + ["sh", "-c", Self.script, "sh", mountPoint, options]
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        input = stdin.fileHandleForWriting
        output = stdout.fileHandleForReading
        path = "/proc/\(process.processIdentifier)/root\(mountPoint)"
        try #require(answer() == "mounted", "no file system could be mounted; allow user namespaces, or run as root")
    }

    /// Changes options of the mount, such as `ro`.
    func remount(_ options: String) throws {
        try input.write(contentsOf: Data((options + "\n").utf8))
        try #require(answer() == "remounted")
    }

    fileprivate func end() {
        try? input.close()
        process.terminate()
    }

    private func answer() -> String {
        var text = ""
        while let byte = try? output.read(upToCount: 1), let first = byte.first, first != UInt8(ascii: "\n") {
            text.unicodeScalars.append(Unicode.Scalar(first))
        }
        return text
    }
}

/// Calls a function with a file system of its own.
///
/// - Parameter options: Of the mount, such as `size=1m`; see tmpfs(5).
func withSmallFileSystem<Result>(
    _ options: String,
    _ body: (SmallFileSystem) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let fileSystem = try SmallFileSystem(at: directory, options: options)
        defer { fileSystem.end() }
        return try await body(fileSystem)
    }
}
#endif
