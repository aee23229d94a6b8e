import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The user that the server and all that it starts is.
struct SandboxUser: Equatable, Sendable {
    var account: Account
    /// The supplementary groups, the primary one first.
    var groups: [gid_t]
    /// Whether programs with the set-user-id bit, such as `sudo`, work.
    var mayGainPrivileges: Bool

    init(account: Account, groups: [gid_t], mayGainPrivileges: Bool) {
        self.account = account
        self.groups = groups
        self.mayGainPrivileges = mayGainPrivileges
    }

    /// The user that this process already is, if that is who is asked for: only root could become another.
    ///
    /// - Throws: ``UserError``.
    init(current requested: RequestedUser) throws(UserError) {
        let id = getuid()
        let account = UserDatabase.account(of: id)
        let isAsked = requested.name.map { $0 == account?.name } ?? (requested.id == id)
        // A number without an account, as `docker run --user` gives.
        guard isAsked || account == nil && requested.id == id else {
            let asked = requested.name ?? requested.id.map { "the id \($0)" } ?? ""
            throw UserError(
                message:
                    "can't become \(asked): the server was started as \(account?.name ?? "the id \(id)"), and only root can"
                    + " become another user"
            )
        }
        self.init(
            account: account
                ?? Account(name: requested.name ?? "user\(id)", user: id, group: getgid(), home: "/", shell: ""),
            groups: [getgid()],
            mayGainPrivileges: true
        )
    }

    /// What login(1) sets for the user, with the shell for those that have none to log in with.
    func environment(shell: String?) -> [String: String] {
        var variables = ["HOME": account.home, "USER": account.name, "LOGNAME": account.name]
        let isForNobody = ["/nologin", "/false"].contains { account.shell.hasSuffix($0) }
        variables["SHELL"] = !isForNobody && access(account.shell, X_OK) == 0 ? account.shell : shell
        return variables
    }

    /// Makes the whole process that user, for good.
    ///
    /// The process and not only the programs that it starts: what an action asks for is then done with the user's rights by
    /// the kernel's judgement, whatever the code that does it gets wrong. A server that stays root and hands its rights down
    /// would write through a symbolic link that the agent laid to `/etc/shadow`, or start one program too many as root.
    /// What has to be done as root is done before: the account, the directories, the socket's port. Process 1 reaps
    /// children of every user, so nothing is lost by it. Who needs root asks for `--username root`.
    ///
    /// The process can't be traced by the user's programs afterwards, and unless ``mayGainPrivileges`` neither it nor
    /// they gain rights by the set-user-id bit: an image's `su` without a password would be a way to root.
    ///
    /// - Throws: ``SystemError``. There is no going on as who started it.
    func become() throws(SystemError) {
        let result = groups.withUnsafeBufferPointer {
            platform_become_user(account.user, account.group, $0.baseAddress, $0.count, mayGainPrivileges ? 1 : 0)
        }
        guard result == 0 else {
            throw SystemError(
                "become the user \(account.name) (\(account.user)), for which a server started as root also needs the"
                    + " capabilities SETUID and SETGID"
            )
        }
    }
}
