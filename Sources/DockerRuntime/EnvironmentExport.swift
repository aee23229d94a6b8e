import EventStream

/// The code that gives a sandbox's programs environment variables.
///
/// A value without I/O. Names are taken as they are; the reference makes them upper case. Values are quoted so that no shell
/// finds anything in them to expand.
struct EnvironmentExport {
    private let variables: [(key: String, value: String)]

    /// - Parameter variables: by names that a shell can assign to.
    init(_ variables: [String: String]) {
        self.variables = variables.sorted { $0.key < $1.key }
    }

    /// Exports them in the shell that runs it.
    var shellCommand: String {
        "export " + variables.map { "\($0.key)=\(ShellWord.quoted($0.value))" }.joined(separator: " ")
    }

    /// Exports them in shells to come, except those that the file exports already.
    var startupFileCommand: String {
        let additions = variables.map { key, value in
            let line = ShellWord.quoted("export \(key)=\(ShellWord.quoted(value))")
            return "{ grep -q '^export \(key)=' ~/.bashrc || printf '%s\\n' \(line) >> ~/.bashrc; }"
        }
        return (["touch ~/.bashrc"] + additions).joined(separator: " && ")
    }

    /// Sets them in the Python interpreter that runs it.
    var pythonCode: String {
        // A JSON object of strings is a Python literal.
        let object = JSONObject(variables.map { ($0.key, JSONValue.string($0.value)) })
        return "import os\nos.environ.update(\(object))\n"
    }
}

/// A word of a shell's command line.
enum ShellWord {
    /// A text in single quotes, in which nothing has a meaning (POSIX, Shell Command Language 2.2.2).
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: #"'\''"#) + "'"
    }
}

extension DockerRuntime.GitIdentity {
    /// Sets the identity for all repositories; where there is no configuration yet, without git, which may come later.
    var command: String {
        func value(_ text: String) -> String {
            "\"" + text.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#).replacing("\n", with: #"\n"#) + "\""
        }
        let file = "[user]\n\tname = \(value(name))\n\temail = \(value(email))\n"
        return "if [ -s ~/.gitconfig ]; then git config --global user.name \(ShellWord.quoted(name))"
            + " && git config --global user.email \(ShellWord.quoted(email))"
            + "; else printf '%s' \(ShellWord.quoted(file)) > ~/.gitconfig; fi"
    }
}
