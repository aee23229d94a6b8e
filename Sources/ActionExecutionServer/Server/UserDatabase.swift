#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The users of `/etc/passwd`, read by our own code: glibc's functions need shared libraries, which a static program
/// doesn't find in every image.
enum UserDatabase {
    /// The name of a user.
    static func name(of user: uid_t) -> String? {
        guard let passwd = readSmallFile("/etc/passwd") else { return nil }
        for line in passwd.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 3, uid_t(String(decoding: fields[2], as: UTF8.self)) == user else { continue }
            return String(decoding: fields[0], as: UTF8.self)
        }
        return nil
    }

    /// The content of a file of at most a mebibyte.
    private static func readSmallFile(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        return Array(unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            while count < buffer.count {
                let got = read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                guard got > 0 else { break }
                count += got
            }
        }
    }
}
