import Testing

@testable import ActionExecutionServer

struct ServerArgumentsTests {
    private static func parse(_ line: String) throws(ServerArguments.UsageError) -> ServerArguments {
        try ServerArguments(line.split(separator: " ").map(String.init))
    }

    @Test("Options are read in any order")
    func options() throws {
        let arguments = try Self.parse(
            "--lease 1.5 8000 --host ::1 --unix-socket /s --working-dir /w --session-api-key-file /k --allowed-host a"
                + " --allowed-host b --no-change-timeout 3 --shutdown-time 2 --shell /bin/dash"
        )
        #expect(arguments.port == 8000)
        #expect(arguments.host == "::1")
        #expect(arguments.socketPath == "/s")
        #expect(arguments.workingDirectory == "/w")
        #expect(arguments.sessionAPIKeyFile == "/k")
        #expect(arguments.allowedHosts == ["a", "b"])
        #expect(arguments.lease == 1.5)
        #expect(arguments.noChangeTimeout == 3)
        #expect(arguments.shutdownTime == 2)
        #expect(arguments.shellPath == "/bin/dash")
        #expect(!arguments.isHelp && !arguments.isVersion)
    }

    @Test("What the reference's client passes is accepted")
    func reference() throws {
        let arguments = try Self.parse(
            "34567 --working-dir /workspace --plugins agent_skills jupyter vscode --username openhands --user-id 1000"
                + " --browsergym-eval-env x --no-enable-browser"
        )
        #expect(arguments.port == 34567)
        #expect(arguments.host == "0.0.0.0")
        #expect(arguments.workingDirectory == "/workspace")
        #expect(arguments.user == RequestedUser(name: "openhands", id: 1000))
        #expect(try Self.parse("1 --user-id 7").user == RequestedUser(name: nil, id: 7))
        #expect(try Self.parse("1").user == nil)
        #expect(try Self.parse("1 --plugins --username x").port == 1)
        #expect(try Self.parse("1 --plugins").port == 1)
    }

    @Test("Help and version need nothing else")
    func help() throws {
        #expect(try Self.parse("--help").isHelp)
        #expect(try Self.parse("-h").isHelp)
        #expect(try Self.parse("--version").isVersion)
        #expect(try Self.parse("--unix-socket /s").port == nil)
        #expect(try Self.parse("0").port == 0)
    }

    @Test(
        "What can't be meant is refused with a message that names it",
        arguments: [
            ("", "port"), ("--frobnicate", "--frobnicate"), ("x", "x"), ("1 2", "2"), ("65536", "65536"), ("-1", "-1"),
            ("1 --host", "--host"), ("1 --lease", "--lease"), ("1 --lease x", "x"), ("1 --lease 0", "0"),
            ("1 --lease -3", "-3"),
            ("1 --lease inf", "inf"), ("1 --lease nan", "nan"), ("1 --lease 1e30", "1e30"),
            ("1 --no-change-timeout 0", "0"), ("1 --user-id -1", "-1"), ("1 --user-id x", "x"),
            ("1 --user-id 4294967295", "4294967295"),
        ]
    )
    func refusals(line: String, part: String) throws {
        let error = #expect(throws: ServerArguments.UsageError.self) { try Self.parse(line) }
        #expect(try #require(error).message.contains(part))
    }
}

struct SpecialKeyTests {
    @Test(
        "Keys with Control send their character",
        arguments: [
            ("C-c", 0x03, "C"), ("C-C", 0x03, "C"), ("C-d", 0x04, "D"), ("C-z", 0x1a, "Z"), ("C-[", 0x1b, "["),
            ("C-\\", 0x1c, "\\"),
        ] as [(String, UInt8, Character)]
    )
    func keys(text: String, byte: UInt8, letter: Character) throws {
        let key = try #require(SpecialKey(text))
        #expect(key.bytes == [byte])
        #expect(key.letter == letter)
    }

    @Test(
        "Other texts aren't keys",
        arguments: ["", "C", "C-", "c-c", "C-cc", " C-c", "C-c ", "M-x", "C_c", "C-é", "^C"]
    )
    func others(text: String) {
        #expect(SpecialKey(text) == nil)
    }
}
