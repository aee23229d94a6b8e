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
        account(of: user)?.name
    }

    /// The first account with a number.
    static func account(of user: uid_t) -> Account? {
        #if canImport(Darwin)
        // The file has the system's own users only; the others are a service's.
        guard let entry = getpwuid(user)?.pointee else { return nil }
        return Account(
            name: String(cString: entry.pw_name),
            user: entry.pw_uid,
            group: entry.pw_gid,
            home: String(cString: entry.pw_dir),
            shell: String(cString: entry.pw_shell)
        )
        #else
        guard let passwd = try? FileAccess.read("/etc/passwd", limit: 16 << 20) else { return nil }
        return AccountFiles.accounts(in: passwd).first { $0.user == user }
        #endif
    }
}
