import Testing

@testable import ActionExecutionServer

struct UserChoiceTests {
    private static let passwd = Array(
        """
        root:x:0:0:root:/root:/bin/bash
        www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
        toor:x:0:0::/root:/bin/sh
        node:x:1000:1000::/home/node:/bin/bash
        broken
        +::::::
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
        """.utf8
    )
    private static let group = Array(
        "root:x:0:\nsudo:x:27:node\nnode:x:1000:\nstaff:x:2000:node,www-data\nlost:x:3000:\n".utf8
    )
    private static let accounts = AccountFiles.accounts(in: passwd)
    private static let groups = AccountFiles.groups(in: group)

    private static func choose(_ name: String?, _ id: UInt32?) throws -> UserChoice {
        try UserChoice(RequestedUser(name: name, id: id), accounts: accounts, groups: groups)
    }

    @Test(
        "An account of the image is taken by its name, else by its number",
        arguments: [
            ("node", 1000, "node"), ("node", nil, "node"), ("node", 4000, "node"), ("agent", 1000, "node"),
            (nil, 33, "www-data"),
            (nil, 0, "root"), ("root", nil, "root"), ("root", 0, "root"), ("nobody", 1000, "nobody"),
        ] as [(String?, UInt32?, String)]
    )
    func existing(name: String?, id: UInt32?, expected: String) throws {
        guard case .existing(let account, let note) = try Self.choose(name, id) else {
            Issue.record("it would be made")
            return
        }
        #expect(account.name == expected)
        #expect(account == Self.accounts.first { $0.name == expected })
        // What isn't as it was asked for is told.
        let isAsAsked = (name ?? account.name) == account.name && (id ?? account.user) == account.user
        #expect((note == nil) == isAsAsked)
    }

    @Test(
        "An account that is missing is made with the number that was asked for, or a free one, and a group of its own",
        arguments: [
            ("agent", 1234, 1234, 1234), ("agent", nil, 1001, 1001), (nil, 5000, 5000, 5000),
            ("agent", 2000, 2000, 1001),
            ("lost", 3000, 3000, 3000),
        ] as [(String?, UInt32?, UInt32, UInt32)]
    )
    func new(name: String?, id: UInt32?, user: UInt32, group: UInt32) throws {
        guard case .new(let account) = try Self.choose(name, id) else {
            Issue.record("it isn't made")
            return
        }
        #expect(account.name == name ?? "user\(user)")
        #expect(account.user == user)
        #expect(account.group == group)
        #expect(account.home == "/home/\(account.name)")
    }

    @Test(
        "Nobody becomes root by accident, and no name breaks the files",
        arguments: [
            ("toor", nil), ("toor", 0), ("agent", 0), ("root", 1000), ("", nil), ("a:b", nil), ("a\nroot", nil),
            ("-a", nil),
            ("1000", nil), ("../a", nil), ("a b", nil), ("ä", nil), (String(repeating: "a", count: 33), nil),
            // Its group has rights already.
            ("sudo", nil), ("lost", nil),
        ] as [(String?, UInt32?)]
    )
    func refused(name: String?, id: UInt32?) {
        #expect(throws: UserError.self) { try Self.choose(name, id) }
    }

    @Test("An image without accounts has root all the same")
    func noFiles() throws {
        for requested in [RequestedUser(name: "root"), RequestedUser(id: 0)] {
            guard case .existing(let account, nil) = try UserChoice(requested, accounts: [], groups: []) else {
                Issue.record("root is made")
                return
            }
            #expect(account.user == 0)
        }
    }

    @Test("Members are added once, to their group only, and what isn't understood stays")
    func members() {
        let file = "a:x:1:\nab:x:2:x\nbroken:line\n\u{0}garbage\na:x:1:y"
        let expected = "a:x:1:u\nab:x:2:x\nbroken:line\n\u{0}garbage\na:x:1:y,u"
        let once = AccountFiles.adding("u", toGroup: "a", in: Array(file.utf8))
        #expect(once.text == expected)
        #expect(AccountFiles.adding("u", toGroup: "a", in: once).text == expected)
        #expect(AccountFiles.appending("l", to: Array("a".utf8)).text == "a\nl\n")
        #expect(AccountFiles.appending("l", to: Array("a\n".utf8)).text == "a\nl\n")
        #expect(AccountFiles.appending("l", to: []).text == "l\n")
    }

    @Test("Mount points are read with their escapes, but for the root")
    func mountPoints() {
        let info = """
            22 1 8:1 / / rw - ext4 /dev/sda1 rw
            23 22 0:5 / /proc rw,nosuid shared:1 - proc proc rw
            24 22 8:2 /x /work\\040dir\\134 rw - ext4 /dev/sdb rw
            short line
            """
        #expect(WorkingDirectory.mountPoints(in: Array(info.utf8)) == ["/proc", "/work dir\\"])
    }
}
