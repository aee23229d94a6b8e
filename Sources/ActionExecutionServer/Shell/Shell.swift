#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A shell program of the image.
public struct Shell: Hashable, Sendable {
    /// Absolute path of the program.
    public var path: String
    let dialect: ShellDialect

    /// A shell by its path: bash when the file is called so, else a POSIX shell.
    public init(path: String) {
        self.path = path
        dialect = path.hasSuffix("/bash") ? .bash : .posix
    }

    /// The image's bash if it has one, else its `sh`; nil when there is neither.
    public static func find(searchPath: String) -> Shell? {
        for name in ["bash", "sh"] {
            if let path = findProgram(name, searchPath: "/bin:/usr/bin:/usr/local/bin:" + searchPath) {
                return Shell(path: path)
            }
        }
        return nil
    }
}

/// The absolute path of a program that can be executed, by the directories of a search path.
func findProgram(_ name: String, searchPath: String) -> String? {
    // By bytes: this is done for each command.
    for directory in searchPath.utf8.split(separator: UInt8(ascii: ":")) where directory.first == UInt8(ascii: "/") {
        let path = "\(Substring(directory))\(directory.last == UInt8(ascii: "/") ? "" : "/")\(name)"
        // First what fails at once in most directories.
        var status = stat()
        if access(path, X_OK) == 0, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return path }
    }
    return nil
}
