/// How a kind of shell is started, given a command, and made to say that the command is done.
///
/// What is typed is one line of ours, which has the command in quotes when it is short and plain. Others don't pass
/// through the terminal, whose lines are limited and which takes some characters for its own: they lie in a file that the
/// line reads. When the command is done the shell writes a ``ShellReport`` to a named pipe. Both are opened by name each
/// time, so that no descriptor of ours is in the way of the commands, or closed by them.
enum ShellDialect: Sendable {
    /// GNU bash: the report also comes when a command was interrupted, by way of `PROMPT_COMMAND`.
    case bash
    /// Any POSIX shell: the prompt says that a command was interrupted or broken, when no report comes.
    case posix

    /// Whether the shell finds its terminal with echo on.
    ///
    /// A line editor, such as that of busybox, keeps away without.
    var usesEcho: Bool { self == .bash }

    /// What the shell prints when it waits for the next command, if that is needed to know it.
    ///
    /// It says which command it comes after: a line editor may print it again.
    func prompt(token: String, sequence: Int) -> String {
        self == .bash ? "" : "\u{1}\(token)-\(sequence)\u{2}"
    }

    /// The arguments of the shell, the first of which is its name.
    ///
    /// - Parameter readsStartupFiles: false for a shell that reads none, not even ours, which is typed to it then.
    func arguments(startupFile: String, readsStartupFiles: Bool) -> [String] {
        switch self {
        case .bash: ["bash", "--noediting"] + (readsStartupFiles ? ["--rcfile", startupFile] : ["--norc"]) + ["-i"]
        case .posix: ["sh", "-i"]
        }
    }

    /// Variables that make the shell read its start-up file.
    func environment(startupFile: String) -> [String: String] {
        switch self {
        case .bash: [:]
        case .posix: ["ENV": startupFile]
        }
    }

    /// What the shell runs first.
    ///
    /// It ends in a report with the sequence number 1.
    func startupScript(_ files: ControlDirectory, token: String, readsStartupFiles: Bool) -> String {
        let report = Self.reportFunction(files)
        switch self {
        case .bash:
            return """
                \(readsStartupFiles ? "[ -r ~/.bashrc ] && . ~/.bashrc" : "")
                set +o history +H +o emacs +o vi
                IGNOREEOF=1000000
                __aes_n=1 __aes_g=0
                \(report)
                __aes_prompt='case $__aes_n in 0) PS1=;; *) __aes_report "$?"; PS1=;; esac'
                __aes_load() { IFS= read -r -d '' __aes_c; } <'\(files.commandFile)' 2>/dev/null
                __aes_prepare() { __aes_n=$1 PROMPT_COMMAND=$__aes_prompt PS1= PS2=; return "$2"; }
                PROMPT_COMMAND=$__aes_prompt PS1= PS2=

                """
        case .posix:
            return """
                unset ENV
                set -o ignoreeof
                __aes_n=1 __aes_g=0
                \(report)
                __aes_prompt() { PS1="\u{1}\(token)-$1\u{2}" PS2=; }
                __aes_prepare() { __aes_n=$1; __aes_prompt "$1"; return "$2"; }
                PS1='\(prompt(token: token, sequence: 1))' PS2=
                __aes_report 0

                """
        }
    }

    /// Writes status, last background process, directory and search path, once for each sequence number.
    ///
    /// A shell that can't report is of no use any more, and its end is noticed: it ends itself in the one way that
    /// needs nothing and can't be refused.
    ///
    /// Then it waits until it is told to go on. By then its terminal has the modes that it expects: in those that a program
    /// may have left it would find the end of its input, time and again, and complain or exit.
    private static func reportFunction(_ files: ControlDirectory) -> String {
        let pipe = files.reportPipe
        return """
            __aes_report() {
                [ "$__aes_n" = 0 ] && return
                [ -p '\(pipe)' ] && printf '%s\\0' "$__aes_n" "$1" "${!-}" "$PWD" "$PATH" "$-" . >'\(pipe)' || kill -KILL $$
                __aes_m=$__aes_n __aes_n=0
                until [ "$__aes_g" = "$__aes_m" ]; do IFS= read -r __aes_g <'\(files.goOnPipe)' || break; done
            } 2>/dev/null
            """
    }

    /// The line to type, without its line feed, that runs a command.
    ///
    /// The command finds `$?` as the one before left it.
    ///
    /// In bash it is evaluated rather than sourced, so that errors read as for a typed line, in both branches of an `if`,
    /// so that `set -e` doesn't see the status that is handed on.
    ///
    /// - Parameters:
    ///   - quoted: the command as ``quoted(_:)`` gives it; nil to run what is in the command file.
    ///   - isTraced: whether the shell shows what it runs (`set -x`): what it runs of ours it does unseen, as far as it can.
    func trigger(
        _ files: ControlDirectory,
        sequence: Int,
        lastStatus: Int32,
        quoted: String?,
        isTraced: Bool
    ) -> String {
        switch self {
        case .bash:
            let load = quoted.map { "__aes_c=\($0)" } ?? "__aes_load"
            let prepare = "__aes_prepare \(sequence) \(lastStatus)" + (isTraced ? " 2>/dev/null" : "")
            // The colon since bash 5.2 takes the first word after a broken command for an argument.
            return ":;if \(load);\(prepare);then eval \"$__aes_c\";else eval \"$__aes_c\";fi;__aes_report \"$?\""
        case .posix:
            // The prompt once more, since a command may have set it, as the activation of a Python environment does.
            return
                "__aes_prepare \(sequence) \(lastStatus);. '\(files.commandFile)';__aes_report \"$?\";__aes_prompt \(sequence)"
        }
    }

    /// A command as one word of the line that is typed; nil if it is too long for a terminal's line, or has characters that
    /// a terminal or some locale may take for something else.
    func quoted(_ command: String) -> String? {
        guard self == .bash, command.utf8.count <= Self.typedLimit else { return nil }
        var word = "$'"
        for byte in command.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): word += "\\n"
            case UInt8(ascii: "\t"): word += "\\t"
            case UInt8(ascii: "\\"): word += "\\\\"
            case UInt8(ascii: "'"): word += "\\'"
            // History expansion, if a command turned it on, would come before the quotes are seen.
            case UInt8(ascii: "!"): word += "\\041"
            case 0x20..<0x7f: word.unicodeScalars.append(Unicode.Scalar(byte))
            default: return nil
            }
            guard word.utf8.count <= Self.typedLimit else { return nil }
        }
        return word + "'"
    }

    /// Bytes of a quoted command.
    ///
    /// With the rest of the line it fits into that of any terminal: 1,024 on macOS (`MAX_CANON`), 4,096 on Linux.
    private static let typedLimit = 800
}
