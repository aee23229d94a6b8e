#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Makes the working directory one that the user can write in, where that takes nothing from anybody.
///
/// The reference gives it to the user with all that is in it, also when it is a folder of the host that is mounted there.
struct WorkingDirectory {
    /// What became of it.
    enum Outcome: Equatable {
        /// The user can write there.
        case usable
        /// The user can't, and it isn't ours to change; why.
        case foreign(String)
    }

    let path: String
    let user: SandboxUser
    /// The group of what is given away; the reference's `SANDBOX_GROUP_ID`.
    var group: gid_t?
    /// Places where something is mounted.
    var mountPoints: Set<String>
    /// Whether the file system outside of mounts is a container's own.
    var isContainer: Bool

    /// What a sandbox has no use for as the user's own.
    private static let systemDirectories: Set<String> = [
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin",
        "/srv",
        "/sys", "/tmp", "/usr", "/usr/local", "/var",
    ]

    private var owner: FileOwner { FileOwner(user: user.account.user, group: group ?? user.account.group) }

    /// Makes what is missing, and gives what may be given.
    func prepare() throws(SystemError) -> Outcome {
        try make(path)
        guard let resolved = realpath(path, nil) else { throw SystemError("find \(path)") }
        let place = String(cString: resolved)
        free(resolved)
        var status = stat()
        guard stat(place, &status) == 0 else { throw SystemError("look at \(path)") }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError("work in \(path)", code: ENOTDIR) }
        if Self.mayWrite(status, user) { return .usable }
        if Self.systemDirectories.contains(place) { return .foreign("\(path) belongs to the system") }
        if Self.isMounted(place, mountPoints) {
            // A new volume is root's and empty.
            guard status.st_uid == 0, FileTree.names(in: place).isEmpty else {
                return .foreign("\(path) is mounted and belongs to the user \(status.st_uid)")
            }
            try owner.give(place)
        } else if isContainer {
            try FileTree.give(place, to: owner, excluding: mountPoints)
        } else {
            return .foreign("\(path) belongs to the user \(status.st_uid)")
        }
        // The reference's, for those who share it by the group.
        guard chmod(place, status.st_mode & 0o7777 | 0o760) == 0 else { throw SystemError("set the mode of \(path)") }
        return .usable
    }

    private func make(_ directory: String) throws(SystemError) {
        var status = stat()
        if stat(directory, &status) == 0 { return }
        if let slash = directory.dropLast().lastIndex(of: "/"), slash != directory.startIndex {
            try make(String(directory[..<slash]))
        }
        guard mkdir(directory, 0o775) == 0 || errno == EEXIST else {
            throw SystemError("make the directory \(directory)")
        }
        try owner.give(directory)
    }

    /// Whether the mode lets a user make files in a directory.
    static func mayWrite(_ status: stat, _ user: SandboxUser) -> Bool {
        if user.account.user == 0 { return true }
        let shift: mode_t =
            if status.st_uid == user.account.user { 6 } else if user.groups.contains(status.st_gid) { 3 } else { 0 }
        return status.st_mode >> shift & 0o3 == 0o3
    }

    private static func isMounted(_ path: String, _ mountPoints: Set<String>) -> Bool {
        var place = Substring(path)
        while !place.isEmpty {
            if mountPoints.contains(String(place)) { return true }
            place = place[..<(place.lastIndex(of: "/") ?? place.startIndex)]
        }
        return false
    }

    /// Where file systems are mounted, but for the root: proc_pid_mountinfo(5), field 5, with octal escapes.
    static func mountPoints(in mountInfo: [UInt8]) -> Set<String> {
        var points: Set<String> = []
        for line in mountInfo.split(separator: 0x0a) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 5 else { continue }
            var path: [UInt8] = []
            var rest = fields[4]
            while let byte = rest.popFirst() {
                let digits = rest.prefix(3)
                if byte == UInt8(ascii: "\\"), digits.count == 3,
                    let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
                {
                    path.append(value)
                    rest = rest.dropFirst(3)
                } else {
                    path.append(byte)
                }
            }
            let point = String(decoding: path, as: UTF8.self)
            if point != "/" { points.insert(point) }
        }
        return points
    }
}

extension WorkingDirectory {
    /// For this process's file system.
    init(path: String, user: SandboxUser, group: gid_t?) {
        let mountInfo = try? FileAccess.read("/proc/self/mountinfo", limit: 16 << 20)
        let isContainer = getpid() == 1 || access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0
        self.init(
            path: path,
            user: user,
            group: group,
            mountPoints: Self.mountPoints(in: mountInfo ?? []),
            isContainer: isContainer
        )
    }
}
