#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Whom the server is asked to be, by name, by number, or both.
struct RequestedUser: Equatable, Sendable {
    var name: String?
    var id: uid_t?
}

/// Who that is in an image with these accounts.
///
/// A name that the image has stands for that account, whatever number was asked for: the image's files are its own. A number
/// that an account of another name has stands for that account: the number decides about files, in a mount too. Both are
/// told. Nobody becomes root who didn't ask for root by this name, or by the number alone.
enum UserChoice: Equatable, Sendable {
    /// An account of the image, and what has to be told.
    case existing(Account, note: String?)
    /// An account to be made; with a group of its own, which has the number too unless that is taken.
    case new(Account)

    /// The number of an account that is asked for by name only, as the reference gives it.
    private static let defaultID: uid_t = 1000

    /// - Throws: ``UserError`` when it would be root by accident, or the name is none.
    init(_ requested: RequestedUser, accounts: [Account], groups: [AccountGroup]) throws(UserError) {
        if let name = requested.name { try Self.check(name, id: requested.id) }
        if let name = requested.name, let account = accounts.first(where: { $0.name == name }) {
            try Self.checkNotRootByAccident(account, asked: name)
            let note = requested.id.flatMap { asked -> String? in
                guard asked != account.user else { return nil }
                return "the user \(name) has the id \(account.user) in this image, not \(asked); it stays so"
            }
            self = .existing(account, note: note)
            return
        }
        if let id = requested.id, let account = accounts.first(where: { $0.user == id }) {
            let note = requested.name.map {
                "the user with the id \(id) has the name \(account.name) in this image, not \($0); it stays so"
            }
            self = .existing(account, note: note)
            return
        }
        if requested.name == "root" || requested.id == 0 {
            self = .existing(Account(name: "root", user: 0, group: 0, home: "/root", shell: ""), note: nil)
            return
        }
        self = .new(try Self.newAccount(requested, accounts: accounts, groups: groups))
    }

    private static func newAccount(
        _ requested: RequestedUser,
        accounts: [Account],
        groups: [AccountGroup]
    ) throws(UserError) -> Account {
        let takenIDs = Set(accounts.map(\.user))
        let id = requested.id ?? (defaultID...).first { !takenIDs.contains($0) } ?? defaultID
        let name = requested.name ?? "user\(id)"
        let takenGroups = Set(groups.map(\.id))
        var group = gid_t(id)
        if let existing = groups.first(where: { $0.name == name }) {
            // Most likely one that was made for the account before it was lost. Any other may have rights.
            guard existing.id == group else {
                throw UserError(
                    message: "the group \(name) exists with the id \(existing.id); choose another name for the user"
                )
            }
        } else if takenGroups.contains(group) {
            group = (defaultID...).first { !takenGroups.contains($0) && !takenIDs.contains($0) } ?? group
        }
        return Account(name: name, user: id, group: group, home: "/home/\(name)", shell: "")
    }

    private static func check(_ name: String, id: uid_t?) throws(UserError) {
        guard isValid(name) else {
            throw UserError(
                message:
                    "\(name.debugDescription) is no user name: that is up to 32 letters, digits, _, . and -, the first"
                    + " of which is a letter or _"
            )
        }
        guard let id else { return }
        if name == "root", id != 0 { throw UserError(message: "root has the id 0, not \(id)") }
        if name != "root", id == 0 {
            throw UserError(message: "the id 0 is root's, not \(name)'s; ask for --username root")
        }
    }

    private static func checkNotRootByAccident(_ account: Account, asked name: String) throws(UserError) {
        guard account.user == 0, name != "root" else { return }
        throw UserError(message: "the user \(name) has root's id 0 in this image; ask for --username root")
    }

    /// What useradd(8) recommends, dots too; nothing that means something in the files or in a path.
    private static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 32 else { return false }
        func isLetter(_ byte: UInt8) -> Bool {
            (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_")
        }
        let isPlain = name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e }
        return isLetter(first) && isPlain
    }
}

/// Why the server can't be the user that it is asked to be.
struct UserError: Error, Equatable, CustomStringConvertible {
    var message: String
    var description: String { message }
}
