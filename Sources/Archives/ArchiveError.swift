#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Why an archive could not be written, read or unpacked.
package enum ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes are no zip archive, or are cut off or damaged outside of any entry.
    case notAnArchive(reason: String)
    /// There is nothing in an archive that should hold something.
    case empty
    /// An entry isn't what the archive's directory says of it.
    case damaged(entry: String, reason: String)
    /// An entry is of a form that isn't read here.
    case unsupported(entry: String, reason: String)
    /// An entry that must not be unpacked where it says.
    case refused(entry: String, reason: String)
    /// What should be a single name, of a file or a folder, isn't.
    case noName(String)
    /// More than the limits allow.
    case tooLarge(reason: String)
    /// There is something at the path that neither is a file nor a folder, or that can't be replaced by what is to be there.
    case conflict(path: String, reason: String)
    /// The task was cancelled.
    case cancelled
    /// The operating system refused.
    case system(operation: String, path: String, code: Int32)

    /// One sentence that says what was found, on what.
    package var description: String {
        switch self {
        case .notAnArchive(let reason): "not a readable zip archive: \(reason)"
        case .empty:
            "the archive is empty: there are no files, or it is a single file and the server one that only packs folders"
        case .damaged(let entry, let reason): "the archive is damaged at \(entry): \(reason)"
        case .unsupported(let entry, let reason): "the archive's entry \(entry) can't be read: \(reason)"
        case .refused(let entry, let reason): "the archive's entry \(entry) is refused: \(reason)"
        case .noName(let name): "'\(name)' is no name for a file or a folder"
        case .tooLarge(let reason): "too large: \(reason)"
        case .conflict(let path, let reason): "\(path) \(reason)"
        case .cancelled: "it was cancelled"
        case .system(let operation, let path, let code):
            "could not \(operation) \(path): \(systemErrorText(code)) (errno \(code))"
        }
    }

    /// Whether the file or a folder on its path doesn't exist.
    package var isMissing: Bool {
        if case .system(_, _, let code) = self { return code == ENOENT || code == ENOTDIR }
        return false
    }

    /// What HTTP calls a refusal by the operating system.
    package var status: Int {
        guard case .system(_, _, let code) = self else { return 400 }
        switch code {
        case ENOENT: return 404
        case EACCES, EPERM, EROFS: return 403
        case ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP, EINVAL: return 400
        case ENOSPC, EDQUOT, EFBIG: return 507
        default: return 500
        }
    }

    /// A call that has just failed; takes `errno`, so nothing may come between.
    static func failed(to operation: String, _ path: [UInt8], code: Int32 = currentErrorNumber()) -> ArchiveError {
        .system(operation: operation, path: printable(path), code: code)
    }
}

/// A name as it can be shown: what is no printable text is escaped as in Python and C.
package func printable(_ name: some Collection<UInt8>) -> String {
    var text = ""
    for scalar in String(decoding: name, as: UTF8.self).unicodeScalars {
        switch scalar {
        case "\n": text += "\\n"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f || (0x80..<0xa0).contains(scalar.value):
            text += "\\u{\(String(scalar.value, radix: 16))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    // Long enough for every path that a system takes in one call to be recognised.
    return text.utf8.count <= 1024 ? text : String(text.prefix(500)) + "…" + String(text.suffix(500))
}
