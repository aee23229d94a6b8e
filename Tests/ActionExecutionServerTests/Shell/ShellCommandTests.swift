import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// Commands in real shells.
///
/// One after another, since all shells at once would be more than the machine has processors for.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ShellCommandTests {
    @Test("A command's output, exit code and place come back", arguments: TestShell.all)
    func observation(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let observation = try await fixture.run("echo hi; mkdir -p 'a b'; cd 'a b'; (exit 3)")
            #expect(observation.content == "hi")
            #expect(observation.command == "echo hi; mkdir -p 'a b'; cd 'a b'; (exit 3)")
            #expect(observation.metadata.exitCode == 3)
            #expect(observation.metadata.workingDirectory == fixture.directory + "/a b")
            #expect(observation.metadata.suffix == "\n[The command completed with exit code 3.]")
            #expect(observation.metadata.prefix == "")
            #expect(await fixture.runner.directory == fixture.directory + "/a b")
        }
    }

    @Test("Directory, variables, functions and options are kept", arguments: TestShell.all)
    func state(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output(
                "cd /; x='a  b'; export y=c; f() { echo \"f:$1\"; }; alias greet='echo hello'; set -f"
            )
            try await fixture.expect("pwd; echo \"$x\"; f 1; sh -c 'echo $y'; echo *", "/\na  b\nf:1\nc\n*")
            try await fixture.expect("greet", "hello")
        }
    }

    @Test("Any text of a command reaches the shell as it is, typed or by way of the file", arguments: TestShell.all)
    func text(shell: TestShell) async throws {
        var generator = SeededGenerator(seed: 4)
        try await withShell(shell) { fixture in
            if shell == .bash { _ = try await fixture.output("set -o history -H") }
            // Lengths on both sides of what is typed, and characters on both sides of what a terminal leaves alone.
            for length in [1, 40, 300, 700, 790, 810, 1500] {
                let typed = (0x20..<0x7f) + [0x09, 0x0a].map { UInt32($0) }
                for characters in [typed, typed + [0x7f, 0x01, 0x03, 0x04, 0x15, 0x16, 0xe4, 0x65e5]] {
                    let text = (0..<length).map { _ in
                        String(Unicode.Scalar(characters.randomElement(using: &generator) ?? 0x20) ?? " ")
                    }.joined()
                    let sum = String(checksum(text + "\n"))
                    // Not what a shell may expand: the text is quoted, and its checksum is what comes back.
                    try await fixture.expect("cksum <<'__END__'\n\(text)\n__END__\n", "\(sum) \(text.utf8.count + 1)")
                }
            }
        }
    }

    @Test("With tracing on, a command shows its own trace and little else")
    func tracing() async throws {
        try await withShell(.bash) { fixture in
            _ = try await fixture.output("set -x")
            let output = try await fixture.output("echo hi")
            #expect(output.contains("+ echo hi\nhi"))
            #expect(!output.contains("PROMPT_COMMAND"), "\(output)")
            #expect(!output.contains("printf"), "\(output)")
            _ = try await fixture.output("set +x")
            try await fixture.expect("echo quiet", "quiet")
        }
    }

    @Test("The status of a command is the next one's $?", arguments: TestShell.all)
    func status(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            try await fixture.expect("echo $?", "0")
            _ = try await fixture.output("(exit 7)", exitCode: 7)
            try await fixture.expect("echo $?", "7")
            #expect(try await fixture.output("true\nfalse\n", exitCode: 1) == "")
            try await fixture.expect("echo $? $?", "1 1")
        }
    }

    @Test(
        "Commands of any shape run in order",
        arguments: TestShell.all,
        [
            ("echo one\necho two\n\necho three", "one\ntwo\nthree"),
            ("cat <<'END'\n$x `y` \"z\"\n  indented\nEND", "$x `y` \"z\"\n  indented"),
            ("cat <<END | tr a-z A-Z\nword\nEND\necho after", "WORD\nafter"),
            ("for i in 1 2\ndo\n  echo $i\ndone", "1\n2"),
            ("if true; then\necho yes\nfi", "yes"),
            ("g() {\n  echo \"in g $1\"\n}\ng x", "in g x"),
            ("echo 'a\nb'", "a\nb"),
            ("echo a \\\n  b", "a b"),
            ("# only a comment", ""),
            ("echo '# no comment' # a comment", "# no comment"),
            ("   echo spaces   ", "spaces"),
            ("echo \"ü 日本 $((6*7))\"", "ü 日本 42"),
            ("printf 'no newline'", "no newline"),
            ("printf 'under__'", "under__"),
            ("printf 'if __aes'", "if __aes"),
            ("printf '\\001aes'; echo", "aes"),
            ("echo out; echo err >&2", "out\nerr"),
            ("set -- a b; echo $#; shift; echo $1", "2\nb"),
            ("echo !! !x ^a^b", "!! !x ^a^b"),
            ("(sleep 0.05; echo late) & wait; echo done", "late\ndone"),
            ("exec 3>/dev/null; echo x >&3; echo y; exec 3>&-", "y"),
            ("exec 9</dev/null; exec 9<&-; echo z", "z"),
            ("stty -a | grep -c -- ' -*icanon'", "1"),
            ("tty >/dev/null && echo terminal", "terminal"),
            ("unset PS1 PS2 PROMPT_COMMAND; echo unset", "unset"),
            ("PS1='$ '; echo prompt", "prompt"),
        ]
    )
    func shapes(shell: TestShell, sample: (command: String, output: String)) async throws {
        try await withShell(shell) { fixture in
            let observation = try await fixture.run(sample.command)
            let lines = observation.content.split(separator: "\n", omittingEmptySubsequences: false)
                .filter { !$0.hasPrefix("[1]") }
            #expect(lines.joined(separator: "\n") == sample.output)
            #expect(observation.metadata.exitCode == 0)
            try await fixture.expect("echo next", "next")
        }
    }

    @Test(
        "A syntax error is told, and the next command runs",
        arguments: TestShell.all,
        ["echo 'open", "if true", "fi", "(", "echo )"]
    )
    func syntaxErrors(shell: TestShell, command: String) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("x=kept")
            let observation = try await fixture.run(command)
            #expect(observation.metadata.exitCode != 0)
            #expect(observation.metadata.exitCode != -1)
            #expect(observation.content != "")
            try await fixture.expect("echo $x", "kept")
        }
    }

    @Test("A command that isn't found has status 127", arguments: TestShell.all)
    func notFound(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let told = try await fixture.output("no-such-command-here", exitCode: 127)
            #expect(told.contains("not found"))
        }
    }

    @Test("A thousand commands in a row each have their own output", arguments: TestShell.all)
    func many(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for number in 0..<1000 {
                let observation = try await fixture.run("echo \(number); (exit \(number % 200))")
                guard observation.content == "\(number)", observation.metadata.exitCode == number % 200 else {
                    Issue.record("\(number): \(observation)")
                    return
                }
            }
        }
    }

    @Test("A long command line and a long output come through whole", arguments: TestShell.all)
    func size(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let word = String(repeating: "word ", count: 40_000)
            try await fixture.expect("x='\(word)'; echo ${#x}", "200000")
            let observation = try await fixture.run("i=0; while [ $i -lt 4000 ]; do echo \"line $i\"; i=$((i+1)); done")
            {
                $0.hidden = true
            }
            #expect(observation.hidden)
            #expect(observation.content == (0..<4000).map { "line \($0)" }.joined(separator: "\n"))
            let cut = try await fixture.run("seq 1 200000")
            #expect(cut.content.hasPrefix("1\n2\n3\n"))
            #expect(cut.content.hasSuffix("\n199999\n200000"))
            let path = try #require(cut.content.firstMatch(of: #/whole output is in (\S+) /#)).1
            let whole = try String(contentsOfFile: String(path), encoding: .utf8)
            #expect(whole == (1...200_000).map { "\($0)\n" }.joined())
        }
    }

    @Test("Progress bars and colours read as a person sees them", arguments: TestShell.all)
    func appearance(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let command = #"printf 'a\n'; for i in 1 2 3; do printf "\r${i}0%%"; done; printf '\n\033[31mred\033[0m\n'"#
            let seen = try await fixture.output(command)
            #expect(seen == "a\n30%\nred")
        }
    }

    @Test(
        "A sequence that a command left open, or another screen, doesn't hide the next command's output",
        arguments: TestShell.all
    )
    func brokenSequences(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for opening in [#"\033]0;title"#, #"\033P"#, #"\033["#, #"\033"#, #"\033[?1049h\033[5;5Hx"#] {
                _ = try await fixture.run("printf '\(opening)'")
                try await fixture.expect("echo seen", "seen")
            }
        }
    }

    @Test("A terminal's answer that no program reads isn't typed into the next command", arguments: TestShell.all)
    func answers(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for _ in 0..<3 {
                _ = try await fixture.run(#"printf '\033[6n\033[c'"#)
                try await fixture.expect("echo seen", "seen")
            }
            // More questions than a terminal's input holds answers.
            let observation = try await fixture.run(
                #"i=0; while [ $i -lt 20000 ]; do printf '\033[6n'; i=$((i+1)); done"#
            )
            #expect(observation.metadata.exitCode == 0)
            try await fixture.expect("echo seen", "seen")
        }
    }

    @Test("A program that leaves the terminal in another mode doesn't spoil the next command", arguments: TestShell.all)
    func terminalModes(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            for modes in ["raw -echo", "-icanon min 0 time 0", "-onlcr", "echo"] {
                _ = try await fixture.run("stty \(modes)")
                try await fixture.expect("echo one; echo two", "one\ntwo")
            }
        }
    }

    @Test("noclobber, nounset and a changed umask don't keep the shell from reporting", arguments: TestShell.all)
    func options(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.output("set -C; set -u; umask 777; IFS=x0123456789")
            try await fixture.expect("echo ok", "ok")
            try await fixture.expect("echo ok again", "ok again")
        }
    }

    @Test("The process id of the last background job is told", arguments: TestShell.all)
    func backgroundProcess(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            let observation = try await fixture.run("sleep 600 >/dev/null 2>&1 & echo $!")
            let process = try #require(observation.content.split(separator: "\n").compactMap { Int($0) }.last)
            #expect(observation.metadata.pid == process)
            #expect(isAlive(pid_t(process)))
            try await fixture.expect("echo still here", "still here")
            #expect(isAlive(pid_t(process)))
            // Closing the session ends it too.
            await fixture.runner.close()
            try await eventually { !isAlive(pid_t(process)) }
        }
    }

    @Test("A background process that writes doesn't hold up the session or what comes next", arguments: TestShell.all)
    func noisyBackground(shell: TestShell) async throws {
        try await withShell(shell) { fixture in
            _ = try await fixture.run("(while :; do echo noise; sleep 0.001; done) &")
            for number in 0..<20 {
                let observation = try await fixture.run("echo number=\(number)")
                #expect(observation.metadata.exitCode == 0)
                #expect(observation.content.contains("number=\(number)"))
            }
            #expect(try await fixture.run("kill $!; wait").metadata.exitCode != -1)
        }
    }
}

/// The checksum of `cksum` (POSIX: CRC-32 of the bytes and their count).
private func checksum(_ text: String) -> UInt32 {
    var count = text.utf8.count
    var bytes = Array(text.utf8)
    while count > 0 {
        bytes.append(UInt8(truncatingIfNeeded: count))
        count >>= 8
    }
    var sum: UInt32 = 0
    for byte in bytes {
        sum ^= UInt32(byte) << 24
        for _ in 0..<8 { sum = sum >> 31 == 0 ? sum << 1 : sum << 1 ^ 0x04c1_1db7 }
    }
    return ~sum
}
