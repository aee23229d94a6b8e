import CPlatform

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Finds or makes the user that the server is asked to be (reference: `openhands/runtime/utils/runtime_init.py`).
///
/// By our own code, since not every image has `useradd`. Unlike the reference's, a new account is in no group but its own,
/// not even root's, and can become root only if that is asked for.
struct UserSetup {
    /// Where the root of the file system is; empty outside of tests.
    var root = ""
    /// Whether the user may become root by `sudo`, without a password.
    var allowsSudo = false
    /// Who owns what is made; nil in tests that aren't root.
    var ownsFiles = true
    /// How long another program may hold the lock of the account files; that of lckpwdf(3).
    var lockTimeout: Duration = .seconds(15)

    /// A user, and what has to be told of how it was chosen.
    struct Result: Equatable {
        var user: SandboxUser
        var notes: [String]
    }

    /// The user, with a home directory.
    ///
    /// - Throws: ``UserError`` or ``SystemError``; then nothing has changed that a second try would stumble over.
    func prepare(_ requested: RequestedUser) throws -> Result {
        let lock = try lockAccountFiles()
        defer { if let lock { _ = close(lock) } }
        let passwd = try read("/etc/passwd") ?? []
        let group = try read("/etc/group") ?? []
        let choice = try UserChoice(
            requested,
            accounts: AccountFiles.accounts(in: passwd),
            groups: AccountFiles.groups(in: group)
        )
        var notes: [String] = []
        let account: Account
        switch choice {
        case .existing(let existing, let note):
            account = existing
            if let note { notes.append(note) }
        case .new(var new):
            let shells = ["/bin/bash", "/usr/bin/bash", "/bin/sh"]
            new.shell = shells.first { access(root + $0, X_OK) == 0 } ?? "/bin/sh"
            try add(new, passwd: passwd, group: group)
            account = new
        }
        if allowsSudo, account.user != 0, try !allowSudo(account) {
            notes.append("the image has no sudo: \(account.name) can't become root")
        }
        if account.user != 0 { try makeHome(of: account) }
        let groups = AccountFiles.groups(in: try read("/etc/group") ?? [])
        let supplementary = groups.filter { $0.members.contains(account.name) && $0.id != account.group }.map(\.id)
        let user = SandboxUser(
            account: account,
            groups: [account.group] + supplementary,
            mayGainPrivileges: allowsSudo
        )
        return Result(user: user, notes: notes)
    }

    // MARK: Account files

    /// - Returns: the lock's descriptor; nil where nobody can change the files.
    private func lockAccountFiles() throws(SystemError) -> Int32? {
        do throws(FileAccess.Failure) {
            try FileAccess.makeDirectory(root + "/etc")
        } catch {
            throw error.systemError("make the directory \(root)/etc")
        }
        let path = root + "/etc/.pwd.lock"
        let deadline = ContinuousClock.now + lockTimeout
        while true {
            let descriptor = platform_try_lock_file(path)
            if descriptor >= 0 { return descriptor }
            if errno == EROFS { return nil }
            guard errno == EAGAIN || errno == EINTR, ContinuousClock.now < deadline else {
                throw SystemError("lock the account files with \(path)")
            }
            // Nothing tells when the lock is free but a call that may wait for ever.
            usleep(20_000)
        }
    }

    /// The group first and the account last: what is left by a crash between is used by the next try.
    private func add(_ account: Account, passwd: [UInt8], group: [UInt8]) throws {
        let name = account.name
        if !AccountFiles.groups(in: group).contains(where: { $0.name == name }) {
            try write("/etc/group", AccountFiles.appending("\(name):x:\(account.group):", to: group), mode: 0o644)
            try append("\(name):!::", toExisting: "/etc/gshadow", unlessNamed: name)
        }
        // No password opens it. Days since 1970 of the last change, and the ages that useradd(8) gives.
        let shadow = "\(name):!:\(time(nil) / 86_400):0:99999:7:::"
        let hasShadow = try append(shadow, toExisting: "/etc/shadow", unlessNamed: name)
        let line =
            "\(name):\(hasShadow ? "x" : "*"):\(account.user):\(account.group)::\(account.home):\(account.shell)"
        try write("/etc/passwd", AccountFiles.appending(line, to: passwd), mode: 0o644)
    }

    /// - Returns: whether there is such a file.
    @discardableResult
    private func append(_ line: String, toExisting path: String, unlessNamed name: String) throws -> Bool {
        guard let content = try read(path) else { return false }
        let prefix = Array("\(name):".utf8)
        if !content.split(separator: 0x0a).contains(where: { $0.starts(with: prefix) }) {
            try write(path, AccountFiles.appending(line, to: content), mode: 0o640)
        }
        return true
    }

    // MARK: sudo

    /// The reference gives the rights to the whole group `sudo`; here they are this user's.
    ///
    /// - Returns: false when the image has no sudo.
    private func allowSudo(_ account: Account) throws -> Bool {
        // A name with a full stop or a tilde is passed over by sudo: sudoers(5).
        // Without `replacing`, which would bring the regular expressions' 2 MB into the program.
        let name = String(account.name.map { $0 == "." ? "_" : $0 })
        let file = "/etc/sudoers.d/action-execution-\(name)"
        guard access(root + "/etc/sudoers.d", F_OK) == 0 else { return false }
        try write(file, Array("\(account.name) ALL=(ALL:ALL) NOPASSWD: ALL\n".utf8), mode: 0o440)
        return true
    }

    // MARK: Files

    /// Makes the home directory from the image's skeleton, unless it is there or isn't meant to be.
    private func makeHome(of account: Account) throws {
        let home = root + account.home
        guard account.home.hasPrefix("/"), account.home != "/", account.home != "/nonexistent" else { return }
        let owner = ownsFiles ? FileOwner(user: account.user, group: account.group) : nil
        var status = stat()
        if lstat(home, &status) == 0 {
            // The engine makes the directories above a mount as root: one that is the user's home isn't left so.
            if status.st_mode & S_IFMT == S_IFDIR, status.st_uid == 0 { try owner?.give(home) }
            return
        }
        if let slash = home.lastIndex(of: "/") {
            do throws(FileAccess.Failure) {
                try FileAccess.makeDirectory(String(home[..<slash]))
            } catch {
                throw error.systemError("make the directory \(account.home)")
            }
        }
        try FileTree.copy(root + "/etc/skel", to: home, owner: owner)
    }

    private func read(_ path: String) throws -> [UInt8]? {
        do throws(FileAccess.Failure) {
            return try FileAccess.read(root + path, limit: 16 << 20)
        } catch {
            if error.isMissing { return nil }
            throw error.systemError("read \(path)")
        }
    }

    /// Replaces a file at once for every reader, with mode and owner of the old one.
    private func write(_ path: String, _ bytes: [UInt8], mode: mode_t) throws {
        let isNew = access(root + path, F_OK) != 0
        do throws(FileAccess.Failure) {
            try FileReplacement.replace(SystemPath(root + path), with: bytes, creation: .inDirectory)
        } catch {
            throw error.systemError("write \(path)")
        }
        if isNew, chmod(root + path, mode) != 0 { throw SystemError("set the mode of \(path)") }
    }
}
