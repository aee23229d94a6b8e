import EventStream

/// The command line of `log`.
struct LogOptions {
    /// What to do with a log.
    enum Verb: Equatable {
        case show(log: String)
        case verify(log: String)
        case convert(from: String, to: String, SessionForm)
        case grep(pattern: String, log: String)
        case help
    }

    var verb: Verb
    /// The events to look at.
    var ids = 0..<Int.max
    var isReversed = false
    var limit = Int.max
    /// Which events are wanted, but for the pattern.
    var filter = EventFilter.all
    /// Whether events are printed as JSON lines.
    var isJSON = false
    /// Whether long texts are printed whole.
    var isFull = false
    /// Whether matching events are counted instead of printed.
    var countsOnly = false
    /// Whether the pattern is a regular expression.
    var isRegex = false
    /// Whether a trajectory keeps the pictures of pages.
    var keepsScreenshots = false

    /// Parses the words after `log`.
    init(_ words: [String]) throws(DemoOptions.UsageError) {
        guard let name = words.first else { throw Self.error("log needs a command: show, verify, convert or grep") }
        verb = .help
        let wantsHelp = words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
        if wantsHelp || name == "help" { return }
        var parser = LogArguments(words.dropFirst())
        var form: SessionForm?
        while let option = parser.nextOption() {
            guard Self.options(of: name).contains(option) else {
                throw Self.error("log \(name) has no option \(option)")
            }
            if option == "--to", name == "convert" {
                form = try Self.form(try parser.value(of: option))
            } else {
                try set(option, &parser)
            }
        }
        let words = parser.words
        switch (name, words.count) {
        case ("show", 1): verb = .show(log: words[0])
        case ("verify", 1): verb = .verify(log: words[0])
        case ("grep", 2): verb = .grep(pattern: words[0], log: words[1])
        case ("convert", 2):
            guard let form else { throw Self.error("log convert needs --to FORM: jsonl, lines, session or trajectory") }
            verb = .convert(from: words[0], to: words[1], form)
        case ("show", _), ("verify", _): throw Self.error("log \(name) needs one LOG")
        case ("grep", _): throw Self.error("log grep needs a PATTERN and one LOG")
        case ("convert", _): throw Self.error("log convert needs a log to read and a name for the new one")
        default: throw Self.error("unknown command: log \(name)")
        }
    }

    private static let selectionOptions: Set = [
        "--from", "--to", "--reversed", "--limit", "--type", "--source", "--json", "--full",
    ]

    private static func options(of name: String) -> Set<String> {
        switch name {
        case "show": selectionOptions
        case "grep": selectionOptions.union(["--count", "--regex"])
        case "convert": ["--to", "--screenshots"]
        default: []
        }
    }

    private mutating func set(_ option: String, _ arguments: inout LogArguments) throws(DemoOptions.UsageError) {
        switch option {
        case "--from":
            let first = try arguments.number(of: option)
            ids = first..<max(first, ids.upperBound)
        case "--to":
            let last = try arguments.number(of: option)
            // Up to and with it.
            let end = last == .max ? last : last + 1
            ids = min(ids.lowerBound, end)..<end
        case "--limit": limit = try arguments.number(of: option)
        case "--reversed": isReversed = true
        case "--type":
            let kind = try arguments.value(of: option)
            filter.types = (filter.types ?? []).union([.action(kind), .observation(kind)])
        case "--source":
            filter.sources = (filter.sources ?? []).union([EventSource(rawValue: try arguments.value(of: option))])
        case "--json": isJSON = true
        case "--full": isFull = true
        case "--count": countsOnly = true
        case "--regex": isRegex = true
        default: keepsScreenshots = true
        }
    }

    private static func form(_ word: String) throws(DemoOptions.UsageError) -> SessionForm {
        switch word {
        case "jsonl": .store
        case "lines": .lines
        case "session": .referenceSession
        case "trajectory": .trajectory
        default: throw error("unknown form: \(word); there are jsonl, lines, session and trajectory")
        }
    }

    private static func error(_ text: String) -> DemoOptions.UsageError {
        DemoOptions.UsageError(description: text)
    }
}

/// The words after a command, options and others mixed.
private struct LogArguments {
    private var rest: ArraySlice<String>
    /// The words that are no options, so far.
    private(set) var words: [String] = []

    init(_ rest: ArraySlice<String>) {
        self.rest = rest
    }

    /// The next option; nil at the end.
    ///
    /// What follows `--` isn't taken for one.
    mutating func nextOption() -> String? {
        while let word = rest.popFirst() {
            if word == "--" {
                words += rest
                rest = []
            } else if word.hasPrefix("-"), word != "-" {
                return word
            } else {
                words.append(word)
            }
        }
        return nil
    }

    mutating func value(of option: String) throws(DemoOptions.UsageError) -> String {
        guard let value = rest.popFirst() else { throw DemoOptions.UsageError(description: "\(option) needs a value") }
        return value
    }

    mutating func number(of option: String) throws(DemoOptions.UsageError) -> Int {
        let text = try value(of: option)
        guard let number = Int(text), number >= 0 else {
            throw DemoOptions.UsageError(description: "\(option) needs a number from 0, not \(text)")
        }
        return number
    }
}

extension LogOptions {
    static let help = """
        Usage: Demo log show LOG [selection]
               Demo log grep PATTERN LOG [selection] [--count] [--regex]
               Demo log verify LOG
               Demo log convert LOG NEW --to FORM [--screenshots]

        Works on recorded sessions. LOG is a session directory, a file with one event per line, a session folder of
        OpenHands or its trajectory file; which of them it is, is found out.

        show prints events.
        grep prints the events that have PATTERN in their JSON (as show --json prints it), in upper or lower case.
        verify reads everything, and reports each damage with its place and what doesn't fit together.
        convert writes the session in another form. It writes over nothing, and what it can't write whole it doesn't
        write at all.

        Selection:
          --from ID       the first event to look at
          --to ID         the last one
          --reversed      go from the last to the first
          --limit N       print no more than N events
          --type KIND     only actions and observations of this kind, such as run; may be repeated
          --source S      only events of agent, user or environment; may be repeated
          --json          print JSON, one event per line
          --full          print long texts whole

        grep:
          --count         print how many events match, and not the events
          --regex         PATTERN is a regular expression

        convert:
          --to jsonl      a session directory, which needs all events from 0 on
          --to lines      a file with one event per line
          --to session    a session folder of OpenHands 0.62
          --to trajectory a trajectory file of OpenHands 0.62, which leaves out what browsers leave in observations
          --screenshots   keep pictures of pages in a trajectory

        Exit status: 0 when all went well, 1 when the log is damaged, 2 when it can't be read or the command line is
        wrong. grep: 0 when there are matches, 1 when there are none, 2 for everything else, damage too.

        """
}
