#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The private directory through which a server and one shell talk; removed when it is let go.
final class ControlDirectory: Sendable {
    let path: String
    /// The command to run next.
    var commandFile: String { path + "/command" }
    /// Where the shell reports; see ``ShellReport``.
    var reportPipe: String { path + "/report" }
    /// Where the shell is told to go on after its report; see ``goOn(after:)``.
    var goOnPipe: String { path + "/go-on" }
    /// What the shell reads when it starts.
    var startupFile: String { path + "/startup" }
    /// The reading end of the pipe, which doesn't block.
    ///
    /// It is open for writing too: so it never comes to an end.
    let reports: Int32
    /// Both ends of the pipe at ``goOnPipe``, so that the shell can open it without waiting for us.
    private let goOnDescriptor: Int32

    /// Makes the directory in memory where the system has such a place, since it is written at each command.
    ///
    /// - Throws: ``SystemError`` when no place can be written.
    init() throws(SystemError) {
        var failure = SystemError("make a directory for the shell", code: ENOENT)
        for parent in ["/dev/shm", getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp", "/tmp", "."] {
            do throws(SystemError) {
                (path, reports, goOnDescriptor) = try Self.make(in: parent)
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    deinit {
        _ = close(reports)
        _ = close(goOnDescriptor)
        Self.remove(path)
    }

    /// Whether the pipe is where the shell looks for it; a command can have removed it.
    var isIntact: Bool {
        var status = stat()
        return lstat(reportPipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    /// Tells the shell, which waits after its report, to read on from its terminal.
    func goOn(after report: ShellReport) {
        // The pipe holds far more than is ever in it. What a shell that was interrupted left there, the next wait passes over.
        try? writeAll(goOnDescriptor, Array("\(report.sequence)\n".utf8), path: goOnPipe)
    }

    /// Replaces one of the files, which must not be read meanwhile.
    ///
    /// It isn't emptied before: what it takes on a disk that is full now stays its own, so that a short command can still be
    /// given, one that makes room for example.
    func write(_ text: String, to file: String) throws(SystemError) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("write \(file)") }
        defer { _ = close(descriptor) }
        try writeAll(descriptor, Array(text.utf8), path: file)
        guard ftruncate(descriptor, off_t(text.utf8.count)) == 0 else { throw SystemError("write \(file)") }
    }

    /// The files that a directory holds.
    private static let names = ["command", "startup", "report", "go-on"]

    private static func make(in parent: String) throws(SystemError) -> (path: String, reports: Int32, goOn: Int32) {
        // The name begins with a full stop: a sandbox's agent that clears the place with `rm -rf *` leaves it.
        var template = Array("\(parent)/.action-execution-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("make a directory for the shell in \(parent)") }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        do throws(SystemError) {
            // The two files take their place now.
            for name in names.prefix(2) {
                try writeFile("\(path)/\(name)", [UInt8](repeating: 0x0a, count: 4096), mode: 0o600)
            }
            let reports = try makePipe("\(path)/report")
            do throws(SystemError) {
                return (path, reports, try makePipe("\(path)/go-on"))
            } catch {
                _ = close(reports)
                throw error
            }
        } catch {
            remove(path)
            throw error
        }
    }

    /// A named pipe, and a descriptor for both of its ends that doesn't block.
    private static func makePipe(_ path: String) throws(SystemError) -> Int32 {
        guard mkfifo(path, 0o600) == 0 else { throw SystemError("make the pipe \(path)") }
        let descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open the pipe \(path)") }
        return descriptor
    }

    private static func remove(_ path: String) {
        for name in names { _ = unlink("\(path)/\(name)") }
        _ = rmdir(path)
    }
}

/// Creates or replaces a file.
func writeFile(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(SystemError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw SystemError("write \(path)") }
    defer { _ = close(descriptor) }
    try writeAll(descriptor, bytes, path: path)
}

/// Writes all bytes to a descriptor that blocks.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8], path: String) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR { continue }
            throw SystemError("write \(path)")
        }
        written += count
    }
}
