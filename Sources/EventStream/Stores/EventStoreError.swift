/// Why events can't be kept or read.
public enum EventStoreError: Error, Sendable, Hashable {
    /// The session is open for writing elsewhere.
    case inUse(path: String, holder: Int32?)
    /// The disk, or the user's share of it, is full.
    case diskFull(path: String, operation: String)
    /// The file system can't be written to.
    case readOnlyFileSystem(path: String, operation: String)
    /// The user may not do that.
    case permissionDenied(path: String, operation: String)
    /// The system refused a call for another reason.
    case system(path: String, operation: String, errno: Int32)
    /// A stored event isn't what was written.
    case damaged(path: String, line: Int, offset: Int, reason: String)
    /// The index beside the events isn't what was written; without it, it is made anew from the events.
    case damagedIndex(path: String, offset: Int, reason: String)
    /// Files of the session are missing, or don't follow on each other.
    case missingEvents(path: String, expected: Int, found: Int)
    /// There is no event of that id.
    case noSuchEvent(id: Int, count: Int)
    /// The files aren't of the form that was expected.
    case malformed(path: String, reason: String)
    /// The store can't be written to since an earlier failure left it in doubt what is on disk, or since it is closed or for reading only.
    case notWritable(path: String, reason: String)
}

extension EventStoreError: CustomStringConvertible {
    /// The error as a sentence, with what to do about it.
    public var description: String {
        switch self {
        case .inUse(let path, let holder):
            "the session in \(path) is open for writing"
                + (holder.map { " by process \($0)" } ?? " by another process")
                + "; close it there, or open it for reading"
        case .diskFull(let path, let operation):
            "no space to \(operation) \(path); free some on that file system, then publish again"
        case .readOnlyFileSystem(let path, let operation):
            "can't \(operation) \(path): the file system is read-only; choose a directory that can be written to"
        case .permissionDenied(let path, let operation):
            "can't \(operation) \(path): permission denied; give this user access to it, or choose another directory"
        case .system(let path, let operation, let errno):
            "can't \(operation) \(path): \(systemMessage(errno)) (errno \(errno))"
        case .damaged(let path, let line, let offset, let reason):
            "\(path):\(line) (byte \(offset)) is damaged: \(reason); restore the file, or take the line out with its index"
        case .damagedIndex(let path, let offset, let reason):
            "\(path) is damaged at byte \(offset): \(reason); delete it to have it made anew when the session is opened"
        case .missingEvents(let path, let expected, let found):
            "\(path) should begin with event \(expected) and begins with event \(found); restore the files between"
        case .noSuchEvent(let id, let count):
            "there is no event \(id); the session has \(count)" + (count > 0 ? ", from 0 to \(count - 1)" : "")
        case .malformed(let path, let reason): "\(path): \(reason)"
        case .notWritable(let path, let reason): "\(path) can't be written to: \(reason)"
        }
    }
}
