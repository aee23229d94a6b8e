#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Calls on directories and names.
enum Directory {
    /// Makes a directory, and those it is in, where they aren't there.
    static func create(_ path: String) throws(EventStoreError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard mkdir(part, 0o700) != 0, errno != EEXIST else { continue }
            let number = errno
            // A directory above may be one that can't be written to and is there all the same.
            if end < path.endIndex, access(part, F_OK) == 0 { continue }
            throw .system(number, "create the directory", part)
        }
    }

    /// The names of the files in a directory, in no order.
    static func names(in path: String) throws(EventStoreError) -> [String] {
        guard let directory = opendir(path) else { throw .system(errno, "list", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw .system(errno, "list", path) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
    }

    /// Whether there is something of that name.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Takes away a file; it is no error when there is none.
    static func remove(_ path: String) throws(EventStoreError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw .system(errno, "remove", path)
    }

    /// Gives a file another name, in place of a file that has it.
    static func rename(_ path: String, to newPath: String) throws(EventStoreError) {
        #if canImport(Glibc)
        let result = Glibc.rename(path, newPath)
        #elseif canImport(Musl)
        let result = Musl.rename(path, newPath)
        #elseif canImport(Darwin)
        let result = Darwin.rename(path, newPath)
        #endif
        guard result == 0 else { throw .system(errno, "rename", path) }
    }

    /// Waits until the names of new files are on the disk.
    static func synchronize(_ path: String) throws(EventStoreError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(errno, "synchronize", path) }
    }
}

extension Directory {
    /// Whether the path is a directory's.
    static func isDirectory(_ path: String) throws(EventStoreError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(errno, "look at", path) }
        return status.st_mode & S_IFMT == S_IFDIR
    }
}
