import EventStream
import Foundation
import Synchronization

/// What tells a program's file from another, also from an earlier one at the same path.
struct ProgramIdentity: Hashable {
    let path: String
    let size: Int
    private let modified: Date
    private let fileNumber: Int

    /// The hashes of files that were read before.
    private static let known = Mutex<[ProgramIdentity: String]>([:])

    /// Looks a file up.
    ///
    /// - Throws: Foundation's error when there is none.
    init(path: String) throws {
        self.path = path
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        modified = attributes[.modificationDate] as? Date ?? .distantPast
        fileNumber = (attributes[.systemFileNumber] as? NSNumber)?.intValue ?? 0
    }

    /// The beginning of the SHA-256 digest of the file's content, as 16 hexadecimal digits.
    ///
    /// A file that didn't change is read once.
    ///
    /// - Throws: Foundation's error when it can't be read.
    func contentHash() throws -> String {
        if let hash = Self.known.withLock({ $0[self] }) { return hash }
        let content = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        let hash = SHA256.hexadecimal(content.withUnsafeBytes(SHA256.digest).prefix(8))
        Self.known.withLock { $0[self] = hash }
        return hash
    }
}
