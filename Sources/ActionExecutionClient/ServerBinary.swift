public import Foundation

/// Finds the program of the execution server.
public enum ServerBinary {
    /// The name of the program's file.
    public static let name = "action-execution-server"

    /// Where the program is to run.
    public enum Target: Sendable, Hashable {
        /// On this machine.
        case thisMachine
        /// In a container of any image: a static Linux program is needed.
        case container
    }

    /// Finds the program: where `configured` says, else where `ACTION_EXECUTION_SERVER` says, else beside the running
    /// program, else where `scripts/build-server` puts it, below the current directory.
    ///
    /// - Returns: an absolute path.
    /// - Throws: ``RuntimeError/serverBinaryNotFound(searched:)``, which says what was wrong with each place.
    public static func find(
        configured: String? = nil,
        for target: Target,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(RuntimeError) -> String {
        var searched: [String] = []
        for candidate in candidates(configured: configured, environment: environment) {
            let path = URL(fileURLWithPath: candidate).standardizedFileURL.path
            if !FileManager.default.isExecutableFile(atPath: path) {
                searched.append("\(path) (no program)")
            } else if target == .container, !isStaticLinuxProgram(path) {
                searched.append("\(path) (not a static Linux program)")
            } else {
                return path
            }
        }
        throw .serverBinaryNotFound(searched: searched)
    }

    private static func candidates(configured: String?, environment: [String: String]) -> [String] {
        // What is asked for by name and not there is an error, not a reason to take another.
        if let configured { return [configured] }
        if let named = environment["ACTION_EXECUTION_SERVER"], !named.isEmpty { return [named] }
        var candidates: [String] = []
        if let program = CommandLine.arguments.first {
            let directory = URL(fileURLWithPath: program).resolvingSymlinksInPath().deletingLastPathComponent()
            candidates.append(directory.appendingPathComponent(name).path)
        }
        return candidates + [".build-server/\(name)"]
    }

    /// Whether a file is a 64-bit little-endian ELF program that asks for no interpreter (ELF specification, program
    /// headers; `PT_INTERP` is 3).
    private static func isStaticLinuxProgram(_ path: String) -> Bool {
        guard let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)),
            let head = try? file.read(upToCount: 64 * 1024)
        else { return false }
        let bytes = [UInt8](head)
        func number(at offset: Int, size: Int) -> Int? {
            guard offset >= 0, offset + size <= bytes.count else { return nil }
            return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), let table = number(at: 32, size: 4),
            let size = number(at: 54, size: 2), let count = number(at: 56, size: 2)
        else { return false }
        return (0..<count).allSatisfy { index in
            guard let type = number(at: table + index * size, size: 4) else { return false }
            return type != 3
        }
    }
}
