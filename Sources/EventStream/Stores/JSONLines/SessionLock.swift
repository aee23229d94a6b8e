#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The right to write to a session, which one store at a time has, in whatever process.
///
/// It is a lock on a file (flock(2)) and so ends with the process, however that ends. The file says which process has it.
struct SessionLock {
    private let file: OpenFile

    /// Takes the lock of a directory.
    ///
    /// - Throws: ``EventStoreError/inUse(path:holder:)`` when somebody has it.
    init(directory: String) throws(EventStoreError) {
        file = try OpenFile(directory + "/lock", .writing)
        guard try file.tryLock() else {
            let text = String(decoding: try file.read(0..<32), as: UTF8.self)
            throw .inUse(path: directory, holder: Int32(text.prefix { $0.isNumber }))
        }
        try file.truncate(to: 0)
        try file.write(Array("\(getpid())\n".utf8), at: 0)
    }

    /// Gives the lock back.
    func release() {
        file.unlock()
    }
}
