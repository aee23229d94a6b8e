#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A line of `/etc/passwd`: passwd(5).
struct Account: Equatable, Sendable {
    var name: String
    var user: uid_t
    /// The primary group.
    var group: gid_t
    var home: String
    var shell: String
}

/// A line of `/etc/group`: group(5).
struct AccountGroup: Equatable, Sendable {
    var name: String
    var id: gid_t
    var members: [String]
}

/// Reads and edits the text of account files; what it doesn't understand stays as it is.
enum AccountFiles {
    static func accounts(in passwd: [UInt8]) -> [Account] {
        lines(of: passwd).compactMap { fields in
            guard fields.count >= 6, let user = uid_t(fields[2]), let group = gid_t(fields[3]) else { return nil }
            return Account(
                name: fields[0],
                user: user,
                group: group,
                home: fields[5],
                shell: fields.count > 6 ? fields[6] : ""
            )
        }
    }

    static func groups(in group: [UInt8]) -> [AccountGroup] {
        lines(of: group).compactMap { fields in
            guard fields.count >= 4, let id = gid_t(fields[2]) else { return nil }
            return AccountGroup(name: fields[0], id: id, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// A file with one more line.
    static func appending(_ line: String, to file: [UInt8]) -> [UInt8] {
        let separator: [UInt8] = file.isEmpty || file.last == 0x0a ? [] : [0x0a]
        return file + separator + Array(line.utf8) + [0x0a]
    }

    /// `/etc/group` or `/etc/gshadow` with one more member of a group, which is the last field of its line in both.
    static func adding(_ member: String, toGroup group: String, in file: [UInt8]) -> [UInt8] {
        let lines = file.split(separator: 0x0a, omittingEmptySubsequences: false).map { line -> [UInt8] in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count == 4, String(decoding: fields[0], as: UTF8.self) == group else { return Array(line) }
            let members = fields[3].split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) }
            if members.contains(member) { return Array(line) }
            return Array(line) + Array("\(members.isEmpty ? "" : ",")\(member)".utf8)
        }
        return Array(lines.joined(separator: [0x0a]))
    }

    private static func lines(of file: [UInt8]) -> [[String]] {
        file.split(separator: 0x0a).map { line in
            line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
