import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Commands that take from the shell what it is reached by.
///
/// One after another, since all shells at once would be more than the machine has processors for.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ShellSabotageTests {
    @Test(
        "A command that changes what the shell is reached by isn't noticed in the next ones",
        arguments: [
            "read() { echo FAKE; }; printf() { echo FAKE; }; eval() { echo FAKE; }; kill() { :; }; test() { :; }",
            "alias eval='echo EV' printf='echo P' read='echo R' :='echo colon'",
            "PROMPT_COMMAND='echo PC'", "PROMPT_COMMAND=(a b)", "PS0='ps0>' PS1='ps1>' PS2='ps2>' PS4='ps4>'",
            "TMOUT=1",
            "enable -n echo", "set -o posix", "POSIXLY_CORRECT=1", "set -k", "set -T -E; trap : DEBUG RETURN ERR",
            "trap 'x=1' EXIT", "trap '' INT TSTP QUIT TERM HUP", "shopt -s extdebug failglob nullglob", "set -a",
            "IFS=,0123",
            "unset PATH", "set -n", "set +m", "exec 9>&1; exec 9>&-", "readonly x; umask 777", "LC_ALL=C",
            "shopt -u promptvars",
            "ulimit -n 10", "ulimit -f 0", "unset HOME PWD OLDPWD SHELL IFS", "set -u; set -o pipefail",
            "BASH_ENV=/x ENV=/x",
        ]
    )
    func unnoticed(command: String) async throws {
        try await withShell(.bash) { fixture in
            _ = try await fixture.output(command)
            for number in 1...3 { #expect(try await fixture.run("/bin/echo n:\(number)").content == "n:\(number)") }
            let interrupted = try await fixture.run("builtin kill -INT \"$$\"; /bin/echo not reached")
            #expect(!interrupted.content.contains("not reached") || command.contains("trap ''"))
            #expect(try await fixture.run("/bin/echo \"[${__aes_n+kept}]\"").content == "[kept]")
        }
    }

    @Test(
        "A shell that can't report any more is noticed at once and replaced, and the agent is told",
        arguments: [
            (.bash, "readonly PS1"), (.bash, "readonly PROMPT_COMMAND PS2"), (.bash, "readonly $(compgen -v __aes)"),
            (.bash, "unset -f $(compgen -A function)"), (.bash, "unset $(compgen -v __aes)"), (.bash, "set -r"),
            (.bash, "shopt -s extdebug; trap false DEBUG"),
            (.bash, "enable -n printf eval read kill unset return export"),
            (.bash, "builtin() { echo FAKE; }"), (.bash, "alias if='echo IF'"), (.bash, "ulimit -n 3"),
            (.bash, "unset __aes_e"), (.dash, "unset __aes_e"),
            (.dash, "readonly PS1"), (.dash, "readonly __aes_n"), (.dash, "set -n"),
            (.dash, "unset -f __aes_report __aes_prepare"),
            (.busybox, "readonly PS1"), (.busybox, "readonly __aes_n"), (.busybox, "set -n"),
        ] as [(TestShell, String)]
    )
    func replaced(shell: TestShell, command: String) async throws {
        // No time limit of ours: what isn't noticed would take that of the test.
        try await withShell(shell, noChangeTimeout: .seconds(600)) { fixture in
            _ = try await fixture.output("mkdir sub; cd sub")
            var told: [String] = []
            for command in [command, "echo next"] {
                let observation = try await fixture.run(command, timeout: nil)
                told.append(observation.metadata.prefix + observation.metadata.suffix)
            }
            #expect(told.contains { $0.contains(/(?i)a new shell (runs )?in the same directory/) }, "\(told)")
            try await fixture.expect("pwd; echo \"$?\"", "\(fixture.directory)/sub\n0")
        }
    }

    @Test("A shell whose input a command took away has the terminal again", arguments: TestShell.all)
    func lostInput(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .milliseconds(300)) { fixture in
            for command in ["exec </dev/null", "exec 0<&-", "exec 0</dev/zero"] {
                #expect(try await fixture.output(command) == "")
                try await fixture.expect("echo next", "next")
            }
            _ = try await fixture.run("read -r line", timeout: nil)
            #expect(try await fixture.run("typed", isInput: true).metadata.exitCode == 0)
            try await fixture.expect("echo \"$line\"", "typed")
        }
    }

    @Test("A shell whose output a command took away goes on, until a command gives it back", arguments: TestShell.all)
    func lostOutput(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .seconds(600)) { fixture in
            for command in ["exec >/dev/null 2>&1", "exec 2>&-", "exec >output 2>&1", "exec >&-"] {
                #expect(try await fixture.run(command, timeout: nil).metadata.exitCode == 0)
                #expect(try await fixture.run("x=kept; : >file", timeout: nil).metadata.exitCode == 0)
                #expect(try await fixture.run("exec >/dev/tty 2>&1", timeout: nil).metadata.exitCode == 0)
                try await fixture.expect("echo $x", "kept")
            }
        }
    }

    @Test(
        "A shell that stops itself goes on",
        arguments: TestShell.all,
        ["kill -STOP $$", "kill -TSTP $$; kill -TTIN $$"]
    )
    func stopped(shell: TestShell, command: String) async throws {
        try await withShell(shell, noChangeTimeout: .seconds(600)) { fixture in
            let observation = try await fixture.run("\(command); echo on", timeout: nil)
            #expect(observation.content == "on")
            #expect(observation.metadata.exitCode == 0)
        }
    }

    @Test("The variables of a shell don't look like its prompt", arguments: TestShell.all)
    func ownVariables(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let observation = try await fixture.run("set; echo \"$PS1\"; echo end")
            #expect(observation.content.hasSuffix("\nend"))
            #expect(observation.metadata.exitCode == 0)
            try await fixture.expect("echo next", "next")
        }
    }

    @Test("A shell in the shell that was given our prompt isn't taken for ours", arguments: TestShell.all)
    func nestedShell(shell: TestShell) async throws {
        try await withShell(shell, noChangeTimeout: .milliseconds(500)) { fixture in
            let program = fixture.shell.path
            let arguments = shell == .bash ? "--norc --noediting -i" : "-i"
            let started = try await fixture.run("set -a; x=outer; export PS1; \(program) \(arguments)", timeout: nil)
            #expect(started.metadata.exitCode == -1)
            #expect(try await fixture.run("x=inner; exit 4", isInput: true, timeout: nil).metadata.exitCode == 4)
            try await fixture.expect("echo $x", "outer")
        }
    }

    @Test("A command with a zero byte is refused, and not run in part", arguments: TestShell.all)
    func zeroByte(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            guard
                case .error(let error) = await fixture.runner.run(
                    CommandAction(command: "touch a\0b; touch c"),
                    timeout: 5
                )
            else {
                Issue.record("it was run")
                return
            }
            #expect(error.content.contains("zero byte"))
            try await fixture.expect("ls", "")
        }
    }
}
