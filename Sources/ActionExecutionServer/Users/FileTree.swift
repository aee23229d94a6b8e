#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Whose a file is made.
struct FileOwner: Equatable, Sendable {
    var user: uid_t
    var group: gid_t

    /// Makes a file this owner's; of a symbolic link, the link.
    func give(_ path: String) throws(SystemError) {
        guard lchown(path, user, group) == 0 else { throw SystemError("give \(path) to the user \(user)") }
    }
}

/// What is done to directories with all that is in them, as root: no symbolic link is followed.
enum FileTree {
    /// Copies directories, files and links, but nothing that is there; without a source it makes an empty directory.
    static func copy(_ source: String, to target: String, owner: FileOwner?) throws(SystemError) {
        guard mkdir(target, 0o755) == 0 else { throw SystemError("make the directory \(target)") }
        try owner?.give(target)
        for name in names(in: source) {
            let (from, to) = ("\(source)/\(name)", "\(target)/\(name)")
            var status = stat()
            guard lstat(from, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try copy(from, to: to, owner: owner)
            case S_IFREG: try copyFile(from, to: to, mode: status.st_mode & 0o777, owner: owner)
            case S_IFLNK: try copyLink(from, to: to, owner: owner)
            default: continue
            }
        }
    }

    private static func copyFile(_ from: String, to: String, mode: mode_t, owner: FileOwner?) throws(SystemError) {
        let bytes: [UInt8]
        do throws(FileAccess.Failure) {
            bytes = try FileAccess.read(from, limit: 64 << 20)
        } catch {
            throw error.systemError("copy \(from)")
        }
        try writeFile(to, bytes, mode: mode)
        try owner?.give(to)
    }

    private static func copyLink(_ from: String, to: String, owner: FileOwner?) throws(SystemError) {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlink(from, &buffer, buffer.count - 1) >= 0, symlink(buffer, to) == 0 else {
            throw SystemError("copy the link \(from)")
        }
        try owner?.give(to)
    }

    /// Gives a directory and what is in it to a user, as far as it belongs to root or to the directory's owner.
    ///
    /// - Parameter excluded: directories that are left alone with all that is in them, such as mounts.
    static func give(_ directory: String, to owner: FileOwner, excluding excluded: Set<String>) throws(SystemError) {
        var status = stat()
        guard lstat(directory, &status) == 0 else { throw SystemError("look at \(directory)") }
        let earlier: Set<uid_t> = [0, status.st_uid]
        var open = [directory]
        while let path = open.popLast() {
            guard lstat(path, &status) == 0 else { continue }
            if earlier.contains(status.st_uid) { try owner.give(path) }
            guard status.st_mode & S_IFMT == S_IFDIR else { continue }
            let base = path == "/" ? "" : path
            open += names(in: path).map { "\(base)/\($0)" }.filter { !excluded.contains($0) }
        }
    }

    /// The names in a directory; none when it can't be read.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let next = readdir(stream) {
            let name = withUnsafePointer(to: &next.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

extension FileAccess.Failure {
    /// What the system said, or that it isn't a file to work with.
    func systemError(_ operation: String) -> SystemError {
        if case .system(let error) = self { return error }
        return SystemError(operation, code: EINVAL)
    }
}
