import Foundation
import Testing

@testable import ActionExecutionServer

/// In a directory that stands for the root of a file system, and without root's rights.
struct UserSetupTests {
    private static func withRoot(_ files: [String: String], _ body: (UserSetup) throws -> Void) throws {
        try withTemporaryDirectory { root in
            for (path, content) in files {
                let file = URL(fileURLWithPath: root + path)
                let directory = file.deletingLastPathComponent()
                try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
                try writeFile(file.path, Array(content.utf8), mode: 0o640)
            }
            try body(UserSetup(root: root, ownsFiles: false, lockTimeout: .milliseconds(1)))
        }
    }

    private static func text(_ path: String, _ setup: UserSetup) throws -> String {
        try String(contentsOfFile: setup.root + path, encoding: .utf8)
    }

    @Test("A user is made with group, locked password and home, once, and files keep their mode")
    func make() throws {
        let files = [
            "/etc/passwd": "root:x:0:0::/root:/bin/sh", "/etc/group": "root:x:0:\nsudo:x:27:\n",
            "/etc/shadow": "root:*:1::::::\n",
            "/etc/gshadow": "root:*::\n", "/etc/skel/.profile": "hello\n", "/etc/skel/.config/x/y": "deep",
        ]
        try Self.withRoot(files) { setup throws in
            symlink("/etc/hosts", setup.root + "/etc/skel/link")
            let first = try setup.prepare(RequestedUser(name: "agent", id: 1234))
            #expect(first.notes == [])
            #expect(first.user.account.user == 1234)
            #expect(first.user.groups == [1234])
            #expect(!first.user.mayGainPrivileges)
            let passwd = "root:x:0:0::/root:/bin/sh\nagent:x:1234:1234::/home/agent:/bin/sh\n"
            #expect(try Self.text("/etc/passwd", setup) == passwd)
            #expect(try Self.text("/etc/group", setup) == "root:x:0:\nsudo:x:27:\nagent:x:1234:\n")
            #expect(try Self.text("/etc/shadow", setup).contains(#/\nagent:!:\d+:0:99999:7:::\n$/#))
            #expect(try Self.text("/etc/gshadow", setup) == "root:*::\nagent:!::\n")
            #expect(try Self.text("/home/agent/.profile", setup) == "hello\n")
            #expect(try Self.text("/home/agent/.config/x/y", setup) == "deep")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: setup.root + "/home/agent/link")
                    == "/etc/hosts"
            )
            var status = stat()
            #expect(stat(setup.root + "/etc/shadow", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: setup.root + "/etc").allSatisfy {
                    !$0.contains("write")
                }
            )

            #expect(try setup.prepare(RequestedUser(name: "agent", id: 1234)) == first)
            #expect(try Self.text("/etc/passwd", setup) == passwd)
        }
    }

    @Test("What a crash left of a user is used")
    func afterCrash() throws {
        let files = ["/etc/passwd": "", "/etc/group": "agent:x:1234:\n", "/etc/shadow": "agent:!:1:0:99999:7:::\n"]
        try Self.withRoot(files) { setup throws in
            #expect(try setup.prepare(RequestedUser(name: "agent", id: 1234)).user.account.group == 1234)
            #expect(try Self.text("/etc/group", setup) == files["/etc/group"])
            #expect(try Self.text("/etc/shadow", setup) == files["/etc/shadow"])
        }
    }

    @Test("A user is made where there are no account files at all")
    func empty() throws {
        try Self.withRoot([:]) { setup throws in
            #expect(try setup.prepare(RequestedUser(name: "agent")).user.account.user == 1000)
            #expect(try Self.text("/etc/passwd", setup) == "agent:*:1000:1000::/home/agent:/bin/sh\n")
            var status = stat()
            #expect(stat(setup.root + "/etc/passwd", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o644)
        }
    }

    @Test("An account of the image has its groups, and nothing is changed for it")
    func groups() throws {
        let files = [
            "/etc/passwd": "node:x:1000:1000::/nonexistent:/bin/sh\n",
            "/etc/group": "node:x:1000:\nstaff:x:50:root,node\nnodes:x:51:nodes\ndocker:x:52:node\n",
        ]
        try Self.withRoot(files) { setup throws in
            #expect(try setup.prepare(RequestedUser(name: "node")).user.groups == [1000, 50, 52])
            for (path, content) in files { #expect(try Self.text(path, setup) == content) }
            #expect(!FileManager.default.fileExists(atPath: setup.root + "/nonexistent"))
        }
    }

    @Test("sudo is for the user who is given it, where the image has it")
    func sudo() throws {
        let files = ["/etc/passwd": "", "/etc/sudoers.d/README": ""]
        try Self.withRoot(files) { setup throws in
            _ = try setup.prepare(RequestedUser(name: "plain"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: setup.root + "/etc/sudoers.d") == ["README"])
            var setup = setup
            setup.allowsSudo = true
            let result = try setup.prepare(RequestedUser(name: "a.b"))
            #expect(result.user.mayGainPrivileges)
            #expect(try Self.text("/etc/sudoers.d/action-execution-a_b", setup) == "a.b ALL=(ALL:ALL) NOPASSWD: ALL\n")
        }
        try Self.withRoot([:]) { setup throws in
            var setup = setup
            setup.allowsSudo = true
            #expect(try setup.prepare(RequestedUser(name: "agent")).notes.contains { $0.contains("no sudo") })
        }
    }

    #if os(Linux)
    @Test("While another program has the lock of the account files, nothing is changed")
    func locked() throws {
        try Self.withRoot(["/etc/.pwd.lock": ""]) { setup throws in
            let descriptor = open(setup.root + "/etc/.pwd.lock", O_RDWR)
            defer { close(descriptor) }
            // A lock of the open file is another's for a lock of the process: F_OFD_SETLK of fcntl(2).
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            #expect(fcntl(descriptor, 37, &lock) == 0)
            let error = #expect(throws: SystemError.self) { try setup.prepare(RequestedUser(name: "agent")) }
            #expect(try #require(error).description.contains("lock the account files"))
            #expect(!FileManager.default.fileExists(atPath: setup.root + "/etc/passwd"))
            lock.l_type = Int16(F_UNLCK)
            #expect(fcntl(descriptor, 37, &lock) == 0)
            #expect(try setup.prepare(RequestedUser(name: "agent")).user.account.name == "agent")
        }
    }
    #endif

    @Test("A directory's mode says who may write there")
    func modes() throws {
        func user(_ id: uid_t, _ groups: [gid_t]) -> SandboxUser {
            let account = Account(name: "x", user: id, group: groups[0], home: "/", shell: "")
            return SandboxUser(account: account, groups: groups, mayGainPrivileges: false)
        }
        var status = stat()
        (status.st_uid, status.st_gid) = (1, 2)
        for (mode, users) in [
            (0o755, [true, false, false]), (0o575, [false, true, false]), (0o557, [false, false, true]),
            (0o775, [true, true, false]),
            (0o777, [true, true, true]), (0o666, [false, false, false]),
        ] {
            status.st_mode = mode_t(mode) | S_IFDIR
            let may = [user(1, [9]), user(8, [9, 2]), user(8, [9])].map { WorkingDirectory.mayWrite(status, $0) }
            #expect(may == users)
            #expect(WorkingDirectory.mayWrite(status, user(0, [0])))
        }
    }
}
