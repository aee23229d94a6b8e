/// How a kind of shell is started, given a command, and made to say that the command is done.
///
/// What is typed is one line of ours, which has the command in quotes when it is short and plain. Others don't pass
/// through the terminal, whose lines are limited and which takes some characters for its own: they lie in a file that the
/// line reads. When the command is done the shell writes a ``ShellReport`` to a named pipe. Both are opened by name each
/// time, so that no descriptor of ours is in the way of the commands, or closed by them.
///
/// A command can take away what all this needs (functions, builtins, descriptors, variables). The prompt still comes then,
/// and says that the shell waits without having reported.
enum ShellDialect: Sendable {
    /// GNU bash: the report also comes when a command was interrupted, by way of `PROMPT_COMMAND`.
    case bash
    /// Any POSIX shell: the prompt says that a command was interrupted or broken, when no report comes.
    case posix

    /// Whether the shell finds its terminal with echo on.
    ///
    /// A line editor, such as that of busybox, keeps away without.
    var usesEcho: Bool { self == .bash }

    /// The value of `PS1`, in double quotes, that makes a prompt which a ``PromptFilter`` sees.
    ///
    /// It isn't the prompt itself, which a command may print with its variables, and makes none in a shell within the shell,
    /// which may inherit it: the activation of a Python environment exports it.
    private func promptVariable(token: String, sequence: String) -> String {
        "\"\\${__aes_e:+\\${__aes_e}\(token)-\(sequence)\\${__aes_f}}\""
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
        let prompt = { (sequence: String) in promptVariable(token: token, sequence: sequence) }
        switch self {
        case .bash:
            return """
                \(readsStartupFiles ? "[ -r ~/.bashrc ] && . ~/.bashrc" : "")
                set +o history +H +o emacs +o vi
                IGNOREEOF=20
                __aes_n=1 __aes_m=1 __aes_g=0 __aes_e='\u{2}' __aes_f='\u{3}'
                \(bashReport(files, prompt: prompt("$__aes_m")))
                __aes_prompt='case $__aes_n in 0) ;; *) __aes_report "$?";; esac'
                __aes_load() { IFS= builtin read -r -d '' __aes_c; } <'\(files.commandFile)' 2>/dev/null
                __aes_prepare() {
                    builtin unset -v PROMPT_COMMAND
                    PROMPT_COMMAND=$__aes_prompt PS1=\(prompt("$1")) PS2=
                    builtin export -n PROMPT_COMMAND PS1
                    __aes_n=$1
                    builtin return "$2"
                }
                unset -v PROMPT_COMMAND PS0 TMOUT
                PROMPT_COMMAND=$__aes_prompt PS1= PS2=

                """
        case .posix:
            return """
                unset ENV PS1
                set -o ignoreeof
                __aes_n=1 __aes_g=0 __aes_e='\u{2}' __aes_f='\u{3}'
                \(posixReport(files, prompt: prompt("$__aes_m")))
                __aes_prepare() { __aes_n=$1; unset PS1; PS1=\(prompt("$1")) PS2=; return "$2"; }
                PS1=\(prompt("1")) PS2=
                __aes_report 0

                """
        }
    }

    // The report: status, last background process, directory and search path, once for each sequence number.
    //
    // A shell that can't report is of no use any more, and its end is noticed: it ends itself in the one way that needs
    // nothing.
    //
    // Its input is the terminal again, if a command gave the shell another: it would find the end of that and exit.
    //
    // Then it waits until it is told to go on. By then its terminal has the modes that it expects: in those that a program
    // may have left it would find the end of its input, time and again, and complain or exit. A wait that doesn't wait,
    // since a command took `read` away, must not go on for ever.

    /// With what a function of the user can't replace, as far as there is such a thing.
    ///
    /// `PS0` would be printed before each command, and with `TMOUT` the shell would exit between two.
    private func bashReport(_ files: ControlDirectory, prompt: String) -> String {
        let pipe = files.reportPipe
        return """
            __aes_report() {
                case ${__aes_n-}:${__aes_e-} in :* | *:) builtin kill -KILL $$;; 0:*) builtin return;; esac
                [[ -p '\(pipe)' ]] && builtin printf '%s\\0' "$__aes_n" "$1" "${!-}" "$PWD" "$PATH" "$-" . >'\(pipe)' ||
                    builtin kill -KILL $$
                [[ -t 0 ]] || exec </dev/tty
                __aes_m=$__aes_n __aes_n=0 __aes_i=0
                until [[ $__aes_g == "$__aes_m" ]] || ((++__aes_i > 9)); do
                    IFS= builtin read -r __aes_g <'\(files.goOnPipe)' || builtin break
                done
                builtin unset -v PROMPT_COMMAND PS0 TMOUT
                builtin shopt -s promptvars
                PS1=\(prompt)
            } 2>/dev/null
            """
    }

    private func posixReport(_ files: ControlDirectory, prompt: String) -> String {
        let pipe = files.reportPipe
        return """
            __aes_report() {
                if [ -t 1 ] && [ -t 2 ]; then __aes_o=$-; else __aes_o=$-\(ShellReport.redirectedMark); fi
                {
                    case ${__aes_n-}:${__aes_e-} in :* | *:) kill -KILL $$;; 0:*) return;; esac
                    [ -p '\(pipe)' ] &&
                        printf '%s\\0' "$__aes_n" "$1" "${!-}" "$PWD" "$PATH" "$__aes_o" . >'\(pipe)' || kill -KILL $$
                    [ -t 0 ] || exec </dev/tty
                    __aes_m=$__aes_n __aes_n=0 __aes_i=0
                    until [ "$__aes_g" = "$__aes_m" ] || [ "$((__aes_i += 1))" -gt 9 ]; do
                        IFS= read -r __aes_g <'\(files.goOnPipe)' || break
                    done
                    # A command may have set it, as the activation of a Python environment does.
                    PS1=\(prompt) PS2=
                } 2>/dev/null
            }
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
            return
                "\\:;if \(load);\(prepare);then builtin eval \"$__aes_c\";else builtin eval \"$__aes_c\";fi;__aes_report \"$?\""
        case .posix:
            return "__aes_prepare \(sequence) \(lastStatus);. '\(files.commandFile)';__aes_report \"$?\""
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
